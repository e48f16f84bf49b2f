"""One service for a site: two would each open for the same passer-by. And one re-keying."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError

DUTY_FILE = "service.lock"


_SERVED = PosternError(
    Code.CONFLICT,
    "Another Postern is serving this site already.",
    "Stop it first: this cannot be done beside it.",
)


def on_duty(folder: Path) -> AbstractContextManager[None]:
    """Holds the site in that folder; whoever dies lets go of it.

    Raises:
        PosternError: `conflict` where another process holds it; `unavailable` where the lock's
            file cannot be opened.
    """
    return alone(folder / DUTY_FILE, _SERVED)


@contextmanager
def alone(path: Path, taken: PosternError) -> Iterator[None]:
    """Holds a lock's file; whoever dies lets go of it.

    Args:
        path: The file, made if there is none.
        taken: What is raised where another process holds it.

    Raises:
        PosternError: `taken`; `unavailable` where the file cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The site's folder cannot be used: {error.strerror}.",
            f"Check that this user may write to {path.parent}.",
        ) from None
    try:
        _hold(handle, taken)
        yield
    finally:
        os.close(handle)


def _hold(handle: int, taken: PosternError) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise taken from None
