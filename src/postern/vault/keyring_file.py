"""The file of the wrapped keys: its tables, how it is opened, and its failures in one sentence.

The references' keys are kept apart from the references, so that a backup of the store holds no key
and erasing somebody is the removal of forty bytes for each reference.

Version 1 had one key for each person, wrapped under the site's own secret, and every face was
called `face-` and the person's id. It is migrated when it is opened, all or nothing; the secret of
its epoch is put in by whoever has the site's.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError
from postern.vault.secret_file import sync_folder

_VERSION = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS site (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY CHECK (epoch >= 1),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT;
CREATE TABLE keys (
    person TEXT NOT NULL,
    credential TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40),
    PRIMARY KEY (person, credential, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE erased (
    mark BLOB PRIMARY KEY NOT NULL CHECK (length(mark) = 32)
) STRICT, WITHOUT ROWID
"""
_FROM_1 = """
ALTER TABLE keys RENAME TO keys_before;
{tables};
INSERT INTO keys SELECT person, 'face-' || person, epoch, wrapped FROM keys_before;
DROP TABLE keys_before
"""
#: Milliseconds to wait for another process that is writing.
_PATIENCE_MS = 5000
#: Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that no retry mends.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class KeysLostError(PosternError):
    """The file of keys, or the key that opens it, is missing or damaged.

    Args:
        message: What is wrong, in one sentence.
    """

    def __init__(self, message: str) -> None:
        hint = (
            "Put it back from where you keep it. If it is lost for good: postern rekey --keys-lost"
        )
        super().__init__(Code.INVALID, message, hint)


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to that file, made with mode 0600 if there is none, migrated if it is older.

    Raises:
        PosternError: `invalid` where the file is damaged, `conflict` where a newer program wrote
            it; `unavailable` where it cannot be opened now.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_folder(path.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The keys cannot be opened: {error.strerror}.", f"See {path}."
        ) from None
    connection = connect(path)
    try:
        with explained(), writing(connection):
            _migrate(connection)
    except PosternError:
        connection.close()
        raise
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """One more connection to a file that `open_file` has made.

    Raises:
        PosternError: as `open_file`.
    """
    with explained():
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (
                f"busy_timeout = {_PATIENCE_MS}",
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",
                "temp_store = MEMORY",
                "trusted_schema = OFF",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that is durable once it is left, or has not happened at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained() -> Iterator[None]:
    """Turns SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _failure(error) from None


def _migrate(connection: sqlite3.Connection) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > _VERSION:
        raise PosternError(
            Code.CONFLICT, "The keys were written by a newer Postern.", "Update this one."
        )
    steps = {0: _TABLES, 1: _FROM_1.format(tables=_TABLES.strip())}.get(version, "")
    for statement in filter(str.strip, steps.split(";\n")):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def _failure(error: sqlite3.Error) -> PosternError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return KeysLostError("The file of keys is damaged.")
    return PosternError(
        Code.UNAVAILABLE,
        f"The file of keys cannot be used now: {error}.",
        "Check that the disk is not full or read-only.",
    )
