"""What an operator says about a contact at a digital input of a Modbus device."""

from dataclasses import dataclass
from enum import StrEnum

from postern.address import Endpoint, endpoint
from postern.core.errors import invalid
from postern.sources.inputs.listening import check_debounce

MIN_POLL_S, MAX_POLL_S = 0.02, 1.0
PORT = 502
#: The highest number that the protocol can name.
MAX_NUMBER = 0xFFFF


class Table(StrEnum):
    """Where a device keeps the state."""

    DISCRETE = "discrete"
    COIL = "coil"


@dataclass(frozen=True, slots=True)
class Config:
    """Which input of which device.

    Attributes:
        address: Its name or number, and its port after a colon where that is not 502.
        number: The input's number, from 0 on.
        device_id: The device's number behind that port; 1 for most.
        table: Where it keeps the state: `discrete` inputs or `coil`s.
        inverted: Whether the contact is closed while what it means is not so.
        debounce_s: For how long a state has to last before it counts, in seconds.
        poll_s: How often it is asked, in seconds.
    """

    address: str
    number: int
    device_id: int = 1
    table: Table = Table.DISCRETE
    inverted: bool = False
    debounce_s: float = 0.03
    poll_s: float = 0.05

    def __post_init__(self) -> None:
        _ = self.endpoint  # Which checks it.
        check_debounce(self.debounce_s)
        if not 0 <= self.number <= MAX_NUMBER:
            raise invalid(f"The number of a Modbus input is from 0 to {MAX_NUMBER}.")
        if not 0 <= self.device_id <= 255:
            raise invalid("The device_id of a Modbus device is from 0 to 255.")
        if not MIN_POLL_S <= self.poll_s <= MAX_POLL_S:
            raise invalid(f"An input is asked every {MIN_POLL_S:g} to {MAX_POLL_S:g} seconds.")

    @property
    def endpoint(self) -> Endpoint:
        """Where it is."""
        return endpoint(self.address, PORT)
