"""The line that OSDP runs on: a serial device, or a serial server somewhere on the network."""

import os
import select
import socket
from types import TracebackType
from typing import Protocol

import serial

from postern.actuators.osdp.port import serial_server
from postern.address import Endpoint
from postern.core.errors import Code, PosternError

#: Seconds until a serial server has to have taken the connection.
CONNECT_S = 2.0
#: Bytes that wait for being read; a frame has 1,440 at most, and noise is no reason to keep more.
MOST_WAITING = 4096


class _Ends(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


class Line:
    """An open line, as libosdp asks for one (`id`, `read`, `write`, `flush`).

    What comes in is taken at once and kept until libosdp asks for it, so that nobody spins on what
    it leaves lying. A line that breaks does not raise in libosdp's C code; `fault` says why.

    Args:
        ends: The device or socket, not blocking.
    """

    #: libosdp tells lines apart by it; each of ours has a context of its own.
    id = 0

    def __init__(self, ends: _Ends) -> None:
        self._ends = ends
        self._fd = ends.fileno()
        self._waiting = bytearray()
        self.fault = ""
        self.heard = 0  # Bytes that have come so far.

    def wait(self, seconds: float) -> None:
        """Waits until something comes, for so long at most, and takes it in."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if ready:
            self._take()

    def read(self, most: int) -> bytes:
        """The next bytes, if any."""
        taken = bytes(self._waiting[:most])
        del self._waiting[:most]
        return taken

    def write(self, data: bytes) -> int:
        """How many of the bytes were sent."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.fault = error.strerror or "it broke"
            return len(data)

    def flush(self) -> None:
        """Drops what waits."""
        self._waiting.clear()

    def _take(self) -> None:
        try:
            data = os.read(self._fd, MOST_WAITING)
        except BlockingIOError:
            return
        except OSError as error:
            self.fault = error.strerror or "it broke"
            return
        if not data:
            self.fault = "the other side hung up"
        self.heard += len(data)
        if len(self._waiting) + len(data) > MOST_WAITING:
            self._waiting.clear()
        self._waiting += data

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()


def open_line(port: str, baud: int) -> Line:
    """The line at a port.

    Raises:
        PosternError: `unavailable` where it is not there, or somebody else has it; as
            `Endpoint.pin`.
    """
    server = serial_server(port)
    try:
        return Line(_serial(port, baud) if server is None else _connected(server))
    except OSError as error:
        why = error.strerror or "it does not answer"
        raise PosternError(Code.UNAVAILABLE, f"The line {port} cannot be opened: {why}.") from None
    except ValueError:
        message = f"The line {port} cannot run at {baud} baud."
        raise PosternError(Code.UNAVAILABLE, message) from None


def _connected(server: Endpoint) -> socket.socket:
    pinned = server.pin()
    connection = socket.create_connection((str(pinned.number), pinned.port), CONNECT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


def _serial(port: str, baud: int) -> serial.Serial:
    # Two programs on one line would answer for each other.
    line = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
    os.set_blocking(line.fileno(), False)
    return line
