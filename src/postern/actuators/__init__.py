"""What moves doors and barriers: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Generic, TypeVar

from postern.actuators.modbus.config import Config as ModbusConfig
from postern.actuators.mqtt.config import Config as MqttConfig
from postern.actuators.osdp.config import Config as OsdpConfig
from postern.actuators.shelly.config import Config as ShellyConfig
from postern.actuators.simulated.actuator import Config as SimulatedConfig
from postern.actuators.webhook.config import Config as WebhookConfig
from postern.core.ports import Actuator, Clock

C = TypeVar("C")
#: Told the device's state (`ok` or `red`) and one sentence, whenever that changes.
Tell = Callable[[str, str], None]
Open = Callable[[C, Clock, Tell], Actuator]


class Timer(StrEnum):
    """What ends a pulse where this process dies meanwhile."""

    DEVICE = "device"
    WATCHDOG = "watchdog"
    BROKER = "broker"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of actuator.

    Attributes:
        config: What an operator says about it: a frozen dataclass of plain fields that checks
            itself.
        open: Makes the actuator. It reaches for its device in threads and processes of its own, or
            when it is first driven: whoever opens it does not wait.
        timer: What ends its pulses, as it is configured.
    """

    config: type[C]
    open: Open[C]
    timer: Callable[[C], Timer]


def _later(module: str) -> Open[Any]:
    """`open_actuator` of a kind's module, which is loaded when it is first needed.

    A site pays for the libraries of the kinds that it has; a watchdog process, which is to be
    small, for those of its relay.
    """

    def opened(config: object, clock: Clock, tell: Tell) -> Actuator:
        actuator: Actuator = import_module(module).open_actuator(config, clock, tell)
        return actuator

    return opened


KINDS: Mapping[str, Kind[Any]] = {
    "modbus": Kind(
        ModbusConfig,
        _later("postern.actuators.modbus.actuator"),
        lambda config: Timer(str(config.pulse)),
    ),
    "mqtt": Kind(
        MqttConfig,
        _later("postern.actuators.mqtt.actuator"),
        # Else the broker ends it, by our last will.
        lambda config: Timer.DEVICE if config.timed_by_device else Timer.BROKER,
    ),
    "osdp": Kind(
        OsdpConfig,
        _later("postern.actuators.osdp.actuator"),
        # A device counts the time of its output; a panel times the door.
        lambda _config: Timer.DEVICE,
    ),
    "shelly": Kind(
        ShellyConfig,
        _later("postern.actuators.shelly.actuator"),
        lambda _config: Timer.DEVICE,
    ),
    "simulated": Kind(
        SimulatedConfig,
        _later("postern.actuators.simulated.actuator"),
        lambda _config: Timer.DEVICE,
    ),
    "webhook": Kind(
        WebhookConfig,
        _later("postern.actuators.webhook.actuator"),
        lambda _config: Timer.DEVICE,
    ),
}
