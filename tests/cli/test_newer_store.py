"""A site whose store or keys a newer Postern wrote: one sentence, and nothing is touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import ended, postern, started

#: Whatever opens the site's store.
COMMANDS = (
    ("run",),
    ("check",),
    ("backup", "later.backup"),
    ("rekey",),
    ("person", "list"),
    ("vehicle", "add", "CD456"),
    ("permit", "list"),
    ("events",),
)
NEWER = {
    "postern.db": (
        "UPDATE alembic_version SET version_num = '9999'",
        "postern: The store was written by a newer Postern than this one.",
        "  Update this program, or restore a backup from before the update.",
    ),
    "keys.db": (
        "PRAGMA user_version = 9",
        "postern: The keys were written by a newer Postern.",
        "  Update this one.",
    ),
}


@pytest.mark.parametrize("file", NEWER)
def test_site_of_a_newer_version_is_refused_and_left_alone(folder: Path, file: str) -> None:
    """By the service, too: nothing is watched with a store that is not understood."""
    assert 0 == postern("vehicle", "add", "AB123").code
    statement, sentence, remedy = NEWER[file]
    with closing(sqlite3.connect(folder / "data" / file)) as connection, connection:
        connection.execute(statement)
    before = _dumped(folder / "data" / file)
    for words in COMMANDS:
        told = ended(started(*words, cwd=folder)) if words == ("run",) else postern(*words)
        # One line each, but for what `check` finds in the site's file first.
        assert (5, "") == (told.code, "" if words == ("check",) else told.out), words
        assert [sentence, remedy] == told.err.splitlines()[-2:], words
        assert 2 == len(told.err.splitlines()), words

    assert not (folder / "later.backup").exists()
    assert before == _dumped(folder / "data" / file)


def test_backup_from_before_the_update_puts_it_right(folder: Path) -> None:
    """As the sentence says."""
    assert 0 == postern("vehicle", "add", "AB123").code
    assert 0 == postern("backup", "before.backup").code
    with closing(sqlite3.connect(folder / "data" / "postern.db")) as connection, connection:
        connection.execute(NEWER["postern.db"][0])
        connection.execute("CREATE TABLE newer (one INTEGER)")
    assert 5 == postern("vehicle", "list").code
    assert 0 == postern("restore", "before.backup", "--yes").code

    assert "AB123" in postern("vehicle", "list").out
    assert "newer" not in _dumped(folder / "data" / "postern.db")


def _dumped(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return "\n".join([str(version), *connection.iterdump()])
