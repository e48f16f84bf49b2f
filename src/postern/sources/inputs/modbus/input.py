"""A contact at a digital input of a Modbus device, read over and over.

Modbus has no way to tell of a change: the device is asked twenty times a second, so that a button
which is pressed for a tenth of a second is seen.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from threading import Event

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from postern.address import Endpoint, endpoint
from postern.core.errors import Code, PosternError, invalid
from postern.core.ports import Clock
from postern.core.signal import Signal
from postern.sources.inputs.listening import Debounce, Hear, Listening, check_debounce

#: Seconds for the device to answer. A contact that is known later than that is not known.
TIMEOUT_S = 1.0
MIN_POLL_S, MAX_POLL_S = 0.02, 1.0
PORT = 502
#: The highest number that the protocol can name.
MAX_NUMBER = 0xFFFF

# What the library says of every failure, we say ourselves, once.
logging.getLogger("pymodbus.logging").addHandler(logging.NullHandler())


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


class ModbusInput:
    """One input of a Modbus device, over a connection of its own.

    Args:
        config: Which one.
        name: What it is called.
        clock: The two clocks.
    """

    def __init__(self, config: Config, name: str, clock: Clock) -> None:
        self._config = config
        self._listening = Listening(
            name, self._listen, lambda: Debounce(config.debounce_s, config.inverted), clock
        )

    def signals(self) -> Iterator[Signal | None]:
        """See `postern.core.ports.Input.signals`."""
        return self._listening.signals()

    def close(self) -> None:
        """See `postern.core.ports.Input.close`."""
        self._listening.close()

    def _listen(self, hear: Hear, stop: Event) -> None:
        config = self._config
        pinned = config.endpoint.pin(timeout_s=TIMEOUT_S)
        client = ModbusTcpClient(str(pinned.number), port=pinned.port, timeout=TIMEOUT_S, retries=0)
        try:
            live = False
            while not stop.is_set():
                hear(self._level(client), live)
                live = True
                stop.wait(config.poll_s)
        finally:
            client.close()  # type: ignore[no-untyped-call]

    def _level(self, client: ModbusTcpClient) -> bool:
        config = self._config
        read = client.read_coils if config.table is Table.COIL else client.read_discrete_inputs
        try:
            answer = read(config.number, count=1, device_id=config.device_id)
        except (ModbusException, OSError, TimeoutError):
            raise self._fault("does not answer", "Check its cable and its power.") from None
        if answer.isError() or not answer.bits:
            raise self._fault(
                f"has no {config.table} input {config.number} of device {config.device_id}",
                "Check number, table and device_id; some manuals count from 1.",
            )
        return bool(answer.bits[0])

    def _fault(self, how: str, hint: str) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE, f"The Modbus device at {self._config.endpoint} {how}.", hint
        )
