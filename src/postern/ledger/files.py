"""Files that appear whole or not at all, and stay."""

import os
from collections.abc import Iterable
from pathlib import Path

from postern.core.errors import Code, PosternError

#: What a file is called until it is whole. One that a crash left behind is overwritten.
DRAFT = ".new"
#: What a file is called that is being destroyed. One that a crash left behind is destroyed next.
DESTROYED = ".destroyed"


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
        with (folder / name).open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise PosternError(Code.NOT_FOUND, f"{name} is missing.") from None
    except OSError as error:
        raise PosternError(Code.UNAVAILABLE, f"{name} cannot be read: {error.strerror}.") from None


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
    return PosternError(
        Code.UNAVAILABLE,
        f"The log cannot be written: {error.strerror}.",
        "Check that the disk is not full or read-only.",
    )


def unreadable(path: Path, error: OSError) -> PosternError:
    """A file that cannot be read, in words."""
    return PosternError(Code.UNAVAILABLE, f"{path.name} cannot be read: {error.strerror}.")
