"""What an operator says about a contact at an input of a Shelly device."""

from dataclasses import dataclass
from pathlib import Path

from postern.address import Endpoint, endpoint
from postern.core.errors import invalid
from postern.sources.inputs.listening import check_debounce

MIN_POLL_S, MAX_POLL_S = 0.05, 1.0
PORT = 80


@dataclass(frozen=True, slots=True)
class Config:
    """Which input of which device.

    Attributes:
        address: Its name or number, and its port after a colon where that is not 80.
        channel: The input's number, from 0 on.
        password_file: A file with its password; None where it has none.
        inverted: Whether the contact is closed while what it means is not so.
        debounce_s: For how long a state has to last before it counts, in seconds.
        poll_s: How often it is asked, in seconds.
    """

    address: str
    channel: int = 0
    password_file: Path | None = None
    inverted: bool = False
    debounce_s: float = 0.0
    poll_s: float = 0.1

    def __post_init__(self) -> None:
        _ = self.endpoint  # Which checks it.
        check_debounce(self.debounce_s)
        if not 0 <= self.channel <= 255:
            raise invalid("The number of an input is from 0 to 255.")
        if not MIN_POLL_S <= self.poll_s <= MAX_POLL_S:
            raise invalid(f"An input is asked every {MIN_POLL_S:g} to {MAX_POLL_S:g} seconds.")

    @property
    def endpoint(self) -> Endpoint:
        """Where it is."""
        return endpoint(self.address, PORT)
