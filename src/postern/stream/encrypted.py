"""An encrypted connection that one thread reads while another writes.

OpenSSL lets one thread at a time use a connection; two at once lose data or end the process. Here
each gets its turn, and nobody waits for the other side while it has it.
"""

import select
import socket
import ssl
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


class Encrypted:
    """One connection.

    Args:
        connection: As it is after both sides have agreed on how to encrypt.
    """

    def __init__(self, connection: ssl.SSLSocket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._turn = Lock()  # Guards the connection, but for its being waited for.

    def recv(self, size: int) -> bytes:
        """What has come, some of it at least; nothing where the other side has ended.

        Raises:
            OSError: The connection has broken off.
        """
        return self._taken(partial(self._connection.recv, size))

    def sendall(self, data: bytes) -> None:
        """Sends all of it.

        Raises:
            OSError: The connection has broken off.
        """
        rest = memoryview(data)
        while rest:
            sent = self._taken(partial(self._connection.send, rest))
            rest = rest[sent:]

    def shutdown(self, _how: int) -> None:
        """Ends both ways, whichever is asked for; whoever waits sees the end."""
        with self._turn:
            # The one of SSLSocket would have what comes next passed on without being decrypted.
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)

    def _taken(self, step: Callable[[], T]) -> T:
        """What a step gives, once it can be taken."""
        while True:
            with self._turn:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    to_read, to_write = [self._connection], []
                except ssl.SSLWantWriteError:
                    to_read, to_write = [], [self._connection]
            select.select(to_read, to_write, [])
