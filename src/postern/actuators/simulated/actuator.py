"""A door or barrier that exists in memory only, and can be told to fail."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from postern.actuators.once import REMEMBERED, Once
from postern.core.moment import Moment
from postern.core.ports import Clock, Command, Report


class Fault(StrEnum):
    """How a pulse can fail: both look alike to whoever sent it."""

    FAILED = "failed"
    FAILED_AFTER_EFFECT = "failed_after_effect"


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing about it can be set."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One time it was driven.

    Attributes:
        command: What asked for it.
        opened: When it began.
        until: When it ends by itself.
    """

    command: Command
    opened: Moment
    until: Moment


def no_fault(_command: Command) -> Fault | None:
    """Never fails."""
    return None


class SimulatedActuator:
    """Opens for as long as a command says; the passing of time closes it.

    Whether it is open is worked out from the clock whenever somebody asks: there is nothing to
    switch off, so nothing can be left open. May be used from several threads; `_lock` guards the
    history.

    Args:
        clock: The two clocks.
        faults: Says how each new command shall fail, if at all.
    """

    def __init__(self, clock: Clock, faults: Callable[[Command], Fault | None] = no_fault) -> None:
        self._clock = clock
        self._faults = faults
        self._lock = Lock()
        self._once = Once(self._driven)
        self._pulses: deque[Pulse] = deque(maxlen=REMEMBERED)

    @property
    def pulses(self) -> tuple[Pulse, ...]:
        """The last times it was driven, oldest first; `REMEMBERED` at most."""
        with self._lock:
            return tuple(self._pulses)

    @property
    def opened_until(self) -> Moment | None:
        """When it closes by itself; None while it is closed."""
        now = self._clock.now()
        ends = [pulse.until for pulse in self.pulses if pulse.until.since(now) > 0.0]
        return max(ends, key=lambda until: until.monotonic_s, default=None)

    def pulse(self, command: Command) -> Report:
        """Opens for `command.hold_s` and returns at once; never raises."""
        return self._once.pulse(command)

    def close(self) -> None:
        """Does nothing: there is no device."""

    def _driven(self, command: Command) -> Report:
        fault = self._faults(command)
        if fault is not Fault.FAILED:
            now = self._clock.now()
            with self._lock:
                self._pulses.append(Pulse(command, now, now.plus(command.hold_s)))
        if fault is not None:
            return Report(False, "The simulated actuator did not answer.")
        return Report(True, f"The simulated actuator opened for {command.hold_s:g} s.")


def open_actuator(_config: Config, clock: Clock, _tell: object) -> SimulatedActuator:
    """One that never fails."""
    return SimulatedActuator(clock)
