"""What an operator says about a door behind OSDP."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from postern.actuators.osdp.card import Card, encode, formatted
from postern.actuators.osdp.port import serial_server
from postern.core.errors import invalid

#: Bits per second that devices speak.
BAUDS = (9600, 19200, 38400, 57600, 115200, 230400)
#: The highest address of a device; 127 speaks to all of them.
MAX_ADDRESS = 126
MAX_OUTPUT = 255
#: Seconds: the steps in which the time of an output travels.
STEP_S = 0.1
#: Steps. The standard has 16 bits for them, libosdp 3.2.9's binding keeps 8: 25.6 seconds would
#: become 0, which means for ever.
MOST_STEPS = 255


class Role(StrEnum):
    """Which side of OSDP Postern is."""

    PANEL = "panel"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Config:
    """One device, or one panel, at the other end of a line.

    Attributes:
        role: Which side Postern is.
        port: A serial device, or "tcp:HOST:PORT" of a serial server.
        key_file: The key of the secure channel (SCBK).
        baud: Bits per second on a serial line.
        pd_address: The address of the peripheral device, whichever side that is.
        output: As a panel: which of the device's outputs moves the door.
        facility: As a reader: the facility code of the card that is shown after a grant.
        card: As a reader: its number.
        card_bits: As a reader: 26 (H10301) or 34.
    """

    role: Role
    port: str
    key_file: Path
    baud: int = 9600
    pd_address: int = 0
    output: int = 0
    facility: int | None = None
    card: int | None = None
    card_bits: int = 26

    def __post_init__(self) -> None:
        serial_server(self.port)
        if self.baud not in BAUDS:
            raise invalid(f"The speed of a line is one of {', '.join(map(str, BAUDS))} baud.")
        if not 0 <= self.pd_address <= MAX_ADDRESS:
            raise invalid(f"A device's address is from 0 to {MAX_ADDRESS}.")
        if not 0 <= self.output <= MAX_OUTPUT:
            raise invalid(f"An output is from 0 to {MAX_OUTPUT}.")
        if self.role is Role.READER:
            self.shown()

    @property
    def longest_s(self) -> float | None:
        """Seconds for which an output is driven at most; a panel times its own door."""
        return MOST_STEPS * STEP_S if self.role is Role.PANEL else None

    def shown(self) -> Card:
        """The card that a reader shows.

        Raises:
            PosternError: `invalid` where there is none, or it fits no format.
        """
        if self.facility is None or self.card is None:
            raise invalid("A reader shows a card: set its facility and card.")
        return encode(formatted(self.card_bits), self.facility, self.card)
