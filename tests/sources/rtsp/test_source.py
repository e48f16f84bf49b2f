"""RTSP cameras: GStreamer's server, and servers that behave badly."""

import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread

import cv2
import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.frame import Frame
from postern.sources.rtsp.config import Config
from postern.sources.rtsp.source import RtspSource
from tests.brokers import write_certificate
from tests.clocks import MachineClock
from tests.media import number_of, picture
from tests.rtsp_camera import RtspCamera, rtsp_camera

CAMERA = CameraId("lane")


def source(url: str, **settings: object) -> RtspSource:
    """A camera."""
    return RtspSource(Config(url, **settings), CAMERA, MachineClock())  # type: ignore[arg-type]


def refusal(of: RtspSource) -> PosternError:
    """What ends its frames."""
    with pytest.raises(PosternError) as caught:
        for _ in of.frames():
            pass
    return caught.value


def first(of: RtspSource) -> Frame:
    """Its first frame; closed then."""
    frames = of.frames()
    frame = next(frames)
    stop(frames)
    return frame


def stop(frames: Iterator[Frame]) -> None:
    """Ends them without closing the camera for good."""
    assert isinstance(frames, Generator)
    frames.close()


def secret(folder: Path, text: str) -> Path:
    """A password's file."""
    path = folder / "camera.password"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def test_rtsp_gives_pictures_in_their_order(tmp_path: Path) -> None:
    """Ten a second, each as new as it is."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(60):
        cv2.imwrite(str(pictures / f"{number:02d}.jpg"), picture(number))
    with rtsp_camera(folder=pictures, fps=10) as camera:
        of, found, clock = source(camera.url, fps=30.0), [], MachineClock()
        for frame in of.frames():
            found.append((number_of(frame.image), clock.now().since(frame.captured)))
            if len(found) == 15:
                of.close()

    numbers = [number for number, _ in found]
    # What comes at once at the beginning is passed over, but for the newest.
    steps = [(after - before) % 60 for before, after in pairwise(numbers)]
    assert all(0 < step < 6 for step in steps)
    assert 1 == sorted(steps)[len(steps) // 2]
    assert sorted(age_s for _, age_s in found)[7] < 0.5


def test_rtsp_gives_no_more_pictures_than_are_wanted() -> None:
    """A camera of ten a second is looked at twice a second."""
    with rtsp_camera(fps=10) as camera:
        of, times = source(camera.url, fps=2.0), []
        for frame in of.frames():
            times.append(frame.captured.monotonic_s)
            if len(times) == 4:
                of.close()

    assert times[-1] - times[0] > 1.0


def test_rtsp_camera_that_comes_back_is_live_again() -> None:
    """Its plug is pulled, and put in again."""
    with rtsp_camera() as camera:
        of = source(camera.url)
        assert (360, 640, 3) == first(of).image.shape
        camera.kill()
        gone = refusal(of)
        camera.start()

        assert (360, 640, 3) == first(of).image.shape
    assert gone.retry_helps
    assert "cannot be reached" in gone.message


@pytest.mark.parametrize("how", ["stall", "kill"])
def test_rtsp_camera_that_is_cut_is_noticed_within_five_seconds(how: str) -> None:
    """Also where its connection stays."""
    with rtsp_camera() as camera:
        of = source(camera.url)
        frames = of.frames()
        next(frames)
        cut_s = time.monotonic()
        if how == "stall":
            camera.tell("stall")
        else:
            camera.kill()

        with pytest.raises(PosternError) as caught:
            for _ in frames:
                pass

    assert time.monotonic() - cut_s <= 5.0
    assert Code.UNAVAILABLE is caught.value.code


@pytest.mark.parametrize("size", [None, (640, 360)])
def test_rtsp_camera_of_another_size_is_refused(size: tuple[int, int] | None) -> None:
    """Than is configured, or than it had a moment ago."""
    settings = {} if size is None else {"width": size[0], "height": size[1]}
    with rtsp_camera(width=320 if size else 640, height=180 if size else 360) as camera:
        of = source(camera.url, **settings)
        if size is None:
            frames = of.frames()
            next(frames)
            camera.tell("size 320 180")
            with pytest.raises(PosternError) as caught:
                for _ in frames:
                    pass
            error = caught.value
        else:
            error = refusal(of)

    assert "320 x 180 pixels instead of 640 x 360" in error.message


def test_rtsp_camera_with_a_password_takes_the_right_one(tmp_path: Path) -> None:
    """And refuses nobody's, and a wrong one, with a sentence that holds neither."""
    with rtsp_camera(user="viewer", password="p%40s/s:w@rd") as camera:  # noqa: S106
        right = secret(tmp_path, "p%40s/s:w@rd\n")
        assert (360, 640, 3) == first(
            source(camera.url, user="viewer", password_file=right)
        ).image.shape
        nobody = refusal(source(camera.url))
        right.write_text("hunter2", "utf-8")
        wrong = refusal(source(camera.url, user="viewer", password_file=right))

    assert "wants another user or password" in nobody.message
    assert "wants another user or password" in wrong.message
    assert "hunter2" not in str(wrong)


