"""`postern upgrade --back`: what is asked before anything is changed."""

import io
from pathlib import Path

import pytest

from postern.app.upgrade import Places
from postern.app.upgrade.places import COMPLETE, CURRENT, PREVIOUS, PROVED
from tests.cli.terminal import postern

OLD, NEW = "0.1.1", "0.1.2"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An installation whose service runs the newer of two versions."""
    made = Places(tmp_path)
    for version in (OLD, NEW):
        made.version(version).mkdir(parents=True)
        (made.version(version) / COMPLETE).touch()
    for link, version in ((CURRENT, NEW), (PROVED, NEW), (PREVIOUS, OLD)):
        made.name(link, version)
    return made


def _ends(places: Places, version: str, code: int, said: str) -> None:
    """Has every command of that version end so."""
    program = places.version(version) / "postern"
    program.write_text(f"#!/bin/sh\necho 'postern: {said}' >&2\nexit {code}\n", "utf-8")
    program.chmod(0o755)


def test_store_that_cannot_be_read_now_is_not_taken_for_a_newer_one(places: Places) -> None:
    """A full disk, say: with --yes, what came since would be lost for it."""
    _ends(places, OLD, 7, "The disk of the store is full or failed.")
    told = postern("upgrade", "--back", "--yes", "--root", str(places.root))

    assert 7 == told.code
    assert "The disk of the store is full or failed." in told.err
    assert "is lost" not in told.err
    assert places.order() is None


def test_store_of_a_newer_version_is_asked_about(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not say yes changes nothing."""
    _ends(places, OLD, 5, "The store was written by a newer Postern than this one.")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    told = postern("upgrade", "--back", "--root", str(places.root))

    assert 6 == told.code
    assert f"Postern {OLD} cannot read the store any more" in told.err
    assert "is lost" in told.err
    assert places.order() is None
