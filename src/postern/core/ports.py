"""What the engine needs from the outside, each port as small as it can be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from postern.core.event import Event
from postern.core.ids import AccessPointId, EventId
from postern.core.moment import Moment
from postern.core.signal import Signal


class Clock(Protocol):
    """The two clocks."""

    def now(self) -> Moment:
        """The present moment."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One order to an actuator.

    Attributes:
        id: The same id opens once, however often it is sent.
        access_point: Which one.
        hold_s: For how long to drive it, in seconds.
    """

    id: str
    access_point: AccessPointId
    hold_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an actuator made of a command.

    Attributes:
        done: Whether it was driven, as far as the device says.
        detail: One sentence for the event and the operator.
    """

    done: bool
    detail: str


class Actuator(Protocol):
    """What moves a door or barrier."""

    def pulse(self, command: Command) -> Report:
        """Drives it once for `command.hold_s` and returns at once.

        The device, or a watchdog of the actuator's own, ends the pulse, also when this process
        dies. A failure is a report, never an exception. Somebody waits at the gate: it takes a
        second at most.
        """
        ...

    def close(self) -> None:
        """Lets go of the device; what is still driven is ended. Safe to call twice."""
        ...


class Input(Protocol):
    """A contact, loop, button or fire panel, or what stands in for one."""

    def signals(self) -> Iterator[Signal | None]:
        """The present state as soon as it is known, then every change, until `close` is called.

        None comes before it where the device is reached and has not said anything yet.

        After an error it may be called again, and begins with the present state again.

        Raises:
            PosternError: `unavailable` where the device cannot be reached now or gives no sense.
        """
        ...

    def close(self) -> None:
        """Ends `signals` within a second, from any thread; safe to call twice."""
        ...


class Ledger(Protocol):
    """Where events become durable."""

    def append(self, event: Event) -> EventId:
        """Keeps the event; when this returns, it survives a power cut.

        Raises:
            PosternError: `unavailable` where it cannot be made durable now.
        """
        ...
