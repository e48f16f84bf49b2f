"""A Modbus device in a process of its own: its inputs are what a file says, one character each.

Run as: modbus_device.py PORT FILE. Coils and discrete inputs are alike.
"""

import asyncio
import sys
from pathlib import Path

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

INPUTS = 8


async def serve(port: int, levels: Path) -> None:
    """Answers until it is killed."""

    async def look(
        _code: int,
        _start: int,
        _address: int,
        _count: int,
        registers: list[int],
        _written: list[int] | list[bool] | None,
    ) -> None:
        registers[0] = int(levels.read_text("utf-8")[::-1], 2)

    bits = [SimData(0, values=False, count=INPUTS, datatype=DataType.BITS)]
    words = [SimData(0, values=0, count=1, datatype=DataType.REGISTERS)]
    device = SimDevice(1, simdata=(bits, bits, words, words), action=look)
    await ModbusTcpServer(device, address=("127.0.0.1", port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
