"""Files that appear whole or not at all, and stay."""

import os
from collections.abc import Iterable
from errno import EACCES, EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM, ESPIPE
from pathlib import Path
from stat import S_ISREG

from postern.core.errors import Code, PosternError

#: What a file is called until it is whole. One that a crash left behind is overwritten.
DRAFT = ".new"
#: What a file is called that is being destroyed. One that a crash left behind is destroyed next.
DESTROYED = ".destroyed"
#: What a disk has nothing to do with.
_IN_THE_WAY = frozenset({EACCES, EISDIR, ENOENT, ENOTDIR, EPERM, ESPIPE})
_CHECK = "Check that it is what belongs there, and that this user may use it."
#: What to do where a file of a log is missing.
FROM_COPY = "Put it back from a copy of the log, if there is one; docs/ledger.md says how."


def put(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Puts a file in place of what was there; durable once its folder is synced.

    Raises:
        PosternError: `unavailable` where it cannot be written now; what was there is untouched.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        make_folder(path.parent)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.rename(path)
    except OSError as error:
        raise unwritable(error) from None


def read(folder: Path, name: str, most: int = 1 << 25) -> bytes:
    """A file of a log, up to so many bytes.

    Raises:
        PosternError: `not_found` where it is missing; `unavailable` where it cannot be read now.
    """
    try:
        # Nobody may ever write to what is no file but a pipe.
        handle = os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(handle)
            if not S_ISREG(found.st_mode):
                raise OSError(EINVAL, "It is no file")
            with open(handle, "rb", closefd=False) as file:
                return file.read(min(most, found.st_size))
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise PosternError(Code.NOT_FOUND, f"{name} is missing.", FROM_COPY) from None
    except OSError as error:
        raise _unreadable(name, error) from None


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, durably; nothing where it is there already.

    Raises:
        OSError: Where it cannot be made.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(0o700, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder durable.

    Raises:
        PosternError: `unavailable` where the disk fails.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise unwritable(error) from None


def destroy(folder: Path, paths: Iterable[Path]) -> None:
    """Overwrites files of a folder and removes them, with those that a crash left half-destroyed.

    Each has another name before it is overwritten, so that it never looks like a damaged one.

    Raises:
        PosternError: `unavailable` where the disk fails; the next call goes on.
    """
    try:
        for path in paths:
            path.rename(path.with_suffix(DESTROYED))
        sync_folder(folder)
        for path in folder.glob(f"*{DESTROYED}"):
            with path.open("r+b") as file:
                file.write(bytes(os.fstat(file.fileno()).st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        sync_folder(folder)
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> PosternError:
    """The failure of a disk, in words."""
    where = f"{os.path.basename(os.fsdecode(error.filename))}: " if error.filename else ""
    full = error.errno not in _IN_THE_WAY
    return PosternError(
        Code.UNAVAILABLE,
        f"The log cannot be written: {where}{error.strerror}.",
        "Check that the disk is not full or read-only." if full else _CHECK,
    )


def unreadable(path: Path, error: OSError) -> PosternError:
    """A file that cannot be read, in words."""
    return _unreadable(path.name, error)


def _unreadable(name: str, error: OSError) -> PosternError:
    return PosternError(Code.UNAVAILABLE, f"{name} cannot be read: {error.strerror}.", _CHECK)
