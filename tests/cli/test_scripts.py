"""Every command as a newcomer types it: what it writes, where, and its exit code."""

from pathlib import Path

import pytest

from tests.cli.terminal import follow, steps

SCRIPTS = sorted((Path(__file__).parents[1] / "scripts").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs_as_written(script: Path, folder: Path) -> None:
    """Standard output, standard error and the exit code of every line are as the script says."""
    assert [] == follow(script)


def test_a_script_that_is_wrong_is_told(folder: Path, tmp_path: Path) -> None:
    """A wrong line, a missing line, a wrong code and an empty script each fail."""
    script = tmp_path / "wrong.txt"
    for text in (
        "$ postern vehicle list\n> Something else.",
        "$ postern vehicle list\n",
        "$ postern vehicle list\n> No vehicle is registered.\n? 3",
        "",
    ):
        script.write_text(text, "utf-8")
        assert [] != follow(script)


def test_steps_are_read_with_their_streams() -> None:
    """The two streams, the code and the line number of a block."""
    (step,) = steps("# why\n\n$ postern x\n> out\n! err\n? 3\n")

    assert (3, "postern x", ("out",), ("err",), 3) == (
        step.line, step.command, step.out, step.err, step.code,
    )  # fmt: skip
