"""A coil of a board, reached by Modbus TCP: switched, read back, and pulsed by boards that can."""

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from time import monotonic

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)

from postern.actuators.modbus.config import PORT, Config
from postern.actuators.orders import Settings
from postern.address import endpoint
from postern.core.errors import Code, PosternError, invalid

#: Seconds for a connection, and for an answer.
TIMEOUT_S = 0.4
#: Seconds for a pulse that the board times, with its reading back.
PULSE_S = 0.9
#: Seconds for finding a name.
_LOOKUP_S = 0.2
#: Tenths of a second that a board's own timer can count: a signed number of 16 bits.
_MOST_TENTHS = 0x7FFF
#: What the library makes of bytes that are no answer.
_GARBAGE = (ModbusException, ValueError, LookupError, TypeError, AttributeError, struct.error)


class ModbusRelay:
    """One coil. Every call makes a connection of its own: no late answer is taken for another's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._endpoint = endpoint(config.address, PORT)
        # What the library would log is said in a report, in our own words.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    def switch(self, on: bool) -> None:
        """Writes the coil.

        Raises:
            PosternError: `unavailable` where the board does not say that it did.
        """
        at = self._config
        with self._connected(monotonic() + PULSE_S) as client:
            answer = client.write_coil(at.coil, on, device_id=at.device_id)
            self._check(answer, WriteSingleCoilResponse)
            if (answer.address, list(answer.bits)) != (at.coil, [on]):
                raise self._failed("answered something else")

    def is_on(self) -> bool:
        """Reads the coil.

        Raises:
            PosternError: `unavailable` where the board does not say how it is.
        """
        return self._read(monotonic() + PULSE_S)

    def pulse(self, hold_s: float, within_s: float = PULSE_S) -> None:
        """Has the board switch the coil on for so long, rounded up to tenths of a second, and
        reads it back, in so many seconds.

        Raises:
            PosternError: `unavailable` where the board does not say that it did.
        """
        at = self._config
        tenths = min(ceil(round(hold_s * 10.0, 6)), _MOST_TENTHS)
        request = _TimedWrite(address=at.timed_coil, bits=[True], dev_id=at.device_id)
        request.tenths = tenths
        began = monotonic()
        until = began + within_s
        with self._connected(until) as client:
            answer = client.execute(False, request)
            self._check(answer, WriteSingleCoilResponse)
            if answer.address != at.timed_coil:
                raise self._failed("answered something else")
        if not self._read(until) and monotonic() - began < tenths / 10.0:
            raise self._failed("was told to open, and says that it did not")

    def _read(self, until: float) -> bool:
        at = self._config
        with self._connected(until) as client:
            answer = client.read_coils(at.coil, count=1, device_id=at.device_id)
            self._check(answer, ReadCoilsResponse)
            if len(answer.bits) != 8:  # One byte, of which one bit was asked for.
                raise self._failed("answered something else")
            return bool(answer.bits[0])

    @contextmanager
    def _connected(self, until: float) -> Iterator[ModbusTcpClient]:
        pinned = self._endpoint.pin(timeout_s=_LOOKUP_S)
        # The library takes one for both.
        timeout_s = max(0.001, min(TIMEOUT_S, until - monotonic()))
        client = ModbusTcpClient(str(pinned.number), port=pinned.port, timeout=timeout_s, retries=0)
        try:
            if not client.connect():  # type: ignore[no-untyped-call]
                raise self._failed("cannot be connected to")
            yield client
        except _GARBAGE:
            raise self._failed("did not answer, or not by Modbus") from None
        except OSError as error:
            raise self._failed(f"cannot be talked to ({type(error).__name__})") from None
        finally:
            with suppress(OSError):
                client.close()  # type: ignore[no-untyped-call]

    def _check(self, answer: ModbusPDU, wanted: type[ModbusPDU]) -> None:
        if answer.isError():
            raise self._failed(f"refused (exception {answer.exception_code})")
        if not isinstance(answer, wanted):
            raise self._failed("answered something else")

    def _failed(self, what: str) -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"The board at {self._endpoint} {what}.")


class _TimedWrite(WriteSingleCoilRequest):
    """A coil's writing whose value is a time (Waveshare: "flash on")."""

    tenths = 0

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.tenths)


def open_relay(settings: Settings) -> ModbusRelay:
    """The relay in a process of its own, from the fields of a `Config`.

    Raises:
        PosternError: `invalid` where they are none.
    """
    address, coil, device_id = (settings.get(key) for key in ("address", "coil", "device_id"))
    if not (isinstance(address, str) and isinstance(coil, int) and isinstance(device_id, int)):
        raise invalid("A relay by Modbus has an address, a coil and a device id.")
    return ModbusRelay(Config(address, coil, device_id))
