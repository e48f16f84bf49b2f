"""A door behind OSDP: driven as a panel drives it, or asked for as a reader asks a panel."""

from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic
from typing import assert_never

from osdp import CardFormat, Event
from osdp import Command as OsdpCommand

from postern.actuators.once import Once
from postern.actuators.osdp.config import MOST_STEPS, STEP_S, Config, Role
from postern.actuators.osdp.key import read_key
from postern.actuators.osdp.line import Line, open_line
from postern.actuators.osdp.link import Link
from postern.actuators.osdp.side import Message, PanelSide, ReaderSide, Side
from postern.core.ports import Clock, Command, Report

#: Seconds; the port `Actuator` promises no more.
ANSWER_S = 1.0
#: The control code of an output that comes on at once and goes back by itself after the time that
#: travels along, in steps of 100 ms (OSDP 2.2, osdp_OUT).
_ON_FOR_A_TIME = 5
#: It goes off at once, whatever time was running.
_OFF = 1


class OsdpActuator:
    """Opens by a message on a secure channel; whoever takes it ends the pulse.

    Args:
        config: What an operator says about it.
        link: The secure channel.
    """

    def __init__(self, config: Config, link: Link) -> None:
        self._config = config
        self._link = link
        self._once = Once(self._driven)
        self._lock = Lock()  # Guards the next.
        self._until_s = 0.0  # When the output that was driven last goes back, on our clock.

    def pulse(self, command: Command) -> Report:
        """See `postern.core.ports.Actuator.pulse`."""
        return self._once.pulse(command)

    def close(self) -> None:
        """See `postern.core.ports.Actuator.close`; a panel's door is the panel's to shut."""
        with self._lock:
            driven, self._until_s = self._until_s > monotonic(), 0.0
        if driven:
            self._link.send(output(self._config.output, _OFF, 0), ANSWER_S)
        self._link.close()

    def _driven(self, command: Command) -> Report:
        match self._config.role:
            case Role.PANEL:
                return self._output(command.hold_s)
            case Role.READER:
                failure = self._link.send(card_read(self._config), ANSWER_S)
                return Report(not failure, failure or "The panel took the card.")
            case _:
                assert_never(self._config.role)

    def _output(self, hold_s: float) -> Report:
        with self._lock:
            # A device begins its time anew with every command: a longer one is not cut short.
            left_s = max(hold_s, self._until_s - monotonic())
        number, steps = self._config.output, ceil(round(left_s / STEP_S, 6))
        if steps > MOST_STEPS:
            most_s = MOST_STEPS * STEP_S
            return Report(False, f"An output is driven over OSDP for at most {most_s:g} seconds.")
        with self._lock:
            self._until_s = monotonic() + steps * STEP_S
        failure = self._link.send(output(number, _ON_FOR_A_TIME, steps), ANSWER_S)
        driven = f"The device drives output {number} for {steps * STEP_S:g} s."
        return Report(not failure, failure or driven)


def output(number: int, code: int, steps: int) -> Message:
    """What a device is told to do with an output, and for how many steps."""
    return {
        "command": OsdpCommand.Output,
        "output_no": number,
        "control_code": code,
        "timer_count": steps,
    }


def card_read(config: Config) -> Message:
    """What a panel is told: a card was shown at its reader."""
    card = config.shown()
    return {
        "event": Event.CardRead,
        "reader_no": 0,
        "direction": 0,
        "format": CardFormat.Wiegand,
        "length": card.length,
        "data": card.data,
    }


def open_actuator(config: Config, _clock: Clock, tell: Callable[[str, str], None]) -> OsdpActuator:
    """The actuator, which begins to reach for the other side: a secure channel takes its time."""
    panel = config.role is Role.PANEL
    place = f"at address {config.pd_address} of {config.port}"
    name = f"the device {place}" if panel else f"the panel of the reader {place}"
    side: type[PanelSide] | type[ReaderSide] = PanelSide if panel else ReaderSide

    def made(line: Line) -> Side:
        return side(line, config.pd_address, read_key(config.key_file))

    link = Link(name, lambda: open_line(config.port, config.baud), made, tell, persists=not panel)
    link.start()
    return OsdpActuator(config, link)
