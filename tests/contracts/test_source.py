"""What every kind of source must do, run over every row of KINDS.

A kind whose device can be stood in for is run in full. A kind that needs hardware is listed in
NEEDS_DEVICE, and only what needs none is run: nothing here may be skipped, and no machine that runs
these tests has a camera. What that leaves untried is said in the kind's quality.toml.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.frame import Frame, Source
from postern.sources import KINDS
from tests.clocks import MachineClock
from tests.media import picture, write_video
from tests.rtsp_camera import rtsp_camera
from tests.snapshot_camera import snapshot_camera

CAMERA = CameraId("gate")


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """What stands on the other side while a test runs."""
    with ExitStack() as stack:
        yield stack


def endless_file(folder: Path, _peers: ExitStack) -> object:
    """A recording that plays for ever, in real time."""
    return KINDS["file"].config(write_video(folder / "a.mp4", range(20), fps=25), loop=True)


def rtsp(folder: Path, peers: ExitStack) -> object:
    """GStreamer's RTSP server, showing the numbered pictures."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(20):
        cv2.imwrite(str(pictures / f"{number:02d}.jpg"), picture(number))
    camera = peers.enter_context(rtsp_camera(folder=pictures, fps=10))
    return KINDS["rtsp"].config(camera.url, fps=30.0)


def snapshot(_folder: Path, peers: ExitStack) -> object:
    """A web server that gives a picture at a time."""
    camera = peers.enter_context(snapshot_camera())
    return KINDS["snapshot"].config(camera.url, fps=30.0)


#: How to configure a source that gives frames until it is closed.
WORKING: dict[str, Callable[[Path, ExitStack], object]] = {
    "file": endless_file,
    "rtsp": rtsp,
    "snapshot": snapshot,
}
NEEDS_DEVICE = {"v4l"}
#: How to configure one whose camera or file is not there, and what its error names.
ABSENT: dict[str, Callable[[Path], tuple[object, str]]] = {
    "file": lambda folder: (KINDS["file"].config(folder / "absent.mp4"), str(folder)),
    "rtsp": lambda _: (KINDS["rtsp"].config("rtsp://127.0.0.1:9/lane"), "127.0.0.1:9"),
    "snapshot": lambda _: (KINDS["snapshot"].config("http://127.0.0.1:9/"), "127.0.0.1:9"),
    "v4l": lambda folder: (KINDS["v4l"].config(str(folder / "video0")), str(folder)),
}

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
working_kinds = pytest.mark.parametrize("kind", sorted(WORKING))


def opened(kind: str, config: object) -> Source:
    """A source by its row of KINDS."""
    return KINDS[kind].open(config, CAMERA, MachineClock())


def some_frames(source: Source, count: int) -> list[Frame]:
    """The first frames; the source is closed after them."""
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if len(frames) == count:
            source.close()
    return frames


def test_every_kind_is_in_this_suite() -> None:
    """A new kind cannot be left out, nor be run in part without saying so."""
    assert set(KINDS) == set(WORKING) | NEEDS_DEVICE
    assert set(KINDS) == set(ABSENT)
    assert not set(WORKING) & NEEDS_DEVICE


@working_kinds
def test_source_gives_colour_pictures(kind: str, tmp_path: Path, peers: ExitStack) -> None:
    """Frames are uint8 of shape (H, W, 3) of the camera that was named."""
    for frame in some_frames(opened(kind, WORKING[kind](tmp_path, peers)), 3):
        assert np.uint8 == frame.image.dtype
        assert 3 == frame.image.ndim == frame.image.shape[2]
        assert frame.image.flags.c_contiguous
        assert CAMERA == frame.camera


@working_kinds
def test_source_gives_blue_green_red(kind: str, tmp_path: Path, peers: ExitStack) -> None:
    """The red band of the test picture is red in the last channel."""
    [frame] = some_frames(opened(kind, WORKING[kind](tmp_path, peers)), 1)

    blue, green, red = frame.image[24, 48]
    assert red > 200
    assert max(blue, green) < 60


@working_kinds
def test_source_tells_both_times(kind: str, tmp_path: Path, peers: ExitStack) -> None:
    """Capture is told in UTC and on the monotonic clock, not after now and never backwards."""
    clock = MachineClock()
    before = clock.now()
    frames = some_frames(opened(kind, WORKING[kind](tmp_path, peers)), 5)
    after = clock.now()

    moments = [frame.captured for frame in frames]
    assert all(timedelta(0) == moment.utc.utcoffset() for moment in moments)
    stamps = [before.monotonic_s, *(m.monotonic_s for m in moments), after.monotonic_s]
    assert sorted(stamps) == stamps


@working_kinds
def test_source_counts_its_frames(kind: str, tmp_path: Path, peers: ExitStack) -> None:
    """The sequence begins at or above 0 and grows with every frame."""
    counts = [f.sequence for f in some_frames(opened(kind, WORKING[kind](tmp_path, peers)), 25)]

    assert counts[0] >= 0
    assert sorted(set(counts)) == counts


@working_kinds
def test_source_stops_within_a_second_of_close(kind: str, tmp_path: Path, peers: ExitStack) -> None:
    """`close` from another thread ends `frames`, without an error."""
    source = opened(kind, WORKING[kind](tmp_path, peers))
    running, ended = Event(), Event()

    def consume() -> None:
        for _ in source.frames():
            running.set()
        ended.set()

    consumer = Thread(target=consume)
    consumer.start()
    assert running.wait(20.0)
    source.close()

    assert ended.wait(1.0)
    consumer.join()


@every_kind
def test_source_gives_nothing_after_close(kind: str, tmp_path: Path) -> None:
    """Closed twice and before it began, it ends at once and reaches for nothing."""
    source = opened(kind, ABSENT[kind](tmp_path)[0])
    source.close()
    source.close()

    assert [] == list(source.frames())


@every_kind
def test_source_says_in_one_sentence_what_is_not_there(kind: str, tmp_path: Path) -> None:
    """An absent camera or file is an error of ours, when frames are asked for and not before."""
    source = opened(kind, ABSENT[kind](tmp_path)[0])

    with pytest.raises(PosternError) as caught:
        next(source.frames())

    assert caught.value.code in (Code.UNAVAILABLE, Code.NOT_FOUND)
    assert ABSENT[kind](tmp_path)[1] in caught.value.message


@every_kind
def test_source_says_whether_it_is_live(kind: str, tmp_path: Path) -> None:
    """Only a camera is live; enrolment asks."""
    live = opened(kind, ABSENT[kind](tmp_path)[0]).live

    assert live is (kind != "file")
