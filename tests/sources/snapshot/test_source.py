"""Cameras that give one picture at a time, and web servers that give something else."""

import hashlib
import re
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.frame import Frame
from postern.sources.snapshot.config import Config
from postern.sources.snapshot.source import SnapshotSource
from tests.brokers import write_certificate
from tests.clocks import MachineClock
from tests.snapshot_camera import Behaviour, jpeg, picture, send, snapshot_camera

CAMERA = CameraId("lane")


def source(url: str, **settings: object) -> SnapshotSource:
    """A camera."""
    return SnapshotSource(Config(url, **settings), CAMERA, MachineClock())  # type: ignore[arg-type]


@contextmanager
def frames_of(of: SnapshotSource) -> Iterator[Iterator[Frame]]:
    """Its frames; it is closed at the end."""
    try:
        yield of.frames()
    finally:
        of.close()


def refusal(of: SnapshotSource) -> PosternError:
    """What ends its frames."""
    with pytest.raises(PosternError) as caught:
        for _ in of.frames():
            pass
    return caught.value


def test_snapshot_gives_pictures_at_the_rate_that_is_set() -> None:
    """Over one address, one after the other."""
    with snapshot_camera() as camera:
        of, times = source(camera.url, fps=10.0), []
        for frame in of.frames():
            assert (360, 640, 3) == frame.image.shape
            times.append(frame.captured.monotonic_s)
            if len(times) == 8:
                of.close()

    assert {"/picture.jpg"} == set(camera.asked)
    assert times[-1] - times[0] > 0.6


def test_snapshot_is_as_old_as_the_question() -> None:
    """A camera that takes a second may have taken the picture at its beginning."""

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(1.0)
        picture(handler)

    with snapshot_camera(slow) as camera, frames_of(source(camera.url)) as frames:
        frame = next(frames)

        assert MachineClock().now().since(frame.captured) >= 1.0


def html(handler: BaseHTTPRequestHandler) -> None:
    """A page to log in."""
    send(handler, b"<html>Log in</html>", Content_Type="image/jpeg")


