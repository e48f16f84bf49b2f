"""Keys that are lost for good: told, refused, and begun anew by whoever says so."""

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from postern.core.consent import StorageMode
from tests.cli.enrolled import ROSTER, enrol
from tests.cli.terminal import postern


@pytest.fixture
def site(folder: Path) -> Path:
    """Zoe is on the roster, and Yan has a pass."""
    with (folder / "site.toml").open("a") as file:
        file.write(ROSTER)
    enrol(folder)
    enrol(folder, "Yan", StorageMode.PASS)
    assert 0 == postern("vehicle", "add", "AB123").code
    return folder


def lose(site: Path, what: str) -> None:
    if what == "damaged":
        (site / "data" / "keys.db").write_bytes(b"junk" * 1000)
        return
    for path in (site / "data").glob(f"{what}*"):
        path.unlink()


@pytest.mark.parametrize("what", ["keys.db", "site.key", "damaged"])
def test_lost_keys_are_begun_anew_and_everybody_is_enrolled_again(site: Path, what: str) -> None:
    """Until then everything is refused with what to do; afterwards only faces and passes are gone,
    and each of them is an event."""
    lose(site, what)
    told = postern("person", "list")
    assert 3 == told.code
    assert "postern rekey --keys-lost" in told.err

    told = postern("rekey", "--keys-lost", "--yes")
    assert 0 == told.code, told.err
    assert "People to be enrolled again: 2." in told.err
    assert "Passes that count no more: 1." in told.err
    assert "AB123" in postern("vehicle", "list").out
    people = postern("person", "list").out
    assert "Zoe" in people
    assert "Yan" in people
    assert "There is no pass." in postern("pass", "list").out
    events = postern("events", "--verify", "--json").out
    assert 1 == events.count("keys lost")
    assert 3 == events.count('"revoked"')
    assert 0 == postern("person", "withdraw", "p-zoe").code
    enrol(site, "Yan", StorageMode.PASS)
    assert "counts" in postern("pass", "list").out


def test_nobody_loses_keys_that_are_there(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor those that only another key file opens, nor without saying so."""
    told = postern("rekey", "--keys-lost", "--yes")
    assert 5 == told.code
    assert "nothing is lost" in told.err

    key = site / "data" / "site.key"
    kept = key.read_bytes()
    key.write_bytes(bytes(32))
    told = postern("rekey", "--keys-lost", "--yes")
    assert 3 == told.code
    assert "not the one that keys.db was made with" in told.err

    key.write_bytes(kept)
    lose(site, "keys.db")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    told = postern("rekey", "--keys-lost")
    assert 6 == told.code
    assert "counts" not in postern("pass", "list").out
    assert not list((site / "data").glob("keys.db*"))


def test_a_site_whose_faces_are_all_on_passes_notices_too(folder: Path) -> None:
    """A file of keys made anew would know nothing of those who were erased, and of no pass."""
    enrol(folder, "Yan", StorageMode.PASS)
    lose(folder, "keys.db")
    told = postern("check")
    assert 3 == told.code
    assert "keys.db is missing" in told.err
    assert not list((folder / "data").glob("keys.db*"))


def test_a_history_that_was_changed_is_not_signed_when_keys_begin_anew(site: Path) -> None:
    """The store remembers what was published, and this log does not continue it."""
    with closing(sqlite3.connect(site / "data" / "postern.db")) as store, store:
        store.execute("UPDATE published SET size = 1, root = ?", ("00" * 32,))
    lose(site, "keys.db")
    told = postern("rekey", "--keys-lost", "--yes")

    assert 3 == told.code
    assert "does not continue what this site published before" in told.err
    assert not list((site / "data").glob("keys.db*"))
