"""Applications served for real, on free loopback ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

from litestar import Litestar

from postern.web.server import listen, server


@contextmanager
def serving(app: Litestar, port: int = 0, *, lasting: bool = False) -> Iterator[str]:
    """The address of an application that is served meanwhile."""
    serves = server(app, lasting=lasting)
    with listen("127.0.0.1", port) as listening:
        thread = Thread(target=serves.run, kwargs={"sockets": [listening]})
        thread.start()
        until_s = monotonic() + 20
        while not serves.started and monotonic() < until_s:
            sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            serves.should_exit = True
            thread.join()
