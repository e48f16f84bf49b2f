"""A board with relays: pymodbus's own server in a process of its own, with faults to order.

Run as `python board.py FOLDER`; it writes the port it listens on into `FOLDER/port`, every change
of its coil and every order to switch on into `FOLDER/relay`, and does what `FOLDER/fault` says.
"""

import asyncio
import logging
import struct
import sys
import time
from pathlib import Path

from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.bit_message import WriteSingleCoilRequest, WriteSingleCoilResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

COIL = 3
#: Where the commands "flash on" begin, on boards of Waveshare's kind.
FLASH_ON = 0x0200


class Board:
    """The relay and its faults, seen from outside through files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def fault(self) -> str:
        file = self.folder / "fault"
        return file.read_text("utf-8") if file.exists() else ""

    def note(self, word: str) -> None:
        with (self.folder / "relay").open("a", encoding="utf-8") as file:
            file.write(f"{time.monotonic():.3f} {word}\n")

    def turn(self, on: bool) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if on != self.on:
            self.on = on
            self.note("on" if on else "off")

    def written(self, address: int, value: int) -> int | None:
        """What a write of a coil does; gives the code of an exception, or None."""
        fault = self.fault
        flash = address == FLASH_ON + COIL and 0 < value < 0x8000
        if flash or (address == COIL and value == 0xFF00):
            if fault == "failed":
                return 4
            self.note("ordered")
            self.turn(True)
            if flash:
                self.timer = asyncio.get_running_loop().call_later(value / 10, self.turn, False)
        elif address == COIL and value == 0:
            if fault != "stuck":
                self.turn(False)
        else:
            return 2
        return None


BOARD = Board(Path(sys.argv[1]))


class Write(WriteSingleCoilRequest):
    """A write whose value is seen as it came."""

    value = 0

    def decode(self, data: bytes) -> None:
        self.address, self.value = struct.unpack(">HH", data[:4])

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)

    async def datastore_update(self, context, device_id):
        code = BOARD.written(self.address, self.value)
        if code is not None:
            return ExceptionResponse(self.function_code, code)
        await context.async_setValues(device_id, 5, COIL, [BOARD.on])
        return WriteSingleCoilResponse(address=self.address, bits=[self.value != 0])


async def reading(function: int, _start: int, _at: int, _count: int, registers, values):
    """Keeps what is read what the relay is, also after its own timer."""
    if function == 1 and values is None:
        registers[0] = int(BOARD.on) << COIL


def packet(sending: bool, data: bytes) -> bytes:
    """Spoils answers."""
    fault, write = BOARD.fault if sending else "", data[7:8] == b"\x05"
    spoilt = {
        "drop": b"",
        "failed_after_effect": b"" if write else data,
        "garbage": b"HTTP/1.1 200 OK\r\n\r\n<html>" * 9,
        "other_coil": data[:8] + b"\0\0" + data[10:] if write else data,
        "reads_off": data if write else data[:9] + b"\0",
    }
    if fault == "late":
        time.sleep(1.2)
    return spoilt.get(fault, data)


async def main() -> None:
    logging.disable()
    coils = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
    others = [SimData(0, values=0, datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=False, datatype=DataType.BITS)]
    device = SimDevice(0, (coils, bits, others, others), action=reading)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = ModbusTcpServer(
        device, address=("127.0.0.1", port), trace_packet=packet, custom_pdu=[Write]
    )
    await server.serve_forever(background=True)
    made = BOARD.folder / "port.new"
    listening = server.transport.sockets[0]  # type: ignore[attr-defined]
    made.write_text(str(listening.getsockname()[1]), "utf-8")
    made.rename(BOARD.folder / "port")
    await asyncio.Event().wait()


asyncio.run(main())
