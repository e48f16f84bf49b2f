"""Safeguard: what a site keeps is for its own user, and reaches no file that is not listed.

After five hundred strangers, one person and one car (see `crowd.py`), every file and folder of the
site is held against the table of docs/operate.md. The programs ran without a mask for the modes of
files, so that none is private by the shell's grace only.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.safeguards.crowd import Crowd

OPERATE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
#: What the table says together, in parentheses behind a name.
PARTS = re.compile(r"`([^`]+)`(?: \(and ((?:`-\w+`(?:, )?)+)\))?")


def test_every_file_has_the_mode_that_the_page_says(crowd: Crowd) -> None:
    """Those in folders that are closed to others need none of their own."""
    modes = dict(_documented())
    assert 0o700 == _mode(crowd.data)
    found = {path.name + "/" * path.is_dir(): _mode(path) for path in crowd.data.iterdir()}

    assert {"postern.db", "keys.db", "site.key", "signing.key", "ledger/"} <= found.keys()
    assert found == {name: modes[name] for name in found}


def test_secrets_are_for_one_user_wherever_they_lie(crowd: Crowd) -> None:
    """Contents of events and the keys of names are shut twice: by their folder and by their own
    mode. What others may read by its mode is made for others: tiles and checkpoints."""
    ledger = crowd.data / "ledger"
    assert {0o700} == {_mode(path) for path in ledger.rglob("*") if path.is_dir()} | {_mode(ledger)}
    open_to_others = {
        path.relative_to(ledger).parts[0]
        for path in ledger.rglob("*")
        if path.is_file() and _mode(path) & 0o077
    }

    assert {"tile", "checkpoint", "log.vkey"} == open_to_others
    assert not [p for p in ledger.rglob("*") if _mode(p) & 0o022]
    assert {0o600} == {_mode(p) for part in ("journal", "pseudonyms")
                       for p in (ledger / part).iterdir()}  # fmt: skip


def test_every_part_of_the_table_is_read() -> None:
    """A row for each file and those beside it; a file that is too open is seen."""
    modes = dict(_documented())

    assert {"postern.db", "postern.db-wal", "postern.db-shm", "site.key", "service.lock",
            "ledger/"} <= modes.keys()  # fmt: skip
    assert {0o600, 0o700} == set(modes.values())


def test_a_file_that_is_too_open_is_found(tmp_path: Path) -> None:
    """Its mode is not taken from the mask."""
    (tmp_path / "open").touch()
    os.chmod(tmp_path / "open", 0o644)

    assert 0o644 == _mode(tmp_path / "open")


@pytest.mark.parametrize("stream", ["out.txt", "err.txt"])
def test_streams_hold_no_secret(crowd: Crowd, stream: str) -> None:
    """Neither key nor anything of a person stands in what the service says."""
    said = (crowd.home / stream).read_bytes()

    for secret in ("site.key", "signing.key"):
        content = (crowd.data / secret).read_bytes()
        assert content not in said
        assert content.hex().encode() not in said
    assert b"p-resident" not in said
    assert b"Resident" not in said


def _documented() -> Iterator[tuple[str, int]]:
    """Every file of the table with its mode."""
    table = OPERATE.split("\n## Files\n")[1].split("\n## ")[0]
    for row in re.findall(r"^\| (.+?) \| (0[0-7]{3}) \|", table, re.MULTILINE):
        for name, parts in PARTS.findall(row[0]):
            for part in ("", *re.findall(r"`(-\w+)`", parts)):
                yield name + part, int(row[1], 8)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)
