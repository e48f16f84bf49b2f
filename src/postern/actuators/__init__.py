"""What moves doors and barriers: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from postern.actuators.simulated.actuator import Config as SimulatedConfig
from postern.actuators.simulated.actuator import SimulatedActuator
from postern.core.ports import Actuator, Clock

C = TypeVar("C")
#: Told the device's state (`ok` or `red`) and one sentence, whenever that changes.
Tell = Callable[[str, str], None]


class Timer(StrEnum):
    """What ends a pulse where this process dies meanwhile."""

    DEVICE = "device"
    WATCHDOG = "watchdog"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of actuator.

    Attributes:
        config: What an operator says about it: a frozen dataclass of plain fields that checks
            itself.
        open: Makes the actuator; it reaches for its device when it is first driven.
        timer: What ends its pulses, as it is configured.
    """

    config: type[C]
    open: Callable[[C, Clock, Tell], Actuator]
    timer: Callable[[C], Timer]


KINDS: Mapping[str, Kind[Any]] = {
    "simulated": Kind(
        SimulatedConfig,
        lambda _config, clock, _tell: SimulatedActuator(clock),
        lambda _config: Timer.DEVICE,
    ),
}
