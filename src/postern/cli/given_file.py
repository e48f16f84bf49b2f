"""A file that somebody names to have it checked."""

import os
import stat
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid


def read_given(path: Path, most: int, hint: str) -> bytes:
    """What is in a file, up to so many bytes.

    Args:
        path: The file.
        most: Bytes.
        hint: What to name instead of what is no file.

    Raises:
        PosternError: `not_found` where there is none; `invalid` for a folder, a pipe or a device;
            `unavailable` where it cannot be read now.
    """
    try:
        # Whoever opens a pipe would wait for its other end.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise PosternError(Code.NOT_FOUND, f"There is no file {path}.", hint) from None
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"{path} cannot be read: {error.strerror}.", hint
        ) from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise invalid(f"{path} is a folder.", hint)
        if not stat.S_ISREG(mode):
            raise invalid(f"{path} is no regular file.", hint)
        with open(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)
