"""A real HTTP server that gives pictures as a camera does, or does something else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import numpy as np

#: What it does with a request.
Behaviour = Callable[[BaseHTTPRequestHandler], None]


def jpeg(width: int = 640, height: int = 360) -> bytes:
    """A picture of noise, as no other."""
    noise = np.random.default_rng().integers(60, 200, (height, width, 3), np.uint8)
    noise[: height // 2] = (0, 0, 255)  # Red, so that swapped colours show.
    return bytes(cv2.imencode(".jpg", noise)[1])


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Answers with this body."""
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def picture(handler: BaseHTTPRequestHandler) -> None:
    """A sound picture."""
    send(handler, jpeg(), Content_Type="image/jpeg")


class SnapshotCamera(ThreadingHTTPServer):
    """Behaves as it is told, at once.

    Args:
        behaviour: What it does with a request.
        port: Where; 0 for any free one.
    """

    daemon_threads = True

    def __init__(self, behaviour: Behaviour, port: int = 0) -> None:
        self.behaviour = behaviour
        self.asked: list[str] = []
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                camera.asked.append(self.path)
                with suppress(ConnectionError):  # Whoever asked may have enough of it.
                    camera.behaviour(self)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, *_: object) -> None:
        """Nothing: whoever asked may have enough of it, or speak otherwise."""

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where its picture is."""
        return f"http://127.0.0.1:{self.port}/picture.jpg"


@contextmanager
def snapshot_camera(behaviour: Behaviour = picture, port: int = 0) -> Iterator[SnapshotCamera]:
    """A camera that answers until the end."""
    camera = SnapshotCamera(behaviour, port)
    thread = Thread(target=camera.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield camera
    finally:
        camera.shutdown()
        thread.join()
        camera.server_close()
