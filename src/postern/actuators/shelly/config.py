"""What an operator says about a relay by Shelly."""

from dataclasses import dataclass
from pathlib import Path

from postern.address import endpoint
from postern.core.errors import invalid

#: HTTP's own port.
PORT = 80
#: More than any of their devices has.
_MOST_CHANNELS = 100


@dataclass(frozen=True, slots=True)
class Config:
    """One channel of one device.

    Attributes:
        address: The device's host, and its port where that is not 80.
        channel: Which of its relays, from 0.
        password_file: The file with the password of the user `admin`; None where the device asks
            for none.
    """

    address: str
    channel: int = 0
    password_file: Path | None = None

    def __post_init__(self) -> None:
        endpoint(self.address, PORT)
        if not 0 <= self.channel < _MOST_CHANNELS:
            raise invalid(f"A channel is a number from 0 to {_MOST_CHANNELS - 1}.")
