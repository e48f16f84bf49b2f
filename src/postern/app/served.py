"""An application that is served meanwhile, by a thread of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from litestar import Litestar

from postern.web.server import Encryption, server

#: Seconds for what is being answered when it ends.
_STOP_S = 6.0


@contextmanager
def served(
    app: Litestar,
    taken: socket.socket,
    name: str,
    *,
    lasting: bool = False,
    encryption: Encryption | None = None,
) -> Iterator[None]:
    """Serves an application until the end of the block.

    Args:
        app: The application.
        taken: The socket that it listens on.
        name: Of the thread.
        lasting: Whether answers may go on for as long as whoever asked listens.
        encryption: What browsers know it by; None for a line that is not encrypted.
    """
    serves = server(app, lasting=lasting, encryption=encryption)
    # A daemon: whatever becomes of an answer, it keeps no service from ending.
    thread = Thread(target=serves.run, kwargs={"sockets": [taken]}, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        serves.should_exit = True
        thread.join(_STOP_S)