def cut(handler: BaseHTTPRequestHandler) -> None:
    """The first half of a picture, said to be whole."""
    data = jpeg()
    send(handler, data[: len(data) // 2])


def broken_off(handler: BaseHTTPRequestHandler) -> None:
    """Less than was promised."""
    send(handler, jpeg()[:1000], Content_Length="100000")
    handler.close_connection = True


def huge(handler: BaseHTTPRequestHandler) -> None:
    """A header that says fifty megapixels, before anything is decoded."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (6144).to_bytes(2, "big") + (8192).to_bytes(2, "big")
    send(handler, bytes(data))


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A picture without an end."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"\xff\xd8")
    while True:
        handler.wfile.write(b"\0" * 1_000_000)


def header(handler: BaseHTTPRequestHandler) -> None:
    """A header without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Line: %s\r\n" % (b"x" * 1000))


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte at a time, so that it is never late for the next."""
    handler.send_response(200)
    handler.end_headers()
    for byte in jpeg():
        handler.wfile.write(bytes([byte]))
        time.sleep(0.2)


def packed(handler: BaseHTTPRequestHandler) -> None:
    """Something that would unfold."""
    send(handler, b"\x1f\x8b\x08" + b"\0" * 100, Content_Encoding="gzip")


def forbidden(handler: BaseHTTPRequestHandler) -> None:
    """Not for nobody."""
    send(handler, b"", 401, WWW_Authenticate='Digest realm="x", nonce="1", qop="auth"')


def gone(handler: BaseHTTPRequestHandler) -> None:
    """No such page."""
    send(handler, b"", 404)


def dropped(handler: BaseHTTPRequestHandler) -> None:
    """Hangs up."""
    handler.close_connection = True


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (html, "not with a JPEG picture"),
        (cut, "cut off"),
        (broken_off, "broke off"),
        (huge, "more than 25,000,000 pixels"),
        (endless, "more than 20 MB"),
        (header, "does not end"),
        (dripping, "longer than 3 s"),
        (packed, "not with a JPEG picture"),
        (forbidden, "another user or password"),
        (gone, "status 404"),
        (dropped, "gives no picture"),
    ],
)
def test_attack_camera_that_answers_otherwise_is_one_sentence(
    behave: Behaviour, words: str
) -> None:
    """Whatever it gives instead of a picture."""
    with snapshot_camera(behave) as camera:
        error = refusal(source(camera.url))

    assert words in error.message
    assert Code.UNAVAILABLE is error.code
    assert f"127.0.0.1:{camera.port}" in error.message


def test_attack_camera_that_sends_its_viewers_elsewhere_is_not_followed() -> None:
    """The place that it names is never connected to."""
    elsewhere = socket.create_server(("127.0.0.1", 0))
    place = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/secret"

    def moved(handler: BaseHTTPRequestHandler) -> None:
        send(handler, b"", 302, Location=place)

    with elsewhere, snapshot_camera(moved) as camera:
        error = refusal(source(camera.url))
        elsewhere.settimeout(0.5)
        with pytest.raises(TimeoutError):
            elsewhere.accept()

    assert "elsewhere" in error.message


def secret(folder: Path, text: str) -> Path:
    """A password's file."""
    path = folder / "camera.password"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def test_snapshot_camera_with_a_password_takes_the_right_one(tmp_path: Path) -> None:
    """By digest, checked here as RFC 7616 says; what is sent holds no password."""
    password, heads = secret(tmp_path, "hunter2\n"), list[str]()

    def guarded(handler: BaseHTTPRequestHandler) -> None:
        head = handler.headers.get("Authorization", "")
        heads.append(str(handler.headers))
        if _is_digest(head, "GET", "viewer", "hunter2"):
            picture(handler)
        else:
            forbidden(handler)

    with snapshot_camera(guarded) as camera:
        with frames_of(source(camera.url, user="viewer", password_file=password)) as frames:
            assert (360, 640, 3) == next(frames).image.shape
        password.write_text("hunter3", "utf-8")
        wrong = refusal(source(camera.url, user="viewer", password_file=password))

    assert "another user or password" in wrong.message
    assert "hunter" not in "".join(heads) + str(wrong)


@pytest.mark.parametrize(
    "question",
    [
        'Basic realm="camera"',
        'Digest realm="camera", nonce="1", algorithm=ROT13',
        'Digest realm="camera", nonce="1", qop="auth-int"',
        "Digest realm",
        'Digest nonce="1"',
    ],
)
def test_attack_camera_that_asks_for_the_password_otherwise(tmp_path: Path, question: str) -> None:
    """In the clear, or in a way that there is not: it is told nothing, and why is said."""
    password, heads = secret(tmp_path, "hunter2"), list[str]()

    def asking(handler: BaseHTTPRequestHandler) -> None:
        heads.append(str(handler.headers))
        send(handler, b"", 401, WWW_Authenticate=question)

    with snapshot_camera(asking) as camera:
        error = refusal(source(camera.url, user="viewer", password_file=password))

    assert "otherwise than by digest authentication" in error.message
    assert "Authorization" not in "".join(heads)


def test_password_goes_in_the_clear_where_the_operator_says_so(tmp_path: Path) -> None:
    """Old cameras know no other way; they are asked once without it, and then with it."""
    password, heads = secret(tmp_path, "hunter2"), list[str]()

    def asking(handler: BaseHTTPRequestHandler) -> None:
        heads.append(handler.headers.get("Authorization", ""))
        if heads[-1] == "Basic " + b64encode(b"viewer:hunter2").decode():
            picture(handler)
        else:
            send(handler, b"", 401, WWW_Authenticate='Basic realm="camera"')

    with snapshot_camera(asking) as camera:
        given = source(camera.url, user="viewer", password_file=password, password_in_clear=True)
        with frames_of(given) as frames:
            assert (360, 640, 3) == next(frames).image.shape
            next(frames)

    assert "" == heads[0]
    assert {True} == {head.startswith("Basic ") for head in heads[1:]}


@pytest.mark.parametrize("packed", [True, False])
def test_attack_question_for_the_password_that_unfolds_or_never_ends(
    tmp_path: Path, packed: bool
) -> None:
    """What stands below it is not looked at."""

    def asking(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Digest realm="x", nonce="1", qop="auth"')
        handler.send_header("Content-Encoding", "gzip" if packed else "identity")
        handler.end_headers()
        packer = zlib.compressobj(wbits=31)
        for _ in range(2000):
            data = packer.compress(b"\0" * 1_000_000) if packed else b"\0" * 1_000_000
            handler.wfile.write(data)

    password = secret(tmp_path, "hunter2")
    with snapshot_camera(asking) as camera:
        error = refusal(source(camera.url, user="viewer", password_file=password))

    assert "another user or password" in error.message


def test_snapshot_camera_that_comes_back_is_live_again() -> None:
    """On the same port."""
    with snapshot_camera() as camera:
        of, port = source(camera.url), camera.port
        frames = of.frames()
        next(frames)
        camera.behaviour = dropped
        with pytest.raises(PosternError):
            for _ in frames:
                pass
    assert "cannot be reached" in refusal(of).message

    with snapshot_camera(port=port), frames_of(of) as frames:
        assert (360, 640, 3) == next(frames).image.shape


def test_snapshot_camera_that_encrypts_is_believed_by_its_certificate(tmp_path: Path) -> None:
    """Its own, and no other one; one that does not encrypt is told from that."""
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    key = write_certificate(right)
    write_certificate(wrong)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(right, key)
    with snapshot_camera() as camera:
        url = camera.url.replace("http://", "https://")
        plain = refusal(source(url, certificate=right))
        camera.socket = context.wrap_socket(camera.socket, server_side=True)
        with frames_of(source(url, certificate=right)) as frames:
            assert (360, 640, 3) == next(frames).image.shape
        refused = [refusal(source(url, certificate=one)) for one in (wrong, None)]

    assert "does not encrypt" in plain.message
    assert all("no certificate that can be believed" in error.message for error in refused)


def _is_digest(head: str, method: str, user: str, password: str) -> bool:
    found = dict(re.findall(r'(\w+)="?([^",]+)"?', head))
    if found.get("username") != user:
        return False

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    first, second = md5(f"{user}:{found['realm']}:{password}"), md5(f"{method}:{found['uri']}")
    middle = f"{found['nonce']}:{found['nc']}:{found['cnonce']}:{found['qop']}"
    return bool(md5(f"{first}:{middle}:{second}") == found["response"])
