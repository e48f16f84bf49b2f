"""What a service manager is told: that the service runs, how it is, and that it is alive.

The protocol of sd_notify(3): a datagram of `NAME=value` lines to the socket that the manager named.
"""

import socket
from dataclasses import dataclass
from pathlib import Path

#: Characters of a status; it is one line.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Manager:
    """Who started the service and wants to hear of it.

    Attributes:
        address: Its socket; a path, or a name that begins with @ where it has none. None where
            nobody wants to hear.
        watchdog_s: Seconds after which it takes the service for dead that has not said `alive`;
            None where it does not.
    """

    address: str | None = None
    watchdog_s: float | None = None

    def ready(self) -> None:
        """The lanes run."""
        self._tell("READY=1")

    def alive(self, status: str) -> None:
        """The lanes get on; `status` is one line for whoever asks the manager."""
        self._tell(f"WATCHDOG=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """One line for whoever asks the manager, and no word of being alive."""
        self._tell(f"STATUS={_line(status)}")

    def stopping(self) -> None:
        """The service ends because it was told to, or has nothing more to do."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        """A manager that does not listen is its own business: what it is told it can ask again."""
        if self.address is None:
            return
        # A name without a path begins with a zero byte (unix(7)); in the variable it is an @.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
                told.setblocking(False)
                told.sendto(message.encode(), address)
        except OSError:
            return


def manager(address: str, watchdog_us: str, watchdog_pid: str, process: int) -> Manager:
    """The manager that the environment names; nobody where it does not.

    Args:
        address: `NOTIFY_SOCKET`; empty where it is not set.
        watchdog_us: `WATCHDOG_USEC`, likewise.
        watchdog_pid: `WATCHDOG_PID`, likewise: whose watchdog that is.
        process: This process.
    """
    if not address.startswith("@") and not Path(address).is_absolute():
        return Manager()
    ours = watchdog_pid in ("", str(process))
    whole = watchdog_us.isascii() and watchdog_us.isdigit() and len(watchdog_us) < 16
    return Manager(address, int(watchdog_us) / 1e6 if ours and whole else None)


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_MOST]
