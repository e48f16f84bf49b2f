"""The orders about access points that stand now, in memory: whoever asks waits for no disk.

1. What was read last counts until it can be read again.
2. Free flow ends by the calendar or by the clock that never jumps, whichever comes first: nobody
   keeps a door open by setting the calendar back.
"""

from collections.abc import Callable
from datetime import datetime
from math import inf
from threading import Event, Lock, Thread

from postern.core.access_point import AccessPoint
from postern.core.ids import CameraId, OrderId
from postern.core.mode import Mode, Order, mode_at
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.engine.ports import Observer, Orders
from postern.engine.supervise import shielded

#: Seconds between two looks.
PERIOD_S = 1.0
#: Seconds to wait for the thread at the end.
STOP_S = 1.5
#: Under which name it is told whether they can be read, and which are in force.
MODES = CameraId("modes")
#: Modes in which an access point is held open.
OPEN = frozenset({Mode.FREE_FLOW, Mode.EVACUATION})


class Standing:
    """Reads the orders again and again in a thread of its own.

    Args:
        orders: Where they are kept.
        clock: The two clocks.
        clock_trusted: Whether the calendar's time can be relied on.
        observer: Told which are in force, and where they cannot be read.
        period_s: Seconds between two looks.
    """

    def __init__(
        self,
        orders: Orders,
        clock: Clock,
        clock_trusted: Callable[[datetime], bool],
        observer: Observer,
        period_s: float = PERIOD_S,
    ) -> None:
        self._source = orders
        self._clock = clock
        self._clock_trusted = clock_trusted
        self._observer = observer
        self._period_s = period_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="modes", daemon=True)
        self._told = ("ok", _in_force(()))
        self._lock = Lock()  # Guards what follows.
        self._orders: tuple[Order, ...] = ()
        self._ends: dict[OrderId, float] = {}

    def start(self) -> None:
        """Reads them once, and then in a thread."""
        self._look()
        self._thread.start()

    def halt(self) -> None:
        """Tells the thread to end, without waiting."""
        self._stop.set()

    def join(self, timeout_s: float = STOP_S) -> None:
        """Waits until it has ended, for so many seconds at most."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def mode(self, access_point: AccessPoint, now: Moment) -> Mode:
        """The mode that an access point is in; at once."""
        with self._lock:
            orders = self._orders
            ended = {order for order, end_s in self._ends.items() if now.monotonic_s >= end_s}
        trusted = self._clock_trusted(now.utc)
        return mode_at(access_point, orders, now.utc, trusted=trusted, ended=ended)

    def opens(self, access_point: AccessPoint, now: Moment) -> bool:
        """Whether an access point is to be held open."""
        return self.mode(access_point, now) in OPEN

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            self._look()

    def _look(self) -> None:
        orders = shielded(self._source.orders, self._unreadable)
        if orders is None:
            return
        now = self._clock.now()
        with self._lock:
            self._orders = orders
            kept = {order.id for order in orders}
            self._ends = {id_: end_s for id_, end_s in self._ends.items() if id_ in kept}
            for order in orders:
                self._note_end(order, now)
            holding = tuple(order for order in orders if self._holds(order, now))
        self._tell("ok", _in_force(holding))

    def _note_end(self, order: Order, now: Moment) -> None:
        """Works out when free flow ends on the clock that never jumps, once the calendar tells."""
        known = order.id in self._ends or order.mode is not Mode.FREE_FLOW or order.until is None
        if not known and order.until and self._holds(order, now):
            left_s = (order.until - now.utc).total_seconds()
            self._ends[order.id] = now.monotonic_s + left_s

    def _holds(self, order: Order, now: Moment) -> bool:
        over = now.monotonic_s >= self._ends.get(order.id, inf)
        return not over and order.holds(now.utc, trusted=self._clock_trusted(now.utc))

    def _unreadable(self, why: str) -> None:
        self._tell("red", f"orders cannot be read, those that were read last count on: {why}")

    def _tell(self, state: str, sentence: str) -> None:
        if (state, sentence) != self._told:
            self._told = (state, sentence)
            shielded(lambda: self._observer.health(MODES, state, sentence), lambda _why: None)


def _in_force(orders: tuple[Order, ...]) -> str:
    """Which orders are in force, in one sentence."""
    said = [
        f"{one.mode} ({', '.join(sorted(one.access_points)) or 'everywhere'})" for one in orders
    ]
    return f"in force: {'; '.join(said)}" if said else "no order is in force"
