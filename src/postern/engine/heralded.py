"""An actuator that leaves word of every pulse, so that a door which opens then is not forced."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

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


class Heralded:
    """Implements `Actuator` by another; may be used from any thread.

    Args:
        actuator: What drives.
        clock: The two clocks.
    """

    def __init__(self, actuator: Actuator, clock: Clock) -> None:
        self._actuator = actuator
        self._clock = clock
        self._pulses: deque[Pulsed] = deque(maxlen=MOST)

    def pulse(self, command: Command) -> Report:
        """See `Actuator.pulse`. Word is left first: the door may be open before the answer is."""
        self._pulses.append(Pulsed(self._clock.now(), False))
        report = self._actuator.pulse(command)
        if report.done:
            self._pulses.append(Pulsed(self._clock.now(), True))
        return report

    def hold(self, command: Command) -> Report:
        """Drives it without word: whoever holds it open knows."""
        return self._actuator.pulse(command)

    def close(self) -> None:
        """See `Actuator.close`."""
        self._actuator.close()

    def take(self, note: Callable[[Pulsed], None]) -> None:
        """Tells every pulse that was not told yet, in order."""
        while self._pulses:
            note(self._pulses.popleft())
