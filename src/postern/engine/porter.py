"""Who stands beside a door: hears its inputs, opens for the button, holds it open, tells alarms.

1. Nothing here keeps anybody from leaving. An input that is dead is red and blocks nobody.
2. A button that was seen to be pressed opens, as a release by it.
3. By fire it is held open without asking any disk; whoever is inside does not wait for a record.
   If the panel's input dies meanwhile it stays held until the panel is heard again.
4. It is held open by pulses that end by themselves a few seconds after the last: when this process
   dies, it shuts.
5. An alarm is recorded and told; a record that fails or hangs holds up neither the next.
"""

from collections.abc import Callable
from threading import Event, Lock, Thread
from uuid import uuid4

from postern.core.access_point import AccessPoint
from postern.core.alarm import Alarm
from postern.core.event import Alarmed
from postern.core.moment import Moment
from postern.core.ports import Clock, Command, Ledger, Report
from postern.core.signal import Means, Signal
from postern.engine.aside import Aside
from postern.engine.heralded import Heralded, Pulsed
from postern.engine.lane import Lane
from postern.engine.opening import Change, Limits, Opening
from postern.engine.supervise import shielded

#: Seconds between two looks at what is due.
TICK_S = 0.25
#: Seconds that a pulse lasts by which it is held open, and after which the next is driven: two may
#: fail before it shuts.
HELD_S, AGAIN_S = 6.0, 2.0
#: Seconds to wait for the thread at the end; an actuator takes one at most.
STOP_S = 1.5
#: Who opens when the button is pressed.
BUTTON = "request_to_exit"


class Porter:
    """Stands beside one access point; its methods may be called from any thread.

    Args:
        lane: The access point's lane.
        actuator: What opens it.
        ledger: Where alarms are recorded.
        clock: The two clocks.
        wanted: Whether it is to be held open now, by order. Must answer at once.
    """

    def __init__(
        self,
        lane: Lane,
        actuator: Heralded,
        ledger: Ledger,
        clock: Clock,
        wanted: Callable[[Moment], bool] = lambda now: False,
    ) -> None:
        self._lane = lane
        self._place = lane.access_point
        self._actuator = actuator
        self._pulses = actuator.listen()
        self._ledger = ledger
        self._clock = clock
        self._wanted = wanted
        self._aside = Aside(patience_s=0.0)
        self._wake = Event()
        self._stop = Event()
        self._thread = Thread(target=self._attend, name=f"{self._place.id}-porter", daemon=True)
        self._lock = Lock()  # Guards what follows.
        self._opening = Opening(_limits(self._place))
        self._fires: set[str] = set()
        # These two belong to the porter's own thread.
        self._driven: Moment | None = None
        self._fault = ""

    @property
    def access_point(self) -> AccessPoint:
        """Where."""
        return self._place

    @property
    def holding(self) -> bool:
        """Whether it is held open now."""
        return self._driven is not None

    def start(self) -> None:
        """Starts the porter's thread."""
        self._thread.start()

    def halt(self) -> None:
        """Tells the thread to end, without waiting."""
        self._stop.set()
        self._wake.set()

    def join(self, timeout_s: float = STOP_S) -> None:
        """Waits until it has ended, for so many seconds at most."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def hear(self, name: str, means: Means, signal: Signal) -> None:
        """Takes what an input says. For a button it opens, and so may take seconds."""
        if means is Means.FIRE:
            self._hear_fire(name, signal.active)
            return
        with self._lock:
            self._take_pulses()
            self._tell(self._opening.heard(name, means, signal, self._clock.now()))
        if means is Means.REQUEST_TO_EXIT and signal.active and signal.live:
            self._lane.release(BUTTON, f"the button {name}", leaving=True)

    def lose(self, name: str, means: Means) -> None:
        """Takes that an input says nothing any more."""
        with self._lock:
            self._tell(self._opening.lost(name, means, self._clock.now()))

    def _hear_fire(self, name: str, active: bool) -> None:
        with self._lock:
            before = bool(self._fires)
            self._fires = self._fires | {name} if active else self._fires - {name}
            if before is not bool(self._fires):
                self._tell((Change(Alarm.FIRE, over=before),))
        self._wake.set()

    def _attend(self) -> None:
        while not self._stop.is_set():
            shielded(self._look, self._holding)
            self._wake.wait(TICK_S)
            self._wake.clear()

    def _look(self) -> None:
        """Does what is due."""
        now = self._clock.now()
        with self._lock:
            fire = bool(self._fires) and self._place.opens_in_evacuation
            held = fire or self._wanted(now)
            self._take_pulses()
            self._tell(self._opening.held(held, now))
        self._actuator.holding(self._place.id, held)
        if not held:
            self._driven = None
            self._holding("")
        elif self._driven is None or now.since(self._driven) >= AGAIN_S:
            self._driven = now
            self._hold()

    def _hold(self) -> None:
        """Drives one of the pulses that hold it open."""
        command = Command(f"hold-{uuid4().hex}", self._place.id, self._place.hold_s)
        report = shielded(
            lambda: self._actuator.hold(command), lambda why: Report(False, why or "it failed")
        )
        self._holding("" if report.done else report.detail)

    def _holding(self, fault: str) -> None:
        """Tells whether it can be held open, where that changes."""
        if fault != self._fault:
            self._fault = fault
            self._lane.held(fault)

    def _take_pulses(self) -> None:
        def note(pulse: Pulsed) -> None:
            if pulse.done:
                self._opening.driven()
            else:
                self._opening.allowed(pulse.at)

        self._pulses.take(note)

    def _tell(self, changes: tuple[Change, ...]) -> None:
        """Has changes recorded and told, in order and without waiting."""
        for change in changes:
            self._lane.alarm(change.alarm, over=change.over)
            event = Alarmed(self._clock.now().utc, self._place.id, change.alarm, change.over)
            self._aside.do(lambda event=event: self._record(event), lambda: None)  # type: ignore[misc]

    def _record(self, event: Alarmed) -> None:
        def kept() -> None:
            self._ledger.append(event)

        what = f"the alarm {event.alarm} is not recorded"
        shielded(kept, lambda why: self._lane.unrecorded(f"{what}: {why}"))


def _limits(place: AccessPoint) -> Limits:
    return Limits(place.hold_s, place.opens_within_s, place.held_open_s)
