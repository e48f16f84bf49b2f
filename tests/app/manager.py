"""A service manager for tests: a socket that is told, and what came over it."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType


class Listener:
    """Listens as systemd does.

    Args:
        address: A path, or an abstract name that begins with @.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(0.05)
        self.heard: list[tuple[float, str]] = []

    @classmethod
    def at(cls, folder: Path) -> "Listener":
        return cls(str(folder / "notify"))

    def listen(self, until: Callable[[], bool], timeout_s: float = 60.0) -> bool:
        """Takes in what comes until something holds; False where it does not in time."""
        deadline_s = time.monotonic() + timeout_s
        while not until():
            if time.monotonic() > deadline_s:
                return False
            try:
                message = self._socket.recv(4096).decode()
            except TimeoutError:
                continue
            self.heard += [(time.monotonic(), line) for line in message.splitlines()]
        return True

    def said(self, line: str) -> int:
        """How often a line came."""
        return sum(one == line for _, one in self.heard)

    def last(self, line: str) -> float:
        """When a line came last, in seconds of the monotonic clock."""
        return max(at for at, one in self.heard if one == line)

    def __enter__(self) -> "Listener":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._socket.close()
