"""What an operator says about a relay that is reached by Modbus TCP."""

from dataclasses import dataclass
from enum import StrEnum

from postern.address import endpoint
from postern.core.errors import invalid

#: Modbus TCP's own port.
PORT = 502
#: What `pulse_coil` counts from where it is not said: Waveshare's command "flash on".
FLASH_ON = 0x0200


class Pulse(StrEnum):
    """What ends a pulse: a process beside the service, or the board itself."""

    WATCHDOG = "watchdog"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Config:
    """One coil of one board.

    Attributes:
        address: The board's host, and its port where that is not 502.
        coil: The coil's number, from 0.
        device_id: The board's number behind a gateway; boards with a plug of their own mostly
            take any.
        pulse: What ends a pulse.
        pulse_coil: The coil whose writing begins a pulse that the board times, the time in tenths
            of a second being the value; where None, `coil` above 0x0200.
    """

    address: str
    coil: int
    device_id: int = 1
    pulse: Pulse = Pulse.WATCHDOG
    pulse_coil: int | None = None

    def __post_init__(self) -> None:
        endpoint(self.address, PORT)
        if not 0 <= self.coil <= 0xFFFF or not 0 <= self.timed_coil <= 0xFFFF:
            raise invalid("A coil has a number from 0 to 65535.")
        if not 0 <= self.device_id <= 255:
            raise invalid("A device id is a number from 0 to 255.")
        if self.pulse_coil is not None and self.pulse is not Pulse.DEVICE:
            raise invalid(
                "A pulse_coil is for boards that time the pulse themselves.",
                'Add pulse = "device", or leave pulse_coil out.',
            )

    @property
    def timed_coil(self) -> int:
        """What is written to for a pulse that the board times."""
        return FLASH_ON + self.coil if self.pulse_coil is None else self.pulse_coil
