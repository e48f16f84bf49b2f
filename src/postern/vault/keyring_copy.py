"""A copy of the file of keys for as long as a newer program is tried, and the way back from that.

A copy undoes what was destroyed since. So it is put back without the keys, epochs and people that
are gone from the present file, and is overwritten once nobody needs it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError
from postern.vault.keyring_file import explained, writing
from postern.vault.secret_file import sync_folder

#: Bytes written at once.
_BLOCK = 1 << 16
#: What is destroyed for good: a row that the present file has no more is taken out of the copy.
_DESTROYED = (
    "DELETE FROM keys WHERE (person, credential, epoch) NOT IN "
    "(SELECT person, credential, epoch FROM present.keys)",
    "DELETE FROM epochs WHERE epoch NOT IN (SELECT epoch FROM present.epochs)",
    "INSERT OR IGNORE INTO erased (mark) SELECT mark FROM present.erased",
)


def copy_keys(keys: Path, copy: Path) -> None:
    """Copies the file of keys into a new file with mode 0600; durable on return.

    Raises:
        PosternError: `invalid` where it is damaged; `unavailable` where it cannot be copied now.
    """
    forget_copy(copy)
    try:
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with explained(), _opened(keys) as source, _opened(copy) as target:
            source.backup(target)
            # One file, without a log beside it.
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
        sync_folder(copy.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The keys cannot be copied: {error.strerror}.", "Make room."
        ) from None


def put_back_keys(copy: Path, keys: Path) -> None:
    """Puts a copy in the place of the file of keys, less what was destroyed since.

    It is one transaction of the file that is there. Done twice, it is as done once.

    Args:
        copy: From `copy_keys`.
        keys: The present file, of whatever version; nobody else has it open.

    Raises:
        PosternError: `conflict` where it cannot be told from the present file what was destroyed;
            `invalid` where either is damaged; `unavailable` where it cannot be written now.
    """
    # In memory, so that no journal of it is left on the disk with what was destroyed.
    with explained(), closing(sqlite3.connect(":memory:", isolation_level=None)) as cleaned:
        with _opened(copy) as source:
            source.backup(cleaned)
        cleaned.execute("PRAGMA secure_delete = ON").fetchall()
        cleaned.execute("ATTACH ? AS present", (str(keys),))
        try:
            with writing(cleaned):
                for statement in _DESTROYED:
                    cleaned.execute(statement)
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise
            raise PosternError(
                Code.CONFLICT, "The newer file of keys does not tell which were destroyed since."
            ) from None
        cleaned.execute("DETACH present")
        with _opened(keys) as present:
            cleaned.backup(present)
            present.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def forget_copy(copy: Path) -> None:
    """Overwrites a copy and removes it; done where there is none.

    Raises:
        PosternError: `unavailable` where it cannot be removed now.
    """
    try:
        for part in ("-journal", "-wal", "-shm", ""):
            path = copy.with_name(copy.name + part)
            if path.exists():
                _overwrite(path)
                path.unlink()
        sync_folder(copy.parent)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The copy of the keys cannot be removed: {error.strerror}.",
            f"Remove it: {copy}. It undoes erasures.",
        ) from None


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, _BLOCK)))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 5000").fetchall()
        connection.execute("PRAGMA synchronous = FULL").fetchall()
        yield connection