def test_rtsp_camera_that_encrypts_is_believed_by_its_certificate(tmp_path: Path) -> None:
    """Its own, and no other one."""
    right, wrong, both = (tmp_path / f"{name}.pem" for name in ("right", "wrong", "both"))
    both.write_bytes(write_certificate(right).read_bytes() + right.read_bytes())
    write_certificate(wrong)
    access = {"user": "viewer", "password_file": secret(tmp_path, "hunter2")}
    with rtsp_camera(user="viewer", password="hunter2", certificate=both) as camera:  # noqa: S106
        of = source(camera.url, certificate=right, **access)
        frames = of.frames()
        shapes = {next(frames).image.shape for _ in range(5)}
        stop(frames)
        refused = [refusal(source(camera.url, certificate=one, **access)) for one in (wrong, None)]

    assert {(360, 640, 3)} == shapes
    assert all("no certificate that can be believed" in error.message for error in refused)


def test_rtsp_camera_that_does_not_encrypt_is_told_from_one_of_another_certificate() -> None:
    """Whoever set it up looks in another place."""
    with server(answering(HTML)) as url:
        error = refusal(source(url.replace("rtsp://", "rtsps://")))

    assert "does not encrypt" in error.message


@pytest.mark.parametrize(("content", "mode"), [("", 0o600), ("hunter2", 0o644), (None, 0o600)])
def test_rtsp_password_that_is_being_changed_does_not_end_its_camera(
    tmp_path: Path, content: str | None, mode: int
) -> None:
    """A file that is empty, open to others or gone may be whole in a moment."""
    file = secret(tmp_path, content or "")
    file.chmod(mode)
    if content is None:
        file.unlink()

    error = refusal(source("rtsp://127.0.0.1:1/lane", user="viewer", password_file=file))

    assert "camera.password" in error.message
    assert error.retry_helps


def test_rtsp_password_is_seen_by_no_other_process(tmp_path: Path) -> None:
    """Not in the arguments of the decoding process, nor in its environment."""
    with rtsp_camera(user="viewer", password="hunter2hunter2") as camera:  # noqa: S106
        right = secret(tmp_path, "hunter2hunter2")
        of = source(camera.url, user="viewer", password_file=right)
        frames = of.frames()
        next(frames)
        [child] = children(os.getpid(), "postern.stream")
        seen = Path(f"/proc/{child}/cmdline").read_bytes()
        if os.geteuid() == 0:
            seen += Path(f"/proc/{child}/environ").read_bytes()
        stop(frames)

    assert b"postern.stream" in seen
    assert b"hunter2" not in seen


def test_rtsp_decoder_that_is_killed_is_started_anew() -> None:
    """One sentence, and frames again."""
    with rtsp_camera() as camera:
        of = source(camera.url)
        frames = of.frames()
        next(frames)
        [child] = children(os.getpid(), "postern.stream")
        os.kill(child, 9)
        with pytest.raises(PosternError, match="ended by signal 9") as caught:
            for _ in frames:
                pass

        assert caught.value.retry_helps
        assert (360, 640, 3) == first(of).image.shape


def test_rtsp_stream_of_fifty_megapixels_is_refused() -> None:
    """Before a picture of it is decoded."""
    with rtsp_camera(width=8192, height=6144, fps=1, pattern="black") as camera:
        error = refusal(source(camera.url))

    assert "pixels" in error.message
    # Whoever sets the camera right need not start the service anew.
    assert error.retry_helps


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does this with everybody who connects."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            Thread(target=behaved, args=(connection,), daemon=True).start()

    def behaved(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection)
            except OSError:
                return

    Thread(target=serve, daemon=True).start()
    try:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/lane"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Says the same whatever it is asked."""

    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return behave


def endless(connection: socket.socket) -> None:
    """A header that does not end."""
    connection.recv(65536)
    connection.sendall(b"RTSP/1.0 200 OK\r\n")
    for number in range(100_000):
        connection.sendall(b"X-Line-%d: %s\r\n" % (number, b"x" * 100))


def too_long(connection: socket.socket) -> None:
    """A description of a stream that is as long as a film."""
    connection.recv(65536)
    connection.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n")


HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html"


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (answering(HTML), "does not answer as a camera does"),
        (answering(b"\0\xff garbage"), "does not answer as a camera does"),
        (endless, "header that does not end"),
        (too_long, "too long"),
        (answering(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"), "knows no such stream"),
        (answering(b"RTSP/1.0 999\r\n\r\n"), "cannot be opened"),
        (lambda connection: None, "stopped sending|cannot be opened"),
    ],
)
def test_attack_camera_that_answers_otherwise_is_one_sentence(
    behave: Callable[[socket.socket], None], words: str
) -> None:
    """Whatever it says instead of pictures."""
    with server(behave) as url:
        error = refusal(source(url))

    assert error.retry_helps
    assert [] != [word for word in words.split("|") if word in error.message], error.message
    assert len(str(error)) < 300


def test_camera_that_says_nothing_is_given_up() -> None:
    """It takes the connection, and that is all."""
    with server(lambda connection: time.sleep(30.0)) as url:
        begun_s = time.monotonic()
        error = refusal(source(url))

    assert time.monotonic() - begun_s < 13.0
    assert "has given no picture" in error.message


def test_attack_camera_that_sends_its_viewers_elsewhere_is_not_followed() -> None:
    """The place that it names is never connected to."""
    elsewhere = socket.create_server(("127.0.0.1", 0))
    place = f"rtsp://127.0.0.1:{elsewhere.getsockname()[1]}/secret"
    moved = f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {place}\r\n\r\n".encode()
    with elsewhere, server(answering(moved)) as url:
        error = refusal(source(url))
        elsewhere.settimeout(0.5)
        with pytest.raises(TimeoutError):
            elsewhere.accept()

    assert "elsewhere" in error.message


BASIC = b'CSeq: %s\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n'


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"200 OK"])
def test_attack_camera_that_wants_the_password_in_the_clear(tmp_path: Path, status: bytes) -> None:
    """Whoever stands in its place would read it; FFmpeg tells it after any answer."""
    heard = list[bytes]()

    def behave(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            heard.append(request)
            number = request.partition(b"CSeq: ")[2].partition(b"\r")[0]
            connection.sendall(b"RTSP/1.0 " + status + b"\r\n" + BASIC % number)

    password = secret(tmp_path, "hunter2")
    with server(behave) as url:
        error = refusal(source(url, user="viewer", password_file=password))

    assert "wants the password in the clear, and was not told it" in error.message
    assert b"OPTIONS" in heard[0]
    assert b"Authorization" not in b"".join(heard)


def test_password_goes_in_the_clear_where_the_operator_says_so(tmp_path: Path) -> None:
    """Old cameras know no other way."""
    heard = list[bytes]()

    def behave(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            heard.append(request)
            number = request.partition(b"CSeq: ")[2].partition(b"\r")[0]
            connection.sendall(b"RTSP/1.0 401 Unauthorized\r\n" + BASIC % number)

    password = secret(tmp_path, "hunter2")
    with server(behave) as url:
        error = refusal(source(url, user="viewer", password_file=password, password_in_clear=True))

    assert b"Authorization: Basic " + b64encode(b"viewer:hunter2") in b"".join(heard)
    assert "wants another user or password" in error.message


def test_decoder_dies_with_whoever_started_it() -> None:
    """Killed itself, it can tell nobody."""
    with rtsp_camera() as camera:
        program = (
            "import sys\nfrom tests.sources.rtsp.test_source import source\n"
            "for _ in source(sys.argv[1]).frames():\n    print('x', flush=True)\n"
        )
        parent = subprocess.Popen(
            [_python(), "-c", program, camera.url], stdout=subprocess.PIPE, cwd=_root()
        )
        assert parent.stdout is not None
        assert b"x\n" == parent.stdout.readline()
        [child] = children(parent.pid, "postern.stream")
        parent.kill()
        parent.communicate()
        until_s = time.monotonic() + 3.0
        while Path(f"/proc/{child}").exists() and time.monotonic() < until_s:
            time.sleep(0.05)

        assert not Path(f"/proc/{child}").exists()


def children(parent: int, what: str) -> list[int]:
    """The processes that a process has started, by a word of their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            started_by = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if started_by == parent and what.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, IndexError):
            continue
    return found


def _python() -> str:
    return sys.executable


def _root() -> Path:
    return Path(__file__).parents[3]


def test_camera_of_the_tests_can_be_told_from_one_that_is_dead() -> None:
    """Where the peer is killed, nothing of this passes by itself."""
    with rtsp_camera() as camera:
        assert isinstance(camera, RtspCamera)
        camera.kill()
        error = refusal(source(camera.url))

    assert "cannot be reached" in error.message
