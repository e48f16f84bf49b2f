"""The file of keys by itself: what is destroyed stays so, and older files are taken over."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.vault.keyring import KeyName, Keyring, open_keyring
from tests.people import ALICE, BOB
from tests.vault.samples import FACE_1

MARK, OTHER_MARK = b"m" * 32, b"n" * 32
WRAPPED, OTHER = b"w" * 40, b"o" * 40
ALICES = KeyName(ALICE, FACE_1, 1)

#: The tables as version 1 made them.
FIRST_TABLES = """
CREATE TABLE site (
    one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
CREATE TABLE keys (
    person TEXT PRIMARY KEY NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT;
PRAGMA user_version = 1;
"""


@pytest.fixture
def keyring(tmp_path: Path):
    opened = open_keyring(tmp_path / "keys.db")
    opened.claim(b"s" * 16)
    assert opened.begin(1, b"1" * 40)
    yield opened
    opened.close()


def test_a_key_that_is_there_stays(keyring: Keyring) -> None:
    """Whoever comes second gets the first one's key, so that both seal under the same."""
    assert WRAPPED == keyring.keep(ALICES, WRAPPED, MARK)
    assert WRAPPED == keyring.keep(ALICES, OTHER, MARK)
    found = keyring.find(ALICES)
    assert found is not None
    assert (WRAPPED, b"1" * 40) == (found.key, found.epoch)


def test_keys_are_kept_in_the_present_epoch_only(keyring: Keyring) -> None:
    """A program that has not heard of a new epoch is told to look again."""
    assert keyring.begin(2, b"2" * 40)

    assert keyring.keep(ALICES, WRAPPED, MARK) is None
    assert () == keyring.names()


def test_epochs_follow_one_another(keyring: Keyring) -> None:
    """Of two programs that begin the next one, one does; none is left out."""
    assert not keyring.begin(1, b"x" * 40)
    assert not keyring.begin(3, b"x" * 40)
    assert keyring.begin(2, b"2" * 40)
    assert not keyring.begin(2, b"x" * 40)
    assert {1: b"1" * 40, 2: b"2" * 40} == keyring.epochs()


def test_no_key_follows_one_that_was_destroyed(keyring: Keyring) -> None:
    """A re-keying that read the reference before it was withdrawn does not bring it back."""
    keyring.keep(ALICES, WRAPPED, MARK)
    keyring.begin(2, b"2" * 40)
    keyring.forget(ALICE)

    assert keyring.renew(KeyName(ALICE, FACE_1, 2), OTHER, 1) is None
    assert () == keyring.names()


def test_no_key_is_made_for_somebody_who_was_erased(keyring: Keyring) -> None:
    """Not for another of their credentials either; another person is not meant."""
    keyring.keep(ALICES, WRAPPED, MARK)
    keyring.erase(ALICE, MARK)

    with pytest.raises(PosternError, match="erased") as refused:
        keyring.keep(KeyName(ALICE, CredentialId("face-2"), 1), OTHER, MARK)
    assert Code.CONFLICT is refused.value.code
    assert () == keyring.names()
    assert keyring.is_erased(MARK)
    assert not keyring.is_erased(OTHER_MARK)
    assert OTHER == keyring.keep(KeyName(BOB, FACE_1, 1), OTHER, OTHER_MARK)


def test_an_epoch_ends_with_its_last_key(keyring: Keyring, tmp_path: Path) -> None:
    """Its secret stays as long as a pass needs it, and is in no file afterwards."""
    keyring.keep(ALICES, WRAPPED, MARK)
    keyring.begin(2, b"2" * 40)
    keyring.retire()
    assert {1, 2} == set(keyring.epochs())

    keyring.drop(ALICES)
    keyring.retire()
    assert {2} == set(keyring.epochs())
    assert keyring.find(ALICES) is None
    assert [] == [f.name for f in tmp_path.iterdir() if b"1" * 40 in f.read_bytes()]


@pytest.mark.parametrize("how", ["destroy", "forget", "erase", "drop"])
def test_an_epoch_ends_at_once_with_whatever_ends_its_last_key(
    keyring: Keyring, tmp_path: Path, how: str
) -> None:
    """Not only when somebody comes by to tidy up; one that has another key left lives."""
    bobs = KeyName(BOB, FACE_1, 1)
    keyring.keep(ALICES, WRAPPED, MARK)
    keyring.keep(bobs, OTHER, OTHER_MARK)
    keyring.begin(2, b"2" * 40)
    keyring.drop(bobs)
    assert {1, 2} == set(keyring.epochs())
    ends = {
        "destroy": lambda: keyring.destroy(ALICE, FACE_1),
        "forget": lambda: keyring.forget(ALICE),
        "erase": lambda: keyring.erase(ALICE, MARK),
        "drop": lambda: keyring.drop(ALICES),
    }
    ends[how]()

    assert {2} == set(keyring.epochs())
    keyring.scrub()
    assert [] == [f.name for f in tmp_path.iterdir() if b"1" * 40 in f.read_bytes()]


def test_the_present_epoch_never_ends(keyring: Keyring) -> None:
    """A site with nobody in it can take somebody in."""
    keyring.retire()

    assert {1} == set(keyring.epochs())


def test_a_key_of_an_epoch_without_a_secret_is_none(keyring: Keyring, tmp_path: Path) -> None:
    """Should a row be left behind, it opens nothing."""
    keyring.keep(ALICES, WRAPPED, MARK)
    with sqlite3.connect(tmp_path / "keys.db") as other:
        other.execute("DELETE FROM epochs")
    other.close()

    assert keyring.find(ALICES) is None


def test_version_changes_with_what_anybody_does(keyring: Keyring, tmp_path: Path) -> None:
    """A service that is running notices keys that another process destroyed."""
    keyring.keep(ALICES, WRAPPED, MARK)
    seen = [keyring.version()]
    assert seen == [keyring.version()]

    keyring.keep(KeyName(BOB, FACE_1, 1), OTHER, OTHER_MARK)
    seen.append(keyring.version())
    other = multiprocessing.get_context("spawn").Process(
        target=_forget_alice, args=(tmp_path / "keys.db",)
    )
    other.start()
    other.join()
    seen.append(keyring.version())

    assert 0 == other.exitcode
    assert 3 == len(set(seen))


def test_version_waits_for_no_writer(keyring: Keyring, tmp_path: Path) -> None:
    """Every attempt at an access point asks for it, also while this process waits to write."""
    keyring.version()
    with closing(sqlite3.connect(tmp_path / "keys.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer = Thread(target=keyring.keep, args=(ALICES, WRAPPED, MARK))
        writer.start()
        writer.join(0.3)
        began_s = monotonic()
        keyring.version()
        took_s = monotonic() - began_s
        assert writer.is_alive()
        other.execute("ROLLBACK")
        writer.join()

    assert took_s < 1.0
    assert keyring.find(ALICES) is not None


def test_version_1_is_taken_over(tmp_path: Path) -> None:
    """Its one key for each person becomes that of their face; the file keeps nothing else."""
    path = tmp_path / "keys.db"
    with sqlite3.connect(path) as before:
        before.executescript(FIRST_TABLES)
        before.execute("INSERT INTO site VALUES (1, ?)", (b"s" * 16,))
        before.execute("INSERT INTO keys VALUES (?, 1, ?)", (ALICE, WRAPPED))
    before.close()

    for _ in range(2):
        keyring = open_keyring(path)
        assert (KeyName(ALICE, CredentialId("face-p-alice"), 1),) == keyring.names()
        assert b"s" * 16 == keyring.site()
        assert {} == keyring.epochs()
        keyring.close()
    with sqlite3.connect(path) as after:
        tables = {row[0] for row in after.execute("SELECT name FROM sqlite_schema")}
    after.close()
    assert {"site", "epochs", "keys", "erased"} == {t for t in tables if "autoindex" not in t}


def test_keys_of_another_site_are_not_claimed(keyring: Keyring) -> None:
    """What they wrap would be lost; where there are none, the epochs begin anew."""
    keyring.keep(ALICES, WRAPPED, MARK)
    keyring.claim(b"s" * 16)
    assert {1} == set(keyring.epochs())
    with pytest.raises(PosternError, match="another site"):
        keyring.claim(b"t" * 16)

    keyring.forget(ALICE)
    keyring.claim(b"t" * 16)
    assert {} == keyring.epochs()


def _forget_alice(path: Path) -> None:
    keyring = open_keyring(path)
    keyring.forget(ALICE)
    keyring.close()
