"""Work that nobody on the way out may have to wait for.

It is done in order, in a thread of its own. Whoever asked waits for a while, and then goes on
without the answer; what was begun is finished when it can be.
"""

from collections.abc import Callable
from queue import Full, Queue
from threading import Event, Lock, Thread
from typing import TypeVar

#: Seconds that somebody before an exit hardly notices.
PATIENCE_S = 1.0
#: What may wait to be done. A disk that hangs for as long as it takes to fill this keeps the rest
#: from being recorded, but nobody from leaving.
MOST = 1000
T = TypeVar("T")


class Aside:
    """One thing after the other, aside; for any number of callers.

    Args:
        patience_s: Seconds to wait for an answer.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._queue: Queue[Callable[[], None]] = Queue(MOST)
        self._lock = Lock()  # Guards what follows.
        self._thread: Thread | None = None
        self._overdue: Event | None = None

    def do(self, work: Callable[[], T], late: Callable[[], T]) -> T:
        """What `work` gives or, where that takes too long, what `late` gives.

        Behind something that took too long nothing is waited for any more until that is done.

        Args:
            work: Must not raise.
            late: Likewise, and at once.
        """
        done, found = Event(), list[T]()

        def run() -> None:
            try:
                found.append(work())
            finally:
                done.set()

        with self._lock:
            held_up = self._overdue is not None and not self._overdue.is_set()
            try:
                self._queue.put_nowait(run)
            except Full:
                return late()
            self._begin()
        if not done.wait(0.0 if held_up else self._patience_s):
            with self._lock:
                self._overdue = done
        return found[0] if found else late()

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="aside", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._queue.get()()
