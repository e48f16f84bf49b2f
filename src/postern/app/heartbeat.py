"""The service's own look at itself, every second: whether its lanes get on, and how they are."""

from collections.abc import Callable
from threading import Event, Thread

from postern.app.notify import Manager
from postern.engine.supervise import shielded

#: Seconds between two looks. A manager's watchdog waits for several of them at least.
PERIOD_S = 1.0
#: Seconds for the last look to end.
_STOP_S = 2.0


class Heartbeat:
    """Tells the service manager that the service is alive for as long as it is, and no longer.

    Args:
        alive: Whether every lane gets on, or is known to be down.
        status: How the service is, in one line.
        manager: Who is told.
        besides: What is looked at as well each time; it may fail.
        period_s: Seconds between two looks.
    """

    def __init__(
        self,
        alive: Callable[[], bool],
        status: Callable[[], str],
        manager: Manager,
        besides: Callable[[], object] = lambda: None,
        period_s: float = PERIOD_S,
    ) -> None:
        self._alive = alive
        self._status = status
        self._manager = manager
        self._besides = besides
        self._period_s = period_s
        self._stop = Event()
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Says that the service is ready, and begins to look."""
        self._manager.ready()
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._stop.set()
        self._thread.join(_STOP_S)

    def _beat(self) -> None:
        while not self._stop.is_set():
            shielded(self._besides, lambda _why: None)
            # Whoever cannot tell whether the lanes get on does not say so.
            alive = shielded(self._alive, lambda _why: False)
            status = shielded(self._status, lambda why: why)
            (self._manager.alive if alive else self._manager.status)(status)
            self._stop.wait(self._period_s)
