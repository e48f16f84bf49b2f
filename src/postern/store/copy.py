"""A store's file copied for a backup, and put back.

1. A copy is one snapshot, however busy the store is.
2. What happened is not in it, nor what lasts for a moment only: events are the ledger's to keep and
   to let expire, its last checkpoint is soon seen again, who was inside says where people were,
   and an order that was ended must not come back. Nor must a key that was revoked, a session that
   was ended or a code that was used.
3. Putting back is one transaction of the store that is there: all of it or nothing, and other
   programs that have it open see it as any other change.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError
from postern.store.database import explained
from postern.store.schema import (
    api_key_rights,
    api_keys,
    areas,
    event_names,
    events,
    inside,
    metadata,
    mode_places,
    modes,
    published,
    replies,
    sessions,
    setup_codes,
    sign_in_tries,
    throttles,
)

#: Tables that are empty in a copy.
LEFT_OUT = (
    events, event_names, published, inside, areas, throttles, modes, mode_places, replies,
    sessions, setup_codes, sign_in_tries, api_keys, api_key_rights,
)  # fmt: skip
#: Tables that are whole in a copy; whoever adds one to the schema decides where it belongs.
COPIED = tuple(table for table in metadata.sorted_tables if table not in LEFT_OUT)
#: Tables first, then what is about them; what SQLite makes by itself has no statement.
_MADE = """
SELECT name, sql FROM store.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
ORDER BY type != 'table', rowid
"""
#: Milliseconds to wait for another process that is writing.
_PATIENCE_MS = 5000
#: Times that a step may find the file locked; each has waited that long.
_TRIES = 2
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def copied(path: Path) -> bytes:
    """The store in that file as the bytes of a database, made in memory.

    Raises:
        PosternError: `invalid` where it is damaged; `unavailable` where it cannot be read now.
    """
    left_out = {table.name for table in LEFT_OUT}
    with explained(), closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}").fetchall()
        copy.execute("PRAGMA temp_store = MEMORY")
        copy.execute("ATTACH ? AS store", (str(path),))
        copy.execute("BEGIN")
        # Rows are copied, not pages: those that were removed, here or long ago, are in none, and
        # memory is needed for what is copied only, however many events there are.
        made = copy.execute(_MADE).fetchall()
        for _, statement in made:
            copy.execute(statement)
        for name, statement in made:
            if statement.upper().startswith("CREATE TABLE") and name not in left_out:
                copy.execute(f'INSERT INTO main."{name}" SELECT * FROM store."{name}"')  # noqa: S608
        # Whoever has the store open when this takes its place reads all of it anew.
        copy.execute("UPDATE main.revisions SET number = abs(random() / 2)")
        copy.execute("COMMIT")
        copy.execute("DETACH store")
        return copy.serialize()


def put_back(copy: Path, path: Path) -> None:
    """Puts a copy in the place of the store in that file; durable on return.

    Args:
        copy: A database that nobody else has open.
        path: The store's file, made if there is none.

    Raises:
        PosternError: `invalid` where either is damaged; `unavailable` where the store cannot be
            written now. It is then as it was.
    """
    with explained(), _opened(path) as store, _opened(copy) as source:
        store.execute("PRAGMA journal_mode = WAL").fetchall()
        store.execute("PRAGMA synchronous = FULL")
        source.backup(store, progress=_Patience().step)
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def settle(path: Path) -> None:
    """Makes a database that nobody else has open one durable file, without a log beside it.

    Raises:
        PosternError: `invalid` where it is damaged; `unavailable` where it cannot be written now.
    """
    with explained(), _opened(path) as database:
        database.execute("PRAGMA synchronous = FULL")
        # Leaving WAL mode empties the log and removes it; opening the store brings it back.
        database.execute("PRAGMA journal_mode = DELETE").fetchall()
    with path.open("rb") as file:
        os.fsync(file.fileno())


class _Patience:
    """Gives up where the file stays locked; the driver would try for ever."""

    def __init__(self) -> None:
        self._tries = 0

    def step(self, status: int, _remaining: int, _total: int) -> None:
        """Called after every step of a copy.

        Raises:
            PosternError: `unavailable`.
        """
        self._tries += status in _LOCKED
        if self._tries >= _TRIES:
            raise PosternError(
                Code.UNAVAILABLE, "Another program is writing to the store.", "Try again."
            )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}").fetchall()
        yield connection
