"""Where contacts, loops, buttons and fire panels are read: one folder and one row per kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from postern.core.ports import Clock, Input
from postern.later import later
from postern.sources.inputs.modbus.config import Config as ModbusConfig
from postern.sources.inputs.mqtt.config import Config as MqttConfig
from postern.sources.inputs.shelly.config import Config as ShellyConfig

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of input.

    Attributes:
        config: What an operator says about it: a frozen dataclass of plain fields that checks
            itself.
        open: Makes the input, which is told its name. Nothing is reached for before its `signals`
            is iterated.
    """

    config: type[C]
    open: Callable[[C, str, Clock], Input]


KINDS: Mapping[str, Kind[Any]] = {
    "modbus": Kind(ModbusConfig, later("postern.sources.inputs.modbus.input", "ModbusInput")),
    "mqtt": Kind(MqttConfig, later("postern.sources.inputs.mqtt.input", "MqttInput")),
    "shelly": Kind(ShellyConfig, later("postern.sources.inputs.shelly.input", "ShellyInput")),
}
