"""The wrapped keys of people, in a database file of their own.

They are kept apart from the references so that a backup of the store holds no key, and so that
erasing a person is the removal of forty bytes.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from postern.core.errors import Code, PosternError
from postern.core.ids import PersonId
from postern.vault.keys import sync_folder

_VERSION = 1
_TABLES = """
CREATE TABLE site (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
CREATE TABLE keys (
    person TEXT PRIMARY KEY NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT;
"""
#: Milliseconds to wait for another process that is writing.
_PATIENCE_MS = 5000


class Keyring:
    """Every person's wrapped key; usable from any thread.

    Args:
        connection: An open database with the tables; from `open_keyring`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    def site(self) -> bytes | None:
        """The site whose secret wraps these keys; None before `claim`."""
        with self._turn() as connection:
            row = connection.execute("SELECT id FROM site").fetchone()
        return bytes(row[0]) if row else None

    def claim(self, site: bytes) -> None:
        """Notes that these keys are wrapped by that site's secret."""
        with self._turn() as connection:
            connection.execute("INSERT OR REPLACE INTO site VALUES (1, ?)", (site,))

    def count(self) -> int:
        """How many people have a key."""
        with self._turn() as connection:
            return int(connection.execute("SELECT count(*) FROM keys").fetchone()[0])

    def find(self, person: PersonId) -> tuple[int, bytes] | None:
        """The epoch and the wrapped key of a person; None where there is none."""
        with self._turn() as connection:
            return _find(connection, person)

    def keep(self, person: PersonId, epoch: int, wrapped: bytes) -> tuple[int, bytes]:
        """Keeps a person's first key and gives it back; a key that is there already stays."""
        with self._turn() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", (person, epoch, wrapped)
            )
            return _find(connection, person) or (epoch, wrapped)

    def destroy(self, person: PersonId) -> None:
        """Removes a person's key from the file and from its write-ahead log; twice is the same.

        Raises:
            PosternError: `unavailable` where another process is reading, so that the key is gone
                but its bytes may linger; calling it again finishes the work.
        """
        with self._turn() as connection:
            connection.execute("DELETE FROM keys WHERE person = ?", (person,))
            # secure_delete has overwritten the row in the page; the log still has older pages.
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise PosternError(
                Code.UNAVAILABLE,
                "The person's key is removed, but its traces could not be overwritten yet.",
                "Close other programs that use the store and erase once more.",
            )

    @contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise _failure(error) from None


def open_keyring(path: Path) -> Keyring:
    """The keyring in that file, made with mode 0600 if there is none.

    Raises:
        PosternError: `invalid` where the file is damaged or newer than this program; `unavailable`
            where it cannot be opened now.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_folder(path.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The keys cannot be opened: {error.strerror}.", f"See {path}."
        ) from None
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _failure(error) from None
    except PosternError:
        connection.close()
        raise
    return Keyring(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    for pragma in (
        f"busy_timeout = {_PATIENCE_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            raise PosternError(
                Code.CONFLICT, "The keys were written by a newer Postern.", "Update this one."
            )
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _find(connection: sqlite3.Connection, person: PersonId) -> tuple[int, bytes] | None:
    row = connection.execute(
        "SELECT epoch, wrapped FROM keys WHERE person = ?", (person,)
    ).fetchone()
    return (int(row[0]), bytes(row[1])) if row else None


#: Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that no retry mends.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _failure(error: sqlite3.Error) -> PosternError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return PosternError(
            Code.INVALID, "The file of keys is damaged.", "Restore it together with its store."
        )
    return PosternError(
        Code.UNAVAILABLE,
        f"The file of keys cannot be used now: {error}.",
        "Check that the disk is not full or read-only.",
    )
