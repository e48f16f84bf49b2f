"""What moves doors and barriers: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from postern.actuators.simulated.actuator import Config as SimulatedConfig
from postern.actuators.simulated.actuator import SimulatedActuator
from postern.core.ports import Actuator, Clock

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of actuator.

    Attributes:
        config: What an operator says about it: a frozen dataclass of plain fields that checks
            itself.
        open: Makes the actuator; it reaches for its device when it is first driven.
    """

    config: type[C]
    open: Callable[[C, Clock], Actuator]


KINDS: Mapping[str, Kind[Any]] = {
    "simulated": Kind(SimulatedConfig, lambda _config, clock: SimulatedActuator(clock)),
}
