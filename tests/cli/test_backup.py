"""Putting a backup back is asked about, and refused while the site is served."""

import subprocess
import sys
from pathlib import Path

from postern.app.duty import on_duty
from tests.cli.terminal import postern

_PROGRAM = "import sys; sys.argv[0] = 'postern'; from postern.cli import main; main()"


def test_restore_asks_first(folder: Path) -> None:
    """Whoever says no, or nothing, keeps the store as it is."""
    assert 0 == postern("backup", "one.tar").code
    assert 0 == postern("vehicle", "add", "AB123").code
    for answer in ("n\n", "\n", ""):
        told = _typed(folder, answer, "restore", "one.tar")
        assert 6 == told.returncode
        assert "Nothing was changed." in told.stderr
        assert "Replace the store of Garage" in told.stderr
        assert "AB123" in postern("vehicle", "list").out

    assert 0 == _typed(folder, "y\n", "restore", "one.tar").returncode
    assert "AB123" not in postern("vehicle", "list").out


def test_restore_is_refused_while_the_site_is_served(folder: Path) -> None:
    """Backing up is not."""
    postern("vehicle", "add", "AB123")
    with on_duty(folder / "data"):
        assert 0 == postern("backup", "one.tar").code
        told = postern("restore", "one.tar", "--yes")

    assert 5 == told.code
    assert "serving this site already" in told.err


def _typed(
    folder: Path, answer: str, *arguments: str
) -> "subprocess.CompletedProcess[str]":  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        input=answer,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
