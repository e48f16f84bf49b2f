"""The socket in a site's folder, where its service answers the other programs of the machine."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from postern.core.errors import Code, PosternError

LIVE_SOCKET = "live.sock"
_BACKLOG = 16


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """The socket, while the service runs; only one service has the folder.

    Raises:
        PosternError: `unavailable` where it cannot be made.
    """
    with socket.socket(socket.AF_UNIX) as taken, reachable(folder) as path:
        try:
            with suppress(FileNotFoundError):
                os.unlink(path)  # Of a service that was killed.
            taken.bind(path)
            os.chmod(path, 0o600)
            taken.listen(_BACKLOG)
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE,
                f"The service cannot be asked what happens: {error.strerror}.",
                f"Check that this user may write to {folder}.",
            ) from None
        try:
            yield taken
        finally:
            with suppress(OSError):
                os.unlink(path)


@contextmanager
def reachable(folder: Path) -> Iterator[str]:
    """The path of the socket, which stays short: the system takes about a hundred bytes."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{LIVE_SOCKET}"
    finally:
        os.close(handle)
