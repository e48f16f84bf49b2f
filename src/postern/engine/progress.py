"""Whether the threads that serve a lane get on, so that one that never will again is found out.

1. A thread says `step` whenever it gets on. One that has not for too long is stuck.
2. One that waits for something outside, a disk above all, is not: a start would need the same
   disk, and until it answered nobody could leave. That it waits for long is told all the same.
3. Nor is one that waits for another of its lane which waits outside.
4. One that is known to be down, or has ended, says `rest` and is not waited for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, get_ident
from time import monotonic

#: Seconds. A look takes less than one, an actuator's answer too, and a camera that gives no picture
#: is told after ten; on a machine that is overloaded each waits for its turn besides.
STUCK_S = 30.0
#: Seconds that a disk may take before it is told.
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a thread stands: since when, and whether it waits for something outside."""

    since_s: float
    outside: bool = False


class Progress:
    """The threads of one lane, with those of its cameras. Usable from any thread.

    Args:
        now_s: The monotonic clock, in seconds.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._lock = Lock()  # Guards the next.
        self._threads: dict[int, _Stand] = {}

    def step(self) -> None:
        """This thread has got on; from now on it is waited for."""
        with self._lock:
            self._threads[get_ident()] = _Stand(self._now_s())

    def rest(self) -> None:
        """This thread is down, and that is known, or it has ended: it is not waited for."""
        with self._lock:
            self._threads.pop(get_ident(), None)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """This thread waits for something outside; where nobody waits for it, that is nothing."""
        here = get_ident()
        with self._lock:
            known = here in self._threads
            if known:
                self._threads[here] = _Stand(self._now_s(), outside=True)
        try:
            yield
        finally:
            if known:
                self.step()

    def stuck_s(self) -> float:
        """For how many seconds the thread that is longest at one step has been; 0 where one of
        them waits outside, or none is waited for."""
        inside, outside = self._waits()
        return 0.0 if outside else max(inside, default=0.0)

    def outside_s(self) -> float:
        """For how many seconds something outside has not answered; 0 where none waits for it."""
        return max(self._waits()[1], default=0.0)

    def _waits(self) -> tuple[list[float], list[float]]:
        """Seconds of every thread at its step, and of every one that waits outside."""
        with self._lock:
            now_s, stands = self._now_s(), list(self._threads.values())
        return (
            [now_s - stand.since_s for stand in stands if not stand.outside],
            [now_s - stand.since_s for stand in stands if stand.outside],
        )
