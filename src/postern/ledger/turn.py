"""Taking turns: one at a time, among the threads of a process and among processes."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from postern.core.errors import Code, PosternError
from postern.ledger.files import unwritable

_PATIENCE_S = 5.0
_PAUSE_S = 0.0002


class Turn:
    """What only one may do at a time. A process that dies gives its turn up.

    Args:
        path: The file that processes lock; made where it is missing, and always empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: Held by the thread whose turn it is; enough for what no other process can see.
        self.threads = Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Waits for the turn and has it until the end of the block; not to be nested.

        Raises:
            PosternError: `unavailable` where it does not come within five seconds.
        """
        until_s = time.monotonic() + _PATIENCE_S
        if not self.threads.acquire(timeout=_PATIENCE_S):
            raise _busy()
        try:
            handle = self._open()
            try:
                _lock(handle, until_s)
                yield
            finally:
                os.close(handle)
        finally:
            self.threads.release()

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unwritable(error) from None


def _lock(handle: int, until_s: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Pauses take longer than asked for: the clock says when patience is at an end.
            if time.monotonic() >= until_s:
                raise _busy() from None
            time.sleep(_PAUSE_S)
        except OSError as error:
            raise unwritable(error) from None
        else:
            return


def _busy() -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, "Another program is writing to the log.", "Try again in a moment."
    )
