"""A door or barrier that exists in memory only, and can be told to fail."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from postern.core.moment import Moment
from postern.core.ports import Clock, Command, Report

#: Commands. Ids of older ones are forgotten; a command is repeated within seconds or never.
REMEMBERED = 1024
#: Seconds; what `AccessPoint.hold_s` allows. A command is checked again where it takes effect.
MAX_HOLD_S = 60.0


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
    reports and the history.

    Args:
        clock: The two clocks.
        faults: Says how each new command shall fail, if at all.
    """

    def __init__(self, clock: Clock, faults: Callable[[Command], Fault | None] = no_fault) -> None:
        self._clock = clock
        self._faults = faults
        self._lock = Lock()
        self._reports: OrderedDict[str, Report] = OrderedDict()
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
        """Opens for `command.hold_s` and returns at once; never raises.

        A command id that came before gives the report of that time and opens nothing, whether it
        failed or not: after a failure nobody can tell whether it took effect.
        """
        with self._lock:
            if command.id in self._reports:
                return self._reports[command.id]
            report = self._driven(command)
            self._reports[command.id] = report
            if len(self._reports) > REMEMBERED:
                self._reports.popitem(last=False)
            return report

    def close(self) -> None:
        """Does nothing: there is no device."""

    def _driven(self, command: Command) -> Report:
        if not 0.0 < command.hold_s <= MAX_HOLD_S:
            return Report(False, f"A pulse lasts more than 0 and at most {MAX_HOLD_S:.0f} seconds.")
        fault = self._faults(command)
        if fault is not Fault.FAILED:
            now = self._clock.now()
            self._pulses.append(Pulse(command, now, now.plus(command.hold_s)))
        if fault is not None:
            return Report(False, "The simulated actuator did not answer.")
        return Report(True, f"The simulated actuator opened for {command.hold_s:g} s.")
