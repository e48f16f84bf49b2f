"""The process in which a camera's pictures are decoded."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.frame import Image
from postern.pixels import Pixels
from postern.stream.decoder import Decoder
from postern.stream.job import (
    Decoded,
    Job,
    Means,
    write_failure,
    write_picture,
)
from postern.stream.taken import read_taken
from tests.media import number_of, picture, write_video
from tests.needs import missing

ROOT = Path(__file__).parents[2]
#: Runs in a process that is confined as a decoder is, and says what it could do all the same.
TAKEN_OVER = """
import os, socket, subprocess, sys
from pathlib import Path
from postern.stream.confine import confine
from postern.stream.landlock import deny_files
secret, other_port, own_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
confine(os.getppid())
print("goes", Path("/proc/self/oom_score_adj").read_text().strip())
print("landlock", deny_files((), (own_port,), [Path(p) for p in sys.path if p]), flush=True)
def tried(name, work):
    try:
        work()
    except (OSError, MemoryError) as error:
        print(name, "denied", flush=True)
    else:
        print(name, "DONE", flush=True)
tried("read", lambda: open(secret).read())
tried("write", lambda: open(secret, "w").write("x"))
tried("make", lambda: open(secret + ".new", "w").write("x"))
tried("remove", lambda: os.unlink(secret))
tried("list", lambda: os.listdir(os.path.dirname(secret)))
tried("start", lambda: subprocess.run(["/bin/true"], check=True))
tried("memory", lambda: bytearray(2 * 1024**3))
tried("elsewhere", lambda: socket.create_connection(("127.0.0.1", other_port), 2.0))
tried("listen", lambda: socket.create_server(("127.0.0.1", 0)))
tried("signal", lambda: os.kill(os.getppid(), 0))
tried("whisper", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + sys.argv[4]))
tried("own", lambda: socket.create_connection(("127.0.0.1", own_port), 2.0))
"""
#: The decoding process, which says how many threads it has when it begins to deny itself files, and
#: ends there.
UNTIL_CONFINED = """
import os, sys
import postern.stream.__main__ as process
def confined(*_):
    os.write(2, b"%d" % len(os.listdir("/proc/self/task")))
    os._exit(0)
process.deny_files = confined
process.main()
"""


def pixels_of(image: Image) -> Pixels:
    """An array as plain bytes."""
    return Pixels(image.shape[1], image.shape[0], bytearray(image.tobytes()))


def played(path: Path, **settings: object) -> Decoder:
    """A recording in a camera's place."""
    return Decoder(Job(Means.DEVICE, str(path), "The camera", **settings))  # type: ignore[arg-type]


def test_pictures_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Each once, in their order."""
    path = write_video(tmp_path / "a.mp4", range(20))

    found = played(path).pictures()
    taken = [next(found) for _ in range(20)]

    assert list(range(20)) == [number_of(one.image) for one in taken]
    assert all(0.0 <= time.monotonic() - one.arrived_s < 30.0 for one in taken)
    with pytest.raises(PosternError, match="has stopped sending"):
        next(found)


def test_attack_decoder_that_was_taken_over_reaches_nothing(tmp_path: Path) -> None:
    """No file, no program, no memory without end, no other process, and nobody but its camera's
    port."""
    secret = tmp_path / "site.key"
    secret.write_text("secret", "utf-8")
    with (
        socket.create_server(("127.0.0.1", 0)) as own,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket(socket.AF_UNIX) as whispered,
    ):
        whispered.bind("")  # Any free abstract name.
        whispered.listen()
        ports = [str(one.getsockname()[1]) for one in (other, own)]
        said = subprocess.run(
            [
                sys.executable,
                "-c",
                TAKEN_OVER,
                str(secret),
                *ports,
                whispered.getsockname()[1:].decode(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT / "src")},
        ).stdout.splitlines()
    if "landlock False" in said:
        missing("Landlock in this kernel")

    assert ["goes 1000", "landlock True"] == said[:2]
    tried = dict(line.split() for line in said[2:])
    assert "DONE" == tried.pop("own")
    assert {"denied"} == set(tried.values()), tried
    assert "secret" == secret.read_text("utf-8")


@pytest.mark.parametrize("means", Means)
def test_attack_thread_or_word_before_the_process_is_confined(means: Means) -> None:
    """Landlock holds the thread that asks for it, and those that it starts later: there is no other
    one, and nothing has been said to the camera that it could have answered."""
    near, far = socket.socketpair()
    with near, far:
        job = Job(means, "/", "The camera", host="a", secure=True, address="127.0.0.1", port=1)
        done = subprocess.run(
            [sys.executable, "-c", UNTIL_CONFINED, str(os.getpid()), str(near.fileno())],
            input=job.encode(),
            capture_output=True,
            check=True,
            timeout=60,
            pass_fds=[near.fileno()],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1"},
        )
        near.close()

        assert b"1" == done.stderr
        assert b"" == far.recv(1)


class Flooded(Decoder):
    """A decoder that was taken over by its stream, and goes by nobody's pace."""

    def _start(self) -> "subprocess.Popen[bytes]":
        program = (
            "import sys\nfrom postern.pixels import Pixels\n"
            "from postern.stream.job import Decoded, write_picture\n"
            "picture = Decoded(Pixels(1, 1, bytearray(3)), 0.0, 0.0)\n"
            "while True: write_picture(sys.stdout.buffer, picture)"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT / "src")},
        )


