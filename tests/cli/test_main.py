"""The entry point: whatever happens, nobody is shown a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postern import cli
from tests.cli.terminal import Answer, ended, postern, started

#: Blocks of 512 bytes that a file may have, so that the disk is as good as full: at once, and at
#: each of the steps in which a vehicle is kept.
_SMALL_DISKS = (10, 60, 100, 140, 180)


def fails() -> None:
    """A command with a mistake in it."""
    raise ZeroDivisionError


def meets_a_full_disk() -> None:
    """A command that the system lets down."""
    raise OSError(28, "No space left on device", "/somewhere")


def ends() -> None:
    """A command whose reader has gone."""
    raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("fails", ("postern: An internal fault (ZeroDivisionError in tests.cli.test_main:", 1)),
        ("meets_a_full_disk", ("postern: /somewhere: No space left on device.", 7)),
    ],
)
def test_a_failure_that_nobody_foresaw_is_one_sentence(
    command: str, answer: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where the mistake is, and the exit code is not 0."""
    monkeypatch.setitem(cli.COMMANDS, "broken", f"{__name__}:{command}")

    told = postern("broken")

    assert answer[1] == told.code
    assert told.err.startswith(answer[0])
    assert "Traceback" not in told.err + told.out


def test_wrong_choice_is_told_without_the_librarys_own_words() -> None:
    """Only what is wrong, and what there is to choose."""
    told = postern("pass", "issue", "p-1", "--camera", "c", "--out", "p.png", "--form", "zz")

    assert 2 == told.code
    assert "Invalid value for '--form': 'zz' is not one of 'phone', 'card', 'a6'" in told.err
    assert "Value error" not in told.err


@pytest.mark.parametrize("group", ["person", "consents", "pass", "witness", "permit", "vehicle"])
def test_completion_is_offered_once_for_all_commands(group: str) -> None:
    """It is an option of `postern`, and of no group of commands."""
    assert "--install-completion" in postern("--help").out
    assert "completion" not in postern(group, "--help").out


def test_full_disk_is_one_sentence_and_nothing_is_half_done(folder: Path) -> None:
    """A vehicle that could not be kept whole is not kept; with room it is."""
    assert 0 == postern("vehicle", "add", "AB001").code
    told = [_limited(folder, f"AB{room:03}", room) for room in _SMALL_DISKS]
    refused = [answer for answer in told if answer.code]

    assert refused
    for answer in refused:
        assert 7 == answer.code, answer
        assert answer.err.startswith("postern: The ")
        assert "Traceback" not in answer.err
    kept = postern("vehicle", "list", "--json").out
    assert kept.count('"plate"') == 1 + len(told) - len(refused)
    # Recorded before it is done: the record may say more than came of it, and never less.
    recorded = postern("events", "--json").out.count('"kind": "enrolled"')
    assert kept.count('"plate"') <= recorded <= 1 + len(told)
    assert 0 == postern("vehicle", "add", "AB099").code


def test_no_command_starts_without_its_help() -> None:
    """Every command is found, loads, and says what it does."""
    for name in cli.COMMANDS:
        told = postern(name, "--help")
        assert 0 == told.code, name
        assert f"Usage: postern {name}" in told.out


def test_completion_is_offered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell asks the program, which knows its commands."""
    monkeypatch.setenv("_POSTERN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "postern mo")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert ["mode", "models"] == ended(started(cwd=folder)).out.split()


def _limited(folder: Path, plate: str, room: int) -> Answer:
    """Registers a vehicle where no file may grow beyond a size."""
    return ended(started("vehicle", "add", plate, cwd=folder, before=f"ulimit -f {room}"))


def test_package_is_run_as_a_module_as_well(tmp_path: Path) -> None:
    """`python -m postern` is the command, with its name in what it says."""
    told = subprocess.run(
        [sys.executable, "-m", "postern", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert postern("--version").out == told.stdout
