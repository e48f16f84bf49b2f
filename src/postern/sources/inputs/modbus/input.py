"""A contact at a digital input of a Modbus device, read over and over.

Modbus has no way to tell of a change: the device is asked twenty times a second, so that a button
which is pressed for a tenth of a second is seen.
"""

import logging
from collections.abc import Iterator
from threading import Event

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse

from postern.core.errors import Code, PosternError
from postern.core.ports import Clock
from postern.core.signal import Signal
from postern.sources.inputs.listening import Debounce, Hear, Listening
from postern.sources.inputs.modbus.config import Config, Table

#: Seconds for the device to answer. A contact that is known later than that is not known.
TIMEOUT_S = 1.0
#: Exceptions by which a device says that it has nothing of the kind: function, address, value.
_NO_SUCH = frozenset({1, 2, 3})

# What the library says of every failure, we say ourselves, once.
logging.getLogger("pymodbus.logging").addHandler(logging.NullHandler())


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
        if answer.isError() and answer.exception_code in _NO_SUCH:
            raise self._fault(
                f"has no {config.table} input {config.number} of device {config.device_id}",
                "Check number, table and device_id; some manuals count from 1.",
            )
        if answer.isError():
            raise self._fault(
                f"cannot read inputs of device {config.device_id} now "
                f"(exception {answer.exception_code})",
                "It is tried again; check device_id.",
            )
        wanted = ReadCoilsResponse if config.table is Table.COIL else ReadDiscreteInputsResponse
        # One byte, of which one bit was asked for. What answers another question is no state.
        if type(answer) is not wanted or len(answer.bits) != 8:
            raise self._fault("answers something else", "Is it a Modbus device?")
        return bool(answer.bits[0])

    def _fault(self, how: str, hint: str) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE, f"The Modbus device at {self._config.endpoint} {how}.", hint
        )