def test_attack_decoder_that_floods_is_ended() -> None:
    """Reading a million small pictures would keep the service from deciding."""
    flooded = Flooded(Job(Means.RTSP, "/", "The camera", most_fps=5.0)).pictures()

    with pytest.raises(PosternError, match="more pictures than it was asked for"):
        list(islice(flooded, 1000))


def test_password_shows_nowhere() -> None:
    """Neither where a job is printed by mistake."""
    job = Job(Means.RTSP, "/", "The camera", user="viewer", password="hunter2")  # noqa: S106

    assert "hunter2" not in repr(job)
    assert job == Job.decode(job.encode())


def test_decoder_that_was_closed_before_it_began_starts_nothing(tmp_path: Path) -> None:
    """And closing twice is safe."""
    decoder = played(write_video(tmp_path / "a.mp4", range(3)))
    decoder.close()
    decoder.close()

    assert [] == list(decoder.pictures())


def test_decisions_come_before_pictures(tmp_path: Path) -> None:
    """A decoder is nicer than its service, and in its session, among whose processes that counts;
    but not in its group, which a terminal interrupts as a whole."""
    decoder = played(write_video(tmp_path / "a.mp4", range(3)))
    found = decoder.pictures()
    next(found)
    [process] = (one for one in _processes() if one.parent == os.getpid())
    decoder.close()

    assert os.getpriority(os.PRIO_PROCESS, 0) < process.nice
    assert os.getsid(0) == process.session
    assert os.getpgrp() != process.group


@dataclass(frozen=True, slots=True)
class Process:
    """What the kernel says of a process that decodes (proc_pid_stat(5))."""

    parent: int
    group: int
    session: int
    nice: int


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"postern.stream" in (folder / "cmdline").read_bytes():
                words = (folder / "stat").read_text("utf-8").rsplit(")", 1)[1].split()
                yield Process(*(int(words[at]) for at in (1, 2, 3, 16)))


def test_what_is_told_comes_back() -> None:
    """A picture, then a failure."""
    pipe, image = BytesIO(), picture(5)
    write_picture(pipe, Decoded(pixels_of(image), 12.5, None))
    write_failure(pipe, PosternError(Code.INVALID, "It is \x1b[31mred\nhere.", "Do this."))
    pipe.seek(0)

    taken = read_taken(pipe)
    assert taken is not None
    assert np.array_equal(image, taken.image)
    assert (12.5, None) == (taken.arrived_s, taken.time_s)
    with pytest.raises(PosternError) as caught:
        read_taken(pipe)
    assert (Code.UNAVAILABLE, "Do this.") == (caught.value.code, caught.value.hint)
    assert caught.value.message.isprintable()


@given(st.binary(max_size=200))
def test_attack_decoder_that_talks_nonsense(said: bytes) -> None:
    """Whatever it says is a picture, the end, or an error of ours."""
    for beginning in (b"", b"PSTN", b"PSTN\x01\x00" + b"\x10\x00\x00\x00" * 2):
        try:
            read_taken(BytesIO(beginning + said))
        except PosternError:
            continue


def test_attack_decoder_that_promises_a_huge_picture() -> None:
    """It is refused by its head."""
    pipe = BytesIO()
    write_picture(pipe, Decoded(pixels_of(picture(1)), 0.0, 0.0))
    head = bytearray(pipe.getvalue()[:34])
    head[6:14] = (60_000).to_bytes(4, "little") * 2
    with pytest.raises(PosternError, match="nonsense"):
        read_taken(BytesIO(bytes(head) + b"\0" * 100))


def test_decoder_that_streams_is_small() -> None:
    """There are many of them: what takes megabytes in each is not loaded without need."""
    said = subprocess.run(
        [sys.executable, "-c", "import sys, postern.stream.__main__; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "av" in said
    assert set() == {"numpy", "cv2", "httpx", "asyncio", "postern.frame"} & set(said)
