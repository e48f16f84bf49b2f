"""A copy of the keys goes back without what was destroyed since, and leaves nothing behind."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.vault.keyring_copy import copy_keys, forget_copy, put_back_keys
from postern.vault.vault import KEYRING_FILE, open_vault
from tests.app.sealed_site import MODES, make_site
from tests.people import ALICE, BOB, CAROL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_site(tmp_path / "site").close()
    copy_keys(tmp_path / "site" / KEYRING_FILE, tmp_path / "site" / "copy")
    return tmp_path / "site"


def _changed(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / KEYRING_FILE)) as keys, keys:
        keys.execute(statement)


def _people(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as keys:
        return {row[0] for row in keys.execute("SELECT person FROM keys")}


def test_copy_is_for_its_owner_and_has_everything(folder: Path) -> None:
    """One file, without others beside it."""
    assert 0o600 == stat.S_IMODE((folder / "copy").stat().st_mode)
    assert set(MODES) == _people(folder / "copy")
    assert ["copy"] == [one.name for one in folder.iterdir() if one.name.startswith("copy")]


def test_what_was_destroyed_since_does_not_come_back(folder: Path) -> None:
    """The present file is of a newer version; whoever was erased stays so, and a key that was
    destroyed is in neither file."""
    vault = open_vault(folder, 1)
    vault.erase(ALICE)
    (carols,) = (name for person, name in vault.keyed() if person == CAROL)
    vault.destroy(carols, CAROL)
    vault.close()
    with closing(sqlite3.connect(folder / "copy")) as copy:
        query = "SELECT wrapped FROM keys WHERE person IN (?, ?)"
        gone = [bytes(row[0]) for row in copy.execute(query, (ALICE, CAROL))]
    assert 2 == len(gone)
    assert all(key in (folder / "copy").read_bytes() for key in gone)
    _changed(folder, "ALTER TABLE keys ADD COLUMN newer TEXT")
    _changed(folder, "PRAGMA user_version = 9")
    for _ in range(2):
        put_back_keys(folder / "copy", folder / KEYRING_FILE)

    vault = open_vault(folder, 1)
    assert vault.is_erased(ALICE)
    assert not vault.is_erased(BOB)
    assert set(MODES) - {ALICE, CAROL} == {person for person, _ in vault.keyed()}
    vault.close()
    for one in folder.iterdir():
        if one.name != "copy":
            assert not any(key in one.read_bytes() for key in gone), one.name


def test_epoch_that_was_retired_does_not_come_back(folder: Path) -> None:
    """Nor with it the secret under which its keys are wrapped."""
    _changed(folder, "INSERT INTO epochs SELECT 2, wrapped FROM epochs")
    _changed(folder, "DELETE FROM epochs WHERE epoch = 1")
    put_back_keys(folder / "copy", folder / KEYRING_FILE)
    with closing(sqlite3.connect(folder / KEYRING_FILE)) as keys:
        assert [] == keys.execute("SELECT epoch FROM epochs").fetchall()


@pytest.mark.parametrize("table", ["keys", "erased", "epochs"])
def test_file_that_does_not_tell_what_was_destroyed_is_left_alone(folder: Path, table: str) -> None:
    """Nothing is guessed: erasures count for more than the way back."""
    _changed(folder, f"ALTER TABLE {table} RENAME TO newer")
    with pytest.raises(PosternError, match="does not tell") as refused:
        put_back_keys(folder / "copy", folder / KEYRING_FILE)

    assert Code.CONFLICT is refused.value.code
    with closing(sqlite3.connect(folder / KEYRING_FILE)) as keys:
        assert keys.execute("SELECT 1 FROM newer").fetchall() or table == "erased"


def test_copy_is_overwritten_before_it_is_removed(folder: Path, tmp_path: Path) -> None:
    """Seen through another name of the same file."""
    (tmp_path / "same").hardlink_to(folder / "copy")
    size = (folder / "copy").stat().st_size
    forget_copy(folder / "copy")
    forget_copy(folder / "copy")

    assert not (folder / "copy").exists()
    assert bytes(size) == (tmp_path / "same").read_bytes()
