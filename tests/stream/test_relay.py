"""What stands between FFmpeg and a camera: nothing passes it that FFmpeg would follow."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from postern.stream.relay import Relay

OPTIONS = b"OPTIONS rtsp://127.0.0.1/ RTSP/1.0\r\n\r\n"
PLAY = b"PLAY rtsp://127.0.0.1/ RTSP/1.0\r\n\r\n"
OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
MOVED = b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://127.0.0.1:1/secret\r\n\r\n"
#: A piece of media data: its channel, its length, and what looks like a redirect.
MEDIA = b"$\0" + len(MOVED).to_bytes(2, "big") + MOVED


@dataclass(frozen=True, slots=True)
class Ends:
    """Both sides of a relay."""

    relay: Relay
    player: socket.socket
    camera: socket.socket

    def says(self, data: bytes) -> None:
        """The camera says this, and hangs up."""
        self.camera.sendall(data)
        self.camera.shutdown(socket.SHUT_WR)

    def asks(self, request: bytes) -> None:
        """The player asks, and the camera has heard it."""
        self.player.sendall(request)
        assert request == self.camera.recv(len(request), socket.MSG_WAITALL)

    def heard(self) -> bytes:
        """Everything that came to the player."""
        found = b""
        while data := self.player.recv(65536):
            found += data
        return found


@contextmanager
def ends() -> Iterator[Ends]:
    """A relay with a camera and a player that waits for ten seconds at most."""
    camera, other = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    relay = Relay(listener, other, "The camera")
    relay.start()
    with (
        camera,
        other,
        socket.create_connection(("127.0.0.1", port), timeout=10.0) as player,
    ):
        camera.settimeout(10.0)
        yield Ends(relay, player, camera)


def long(body: bytes, lengths: str) -> bytes:
    """An answer with this body, whose head says so, and something else besides."""
    return b"RTSP/1.0 200 OK\r\n" + lengths.format(len(body)).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "said",
    [
        MOVED,
        MOVED.replace(b"\r", b""),
        OK + MOVED,
        b"$\0\0\0" + MOVED,
        b"$\1\0\3abc" + OK + MOVED,
        b"RTSP/1.0 200 OK\nCSeq: 1\n\n" + MOVED,
        b"RTSP/1.0 200 OK\nCSeq: 1\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\0\r\n" + MOVED,
        long(MOVED, "Content-Length: {}\r\nContent-Length: 0"),
        long(MOVED, "Content-Length: {}\r\nCONTENT-\rLENGTH: 0"),
        long(MOVED, "Content-Length: {}\r\nContent-Length: 0 bytes"),
        long(MOVED, "Content-Length: {}\r\nContent-Length: -1"),
        long(MOVED, "Content-Length:\x0b0\r\nX: {}"),
    ],
)
def test_attack_redirect_in_disguise_does_not_come_through(said: bytes) -> None:
    """As FFmpeg reads it, it is one; as a relay might read it, it is something else."""
    with ends() as at:
        at.asks(OPTIONS)
        at.says(said)
        heard, refusal = at.heard(), at.relay.refusal

    assert b"302" not in heard
    assert refusal is not None
    assert [] != [word for word in ("elsewhere", "not RTSP") if word in refusal.message]


def test_answers_and_early_media_come_through_as_they_are() -> None:
    """Some cameras end lines as they like, and send before they are asked."""
    said = [
        OK,
        OK.replace(b"\r", b""),
        long(b"v=0\r\n\r\n$", "content-length:  {} "),
        MEDIA,
        b"RTSP/1.0 401 Unauthorized\r\nContent-Length: 3\r\n\r\nabc",
        OK,
    ]
    with ends() as at:
        at.asks(OPTIONS)
        at.says(b"".join(said))

        assert b"".join(said) == at.heard()
        assert at.relay.refusal is None


def test_pictures_come_through_as_they_are_once_they_are_asked_for() -> None:
    """Whatever stands in them."""
    pictures = MEDIA + OK.replace(b"200", b"555") + bytes(range(256)) * 1000
    with ends() as at:
        at.asks(PLAY)
        at.says(OK + pictures)

        assert OK + pictures == at.heard()
        assert at.relay.refusal is None


@pytest.mark.parametrize("size", [0, 1, 5])
def test_answer_that_breaks_off_is_not_handed_on(size: int) -> None:
    """Nor is anything wrong with it."""
    with ends() as at:
        at.asks(OPTIONS)
        at.says(OK[:size])

        assert b"" == at.heard()
        assert at.relay.refusal is None
