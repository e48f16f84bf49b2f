"""One SQLite file: its connections, its migrations, and its failures in one sentence.

1. A reader sees one snapshot; a writer takes the write lock at once, so that what it read is still
   so when it writes.
2. A transaction that has committed survives a power cut (WAL, synchronous=FULL).
3. What was deleted is overwritten (secure_delete), and `scrub` empties the write-ahead log of it.
4. A store is migrated when it is opened, by one process at a time, all or nothing.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock, local

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as ConnectionsTaken
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from postern.core.errors import Code, PosternError

#: Milliseconds to wait for another process that is writing.
_PATIENCE_MS = 5000
_PRAGMAS = (
    f"busy_timeout = {_PATIENCE_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
)
_BEGIN = "postern_begin"


class Database:
    """An open store file; usable from any thread.

    Args:
        engine: From `open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._reader = engine.execution_options(**{_BEGIN: "BEGIN"})
        self._writer = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._own = _Own()
        self._lock = Lock()  # Guards the next, which is opened when it is first needed.
        self._onlooker: PoolProxiedConnection | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one snapshot.

        Raises:
            PosternError: `unavailable` where the store cannot be read now; `invalid` where it is
                damaged.
        """
        with explained(), self._own.connection or self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable once it is left, or has not happened at all.

        Raises:
            PosternError: `unavailable` where the store cannot be written now; `conflict` where
                something of that name exists or something it needs does not.
        """
        with explained(), self._own.connection or self._writer.begin() as connection:
            yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything that this thread writes inside happens at once, or none of it.

        What is scrubbed inside is scrubbed at the end, when it can be. One inside another is a part
        of it.

        Raises:
            PosternError: as `writing`.
        """
        if self._own.connection is not None:
            yield
            return
        self._own.scrub = False
        with self.writing() as connection:
            self._own.connection = nullcontext(connection)
            try:
                yield
            finally:
                self._own.connection = None
        if self._own.scrub:
            self.scrub()

    def scrub(self) -> bool:
        """Empties the write-ahead log, so that what was deleted is in no file any more.

        Returns:
            False where another process is reading; the log is emptied at the next scrub or close.
            Inside `together` it is emptied at the end.
        """
        if self._own.connection is not None:
            self._own.scrub = True
            return False
        with explained(), self._reader.connect() as connection:
            pooled = connection.connection
            busy, _, _ = pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def version(self) -> int:
        """A number that is another one after every change by anybody, this process included.

        It means nothing beyond this object. Asking costs microseconds: SQLite compares a counter
        (https://www.sqlite.org/pragma.html#pragma_data_version) that tells of the changes of all
        other connections, and the one that asks here never writes.

        Raises:
            PosternError: as `reading`.
        """
        with self._lock, explained():
            if self._onlooker is None:
                self._onlooker = self._reader.raw_connection()
            (number,) = self._onlooker.cursor().execute("PRAGMA data_version").fetchone()
        return int(number)

    def close(self) -> None:
        """Lets go of the file; the last one to do so empties the write-ahead log."""
        with self._lock:
            if self._onlooker is not None:
                self._onlooker.close()
                self._onlooker = None
        self._reader.dispose()


class _Own(local):
    """The connection of a thread that writes several things together, and what it owes then."""

    connection: AbstractContextManager[Connection] | None = None
    scrub: bool = False


def open_database(path: Path) -> Database:
    """The database in that file, made if there is none, and migrated if it is older.

    Raises:
        PosternError: `conflict` where a newer program wrote it; `invalid` where it is damaged;
            `unavailable` where it cannot be opened now.
    """
    try:
        with _alone(path.with_suffix(".lock")):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            engine = create_engine(URL.create("sqlite", database=str(path)))
            event.listen(engine, "connect", _prepare)
            event.listen(engine, "begin", _begin)
            _migrate(Database(engine))
            _sync_folder(path.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The store cannot be opened: {error.strerror}.",
            f"Check that this user may write to {path.parent} and that the disk is not full.",
        ) from None
    return Database(engine)


def head() -> str:
    """The newest revision of the schema that this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, but not before DDL; `_begin` does it instead.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))


def _migrate(database: Database) -> None:
    try:
        with database.writing() as connection:
            known = {
                script.revision
                for script in ScriptDirectory.from_config(_config()).walk_revisions()
            }
            current = MigrationContext.configure(connection).get_current_heads()
            if not set(current) <= known:
                raise PosternError(
                    Code.CONFLICT,
                    "The store was written by a newer Postern than this one.",
                    "Update this program, or restore a backup from before the update.",
                )
            if current != (head(),):
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    except BaseException:
        database.close()
        raise


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


#: Primary result codes of SQLite (https://www.sqlite.org/rescode.html): what they mean to whoever
#: runs the site.
_FULL = ("The disk of the store is full.", "Make room; nothing is lost.")
_LOCKED = ("Another program is writing to the store.", "Try again.")
_READ_ONLY = ("The store cannot be written to.", "Its disk or folder is read-only.")
_TEMPORARY = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CANTOPEN: ("The store cannot be opened.", "Check its folder's rights."),
    # Also a full disk, where it is the shared memory of the log that finds no room.
    sqlite3.SQLITE_IOERR: ("The disk of the store is full or failed.", "Make room or check it."),
    sqlite3.SQLITE_NOMEM: ("There is not enough memory to use the store.", "Try again."),
}
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def explained() -> Iterator[None]:
    """Turns the database's errors into ours."""
    try:
        yield
    except IntegrityError:
        raise PosternError(
            Code.CONFLICT, "That is kept already, or something it belongs to is not."
        ) from None
    except ConnectionsTaken:
        raise PosternError(
            Code.UNAVAILABLE, "Too many are reading the store at once.", "Try again."
        ) from None
    except DBAPIError as error:
        raise _explain(error) from None
    except sqlite3.Error as error:
        raise _explain(error) from None


def _explain(error: Exception) -> PosternError:
    cause = getattr(error, "orig", error)
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _TEMPORARY:
        return PosternError(Code.UNAVAILABLE, *_TEMPORARY[code])
    if code in _DAMAGED:
        return PosternError(
            Code.INVALID, "The file of the store is damaged.", "Restore it from a backup."
        )
    return PosternError(Code.INTERNAL, f"The store failed: {cause}.")
