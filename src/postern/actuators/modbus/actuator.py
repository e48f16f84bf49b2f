"""A relay of a board that is reached by Modbus TCP."""

from postern.actuators import Tell
from postern.actuators.device_timed import DeviceTimed
from postern.actuators.modbus.config import Config, Pulse
from postern.actuators.modbus.relay import ModbusRelay
from postern.actuators.orders import Settings
from postern.actuators.watched import WatchedActuator
from postern.core.ports import Actuator, Clock


def open_actuator(config: Config, _clock: Clock, tell: Tell) -> Actuator:
    """The actuator; where a watchdog times it, the watchdog looks after the relay from now on."""
    if config.pulse is Pulse.DEVICE:
        return DeviceTimed(ModbusRelay(config), tell)
    settings: Settings = {
        "address": config.address,
        "coil": config.coil,
        "device_id": config.device_id,
    }
    return WatchedActuator("modbus", settings, tell)
