"""The wrapped keys of references, the wrapped secrets of epochs, and the marks of the erased.

1. A key belongs to one reference: to a person, a credential and an epoch. It is never replaced.
2. What was destroyed does not come back: no key is made for somebody who was erased, and none for a
   re-keyed reference whose earlier key is gone.
3. The secret of an epoch goes together with its last key, once a later one has begun.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId, PersonId
from postern.vault.keyring_file import connect, explained, open_file, writing

_WANTED = "person = ? AND credential = ?"
_PRESENT = "(SELECT max(epoch) FROM epochs)"


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which reference a key opens."""

    person: PersonId
    credential: CredentialId
    epoch: int


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A reference's key and the secret of its epoch, each wrapped; 40 bytes."""

    key: bytes
    epoch: bytes


class Keyring:
    """The keys of one site; usable from any thread.

    Args:
        path: The file.
        connection: An open connection to it; from `open_keyring`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = Lock()  # Guards the connection.
        # An onlooker waits for nobody, also while this process waits to write.
        self._looking = Lock()  # Guards the next, which is opened when it is first needed.
        self._onlooker: sqlite3.Connection | None = None

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock, self._looking:
            self._connection.close()
            if self._onlooker is not None:
                self._onlooker.close()

    def version(self) -> int:
        """A number that is another one after every change by anybody, this process included.

        It means nothing beyond this object. The connection that asks never writes, so that SQLite
        tells it of everybody's changes
        (https://www.sqlite.org/pragma.html#pragma_data_version).

        Raises:
            PosternError: `unavailable` where the keys cannot be read now; so do the others below.
        """
        with self._looking, explained():
            if self._onlooker is None:
                self._onlooker = connect(self._path)
            return int(self._onlooker.execute("PRAGMA data_version").fetchone()[0])

    def site(self) -> bytes | None:
        """The site whose secret wraps these keys; None before `claim`."""
        with self._reading() as connection:
            row = connection.execute("SELECT id FROM site").fetchone()
        return bytes(row[0]) if row else None

    def claim(self, site: bytes) -> None:
        """Notes that these keys are wrapped by that site's secret. Another site's epochs end.

        Raises:
            PosternError: `conflict` where there are another site's keys.
        """
        with self._writing() as connection:
            if connection.execute("SELECT 1 FROM site WHERE id = ?", (site,)).fetchone():
                return
            if connection.execute("SELECT 1 FROM keys").fetchone():
                raise PosternError(Code.CONFLICT, "The keys belong to another site.")
            connection.execute("INSERT OR REPLACE INTO site VALUES (1, ?)", (site,))
            connection.execute("DELETE FROM epochs")

    def begin(self, epoch: int, wrapped: bytes) -> bool:
        """Makes that epoch the present one; False where another process was first."""
        with self._writing() as connection:
            present = connection.execute(f"SELECT coalesce({_PRESENT}, 0)").fetchone()[0]
            if epoch != present + 1:
                return False
            connection.execute("INSERT INTO epochs VALUES (?, ?)", (epoch, wrapped))
            return True

    def epochs(self) -> dict[int, bytes]:
        """The wrapped secrets of all epochs that still live; the largest number is the present."""
        with self._reading() as connection:
            return {int(n): bytes(w) for n, w in connection.execute("SELECT * FROM epochs")}

    def names(self, person: PersonId | None = None) -> tuple[KeyName, ...]:
        """What every key opens, or every key of one person."""
        query = "SELECT person, credential, epoch FROM keys WHERE ? IN (person, '')"
        with self._reading() as connection:
            rows = connection.execute(query, (person or "",)).fetchall()
        return tuple(KeyName(PersonId(p), CredentialId(c), int(e)) for p, c, e in rows)

    def find(self, name: KeyName) -> WrappedKey | None:
        """The key of that name; None where it is gone, or its epoch is."""
        query = "SELECT keys.wrapped, epochs.wrapped FROM keys JOIN epochs USING (epoch) WHERE"
        with self._reading() as connection:
            row = connection.execute(
                f"{query} {_WANTED} AND epoch = ?",
                (name.person, name.credential, name.epoch),
            ).fetchone()
        return WrappedKey(bytes(row[0]), bytes(row[1])) if row else None

    def keep(self, name: KeyName, wrapped: bytes, mark: bytes) -> bytes | None:
        """Keeps the first key of that name and gives it back; one that is there already stays.

        Args:
            name: What it opens.
            wrapped: The key.
            mark: The person's, by which they would be known to have been erased.

        Returns:
            None where that epoch is not the present one any more.

        Raises:
            PosternError: `conflict` where the person was erased.
        """
        with self._writing() as connection:
            if _is_erased(connection, mark):
                raise PosternError(
                    Code.CONFLICT,
                    "This person was erased and cannot be enrolled under the same id.",
                    "Enrol them as a new person.",
                )
            return _keep(connection, name, wrapped)

    def renew(self, name: KeyName, wrapped: bytes, former: int) -> bytes | None:
        """As `keep`, for a reference that has a key of the epoch `former`.

        Returns:
            None also where that former key is gone: it was destroyed and nothing may follow it.
        """
        with self._writing() as connection:
            query = f"SELECT 1 FROM keys WHERE {_WANTED} AND epoch = ?"  # noqa: S608 - constants
            there = connection.execute(query, (name.person, name.credential, former)).fetchone()
            return _keep(connection, name, wrapped) if there else None

    def erase(self, person: PersonId, mark: bytes) -> None:
        """Destroys all keys of a person for good; twice is the same.

        Raises:
            PosternError: as `scrub`.
        """
        with self._writing() as connection:
            connection.execute("DELETE FROM keys WHERE person = ?", (person,))
            connection.execute("INSERT OR IGNORE INTO erased VALUES (?)", (mark,))
            _retire(connection)
        self.scrub()

    def is_erased(self, mark: bytes) -> bool:
        """Whether the person with that mark was erased."""
        with self._reading() as connection:
            return _is_erased(connection, mark)

    def forget(self, person: PersonId) -> None:
        """Destroys all keys of a person who may come back; twice is the same.

        Raises:
            PosternError: as `scrub`.
        """
        with self._writing() as connection:
            connection.execute("DELETE FROM keys WHERE person = ?", (person,))
            _retire(connection)
        self.scrub()

    def destroy(self, person: PersonId, credential: CredentialId) -> None:
        """Destroys the keys of one credential in every epoch; twice is the same.

        Raises:
            PosternError: as `scrub`.
        """
        with self._writing() as connection:
            connection.execute(
                f"DELETE FROM keys WHERE {_WANTED}",  # noqa: S608 - constants
                (person, credential),
            )
            _retire(connection)
        self.scrub()

    def drop(self, name: KeyName) -> None:
        """Removes one key; its traces go with the next `scrub`."""
        with self._writing() as connection:
            connection.execute(
                f"DELETE FROM keys WHERE {_WANTED} AND epoch = ?",  # noqa: S608 - constants
                (name.person, name.credential, name.epoch),
            )
            _retire(connection)

    def retire(self) -> None:
        """Removes the secrets of epochs of which no key is left, but for the present one.

        Raises:
            PosternError: as `scrub`.
        """
        with self._writing() as connection:
            _retire(connection)
        self.scrub()

    def scrub(self) -> None:
        """Overwrites the traces of what was removed; twice is the same.

        Raises:
            PosternError: `unavailable` where another process is reading, so that the keys are gone
                but their bytes may linger; calling it again finishes the work.
        """
        with self._reading() as connection:
            # secure_delete has overwritten the rows in their pages; the log still has older pages.
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise PosternError(
                Code.UNAVAILABLE,
                "The key is removed, but its traces could not be overwritten yet.",
                "Close other programs that use the store and try once more.",
            )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained():
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(), writing(self._connection):
            yield self._connection


def open_keyring(path: Path) -> Keyring:
    """The keyring in that file, made if there is none.

    Raises:
        PosternError: as `open_file`.
    """
    return Keyring(path, open_file(path))


def _keep(connection: sqlite3.Connection, name: KeyName, wrapped: bytes) -> bytes | None:
    """Keeps a key if there is none of that name and its epoch is the present one."""
    if connection.execute(f"SELECT {_PRESENT}").fetchone()[0] != name.epoch:
        return None
    parts = (name.person, name.credential, name.epoch)
    connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", (*parts, wrapped))
    query = f"SELECT wrapped FROM keys WHERE {_WANTED} AND epoch = ?"  # noqa: S608 - constants
    return bytes(connection.execute(query, parts).fetchone()[0])


def _retire(connection: sqlite3.Connection) -> None:
    """Removes the secrets of epochs of which no key is left, but for the present one."""
    unused = "epoch NOT IN (SELECT epoch FROM keys)"
    connection.execute(
        f"DELETE FROM epochs WHERE {unused} AND epoch < {_PRESENT}"  # noqa: S608 - constants
    )


def _is_erased(connection: sqlite3.Connection, mark: bytes) -> bool:
    row = connection.execute("SELECT 1 FROM erased WHERE mark = ?", (mark,)).fetchone()
    return row is not None
