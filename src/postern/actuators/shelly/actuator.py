"""A relay by Shelly, second generation or later."""

from postern.actuators import Tell
from postern.actuators.device_timed import DeviceTimed
from postern.actuators.exchange import Exchange
from postern.actuators.shelly.config import PORT, Config
from postern.actuators.shelly.relay import ShellyRelay
from postern.address import endpoint
from postern.core.ports import Actuator, Clock
from postern.secret import read_password


def open_actuator(config: Config, _clock: Clock, tell: Tell) -> Actuator:
    """The actuator; its device is looked after from now on.

    Raises:
        PosternError: As `read_password`.
    """
    file = config.password_file
    password = None if file is None else read_password(file)
    exchange = Exchange(endpoint(config.address, PORT), "/rpc")
    return DeviceTimed(ShellyRelay(exchange, config.channel, password), tell)
