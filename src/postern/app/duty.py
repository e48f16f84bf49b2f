"""One service for a site: two would each open for the same passer-by."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError

DUTY_FILE = "service.lock"


@contextmanager
def on_duty(folder: Path) -> Iterator[None]:
    """Holds the site in that folder; whoever dies lets go of it.

    Raises:
        PosternError: `conflict` where another process holds it; `unavailable` where the lock's
            file cannot be opened.
    """
    try:
        handle = os.open(folder / DUTY_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The site's folder cannot be used: {error.strerror}.",
            f"Check that this user may write to {folder}.",
        ) from None
    try:
        _hold(handle)
        yield
    finally:
        os.close(handle)


def _hold(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise PosternError(
            Code.CONFLICT,
            "Another Postern is serving this site already.",
            "Stop it first; two would both open for whoever comes.",
        ) from None
