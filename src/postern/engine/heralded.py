"""An actuator that leaves word of every pulse, so that a door which opens then is not forced.

Access points may share one: whoever stands beside any of them hears of each pulse, and while one of
them is held open no pulse for another, nor one of its own, may end that early: a device that times
pulses goes by the last.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from postern.core.ids import AccessPointId
from postern.core.moment import Moment
from postern.core.ports import Actuator, Clock, Command, Report

#: Pulses of which nobody took note yet; what is older lets nobody open a door any more.
MOST = 100


@dataclass(frozen=True, slots=True)
class Pulsed:
    """A pulse.

    Attributes:
        at: When.
        done: False just before it is driven, True once the device says that it was.
    """

    at: Moment
    done: bool


class Ear:
    """Hears of the pulses of one actuator."""

    def __init__(self) -> None:
        self._pulses: deque[Pulsed] = deque(maxlen=MOST)

    def hear(self, pulse: Pulsed) -> None:
        """Takes a pulse."""
        self._pulses.append(pulse)

    def take(self, note: Callable[[Pulsed], None]) -> None:
        """Tells every pulse that was not told yet, in order."""
        while self._pulses:
            note(self._pulses.popleft())


class Heralded:
    """Implements `Actuator` by another; may be used from any thread.

    Args:
        actuator: What drives.
        clock: The two clocks.
        held_s: For how long a pulse lasts by which it is held open, in seconds.
    """

    def __init__(self, actuator: Actuator, clock: Clock, held_s: float) -> None:
        self._actuator = actuator
        self._clock = clock
        self._held_s = held_s
        self._lock = Lock()  # Guards the changes of the next two, which are replaced as a whole.
        self._ears: tuple[Ear, ...] = ()
        self._holding: frozenset[AccessPointId] = frozenset()

    def listen(self) -> Ear:
        """What hears of every pulse from now on."""
        with self._lock:
            self._ears = (*self._ears, ear := Ear())
        return ear

    def holding(self, access_point: AccessPointId, held: bool) -> None:
        """Takes whether an access point is held open by it."""
        with self._lock:
            self._holding = self._holding - {access_point} | ({access_point} if held else set())

    def pulse(self, command: Command) -> Report:
        """See `Actuator.pulse`. Word is left first: the door may be open before the answer is."""
        self._tell(False)
        if self._holding:
            command = replace(command, hold_s=max(command.hold_s, self._held_s))
        report = self._actuator.pulse(command)
        if report.done:
            self._tell(True)
        return report

    def hold(self, command: Command) -> Report:
        """Drives it without word: whoever holds it open knows."""
        hold_s = max(command.hold_s, self._held_s)
        return self._actuator.pulse(replace(command, hold_s=hold_s))

    def close(self) -> None:
        """See `Actuator.close`."""
        self._actuator.close()

    def _tell(self, done: bool) -> None:
        pulse = Pulsed(self._clock.now(), done)
        for ear in self._ears:
            ear.hear(pulse)
