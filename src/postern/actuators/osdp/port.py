"""Where the line of OSDP is: a serial device, or a serial server somewhere on the network."""

from postern.address import Endpoint, endpoint
from postern.core.errors import invalid

#: What begins the address of a serial server.
TCP = "tcp:"


def serial_server(port: str) -> Endpoint | None:
    """The serial server that a port names; None where it is the path of a serial device.

    Raises:
        PosternError: `invalid` where it is neither, or where no device may be reached for.
    """
    if port.startswith("/"):
        return None
    if not port.startswith(TCP):
        raise invalid(
            'A port is the path of a serial device or "tcp:HOST:PORT".',
            'Write, for example: port = "/dev/ttyUSB0"',
        )
    host, _, number = port.removeprefix(TCP).rpartition(":")
    if not host or not (number.isascii() and number.isdigit()):
        raise invalid('A serial server is written as "tcp:HOST:PORT".')
    return endpoint(port.removeprefix(TCP), 0)
