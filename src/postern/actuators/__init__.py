"""What moves doors and barriers: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from postern.actuators.modbus.config import Config as ModbusConfig
from postern.actuators.mqtt.config import Config as MqttConfig
from postern.actuators.osdp.config import Config as OsdpConfig
from postern.actuators.shelly.config import Config as ShellyConfig
from postern.actuators.simulated.actuator import Config as SimulatedConfig
from postern.actuators.webhook.config import Config as WebhookConfig
from postern.core.ports import Actuator, Clock
from postern.later import later

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


KINDS: Mapping[str, Kind[Any]] = {
    "modbus": Kind(
        ModbusConfig,
        later("postern.actuators.modbus.actuator", "open_actuator"),
        lambda config: Timer(str(config.pulse)),
    ),
    "mqtt": Kind(
        MqttConfig,
        later("postern.actuators.mqtt.actuator", "open_actuator"),
        # Else the broker ends it, by our last will.
        lambda config: Timer.DEVICE if config.timed_by_device else Timer.BROKER,
    ),
    "osdp": Kind(
        OsdpConfig,
        later("postern.actuators.osdp.actuator", "open_actuator"),
        # A device counts the time of its output; a panel times the door.
        lambda _config: Timer.DEVICE,
    ),
    "shelly": Kind(
        ShellyConfig,
        later("postern.actuators.shelly.actuator", "open_actuator"),
        lambda _config: Timer.DEVICE,
    ),
    "simulated": Kind(
        SimulatedConfig,
        later("postern.actuators.simulated.actuator", "open_actuator"),
        lambda _config: Timer.DEVICE,
    ),
    "webhook": Kind(
        WebhookConfig,
        later("postern.actuators.webhook.actuator", "open_actuator"),
        lambda _config: Timer.DEVICE,
    ),
}
