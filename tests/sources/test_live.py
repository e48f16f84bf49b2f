"""Cameras that may keep a reader waiting."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.sources import live
from postern.sources.live import LiveStream
from postern.stream.decoder import Decoder
from postern.stream.job import Job, Means
from postern.stream.taken import Taken
from tests.clocks import MachineClock, SteppedClock
from tests.media import number_of, picture, write_video

CAMERA = CameraId("gate")


class StalledCamera:
    """A device that sends some of a recording and then nothing: a pipe that is held open."""

    def __init__(self, folder: Path, data: bytes) -> None:
        self._path = folder / "device"
        self._data = data
        os.mkfifo(self._path)
        self._release = Event()
        self._feeder = Thread(target=self._feed)
        self._feeder.start()

    def open(self) -> Decoder:
        options = {"probesize": "5000"}
        return Decoder(
            Job(Means.DEVICE, str(self._path), "The camera", format="mjpeg", options=options)
        )

    def _feed(self) -> None:
        with self._path.open("wb", buffering=0) as pipe:
            pipe.write(self._data)
            self._release.wait(60.0)

    def release(self) -> None:
        self._release.set()
        self._feeder.join()


def played(path: Path) -> Decoder:
    """A recording in a camera's place."""
    return Decoder(Job(Means.DEVICE, str(path), "The camera"))


@pytest.fixture
def stalled(tmp_path: Path) -> Iterator[StalledCamera]:
    """Sends 30 pictures and then stalls."""
    path = write_video(tmp_path / "a.mjpeg", range(30), codec="mjpeg")
    camera = StalledCamera(tmp_path, path.read_bytes())
    yield camera
    camera.release()


def test_live_gives_the_newest_frame_and_shows_gaps(stalled: StalledCamera) -> None:
    """Whoever is slow gets the newest frame; the count tells what was passed over."""
    frames = LiveStream("The camera", stalled.open, CAMERA, MachineClock()).frames()

    first = next(frames)
    Event().wait(0.7)  # Long enough for the reader to come to what was sent last.
    second = next(frames)

    assert first.sequence == number_of(first.image)
    assert second.sequence == number_of(second.image)
    assert second.sequence >= 25
    assert first.sequence < second.sequence - 1


def test_live_says_when_the_device_ends(tmp_path: Path) -> None:
    """A camera never ends: where its stream does, it has gone, and may come back."""
    path = write_video(tmp_path / "a.avi", range(5), codec="mjpeg")
    stream = LiveStream("The camera", lambda: played(path), CAMERA, MachineClock())

    with pytest.raises(PosternError, match="has stopped sending") as caught:
        list(stream.frames())

    assert caught.value.retry_helps


def test_live_ends_within_a_second_of_close_while_the_device_stalls(
    stalled: StalledCamera,
) -> None:
    """A read that never returns does not keep `frames` from ending."""
    clock = MachineClock()
    stream = LiveStream("The camera", stalled.open, CAMERA, clock)
    closed: list[Moment] = []

    def close() -> None:
        closed.append(clock.now())
        stream.close()

    Timer(1.0, close).start()
    count = sum(1 for _ in stream.frames())

    assert count >= 1
    assert clock.now().since(closed[0]) < 1.0


def test_live_gives_up_on_a_device_that_stalls(
    stalled: StalledCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture for too long is an error that trying again may help."""
    monkeypatch.setattr(live, "NEXT_PICTURE_S", 0.5)
    clock = MachineClock()
    stream = LiveStream("The camera", stalled.open, CAMERA, clock)
    start = clock.now()

    with pytest.raises(PosternError, match="has given no picture") as caught:
        list(stream.frames())

    assert caught.value.retry_helps
    assert clock.now().since(start) < 8.0  # And not only after the patience for a first picture.


def test_live_hands_over_what_opening_the_device_raises() -> None:
    """An error on the reader's thread reaches whoever iterates, even an unforeseen one."""

    def broken() -> Decoder:
        raise ZeroDivisionError

    stream = LiveStream("The camera", broken, CAMERA, SteppedClock())

    with pytest.raises(ZeroDivisionError):
        list(stream.frames())


def test_live_opens_the_device_anew_after_an_error(stalled: StalledCamera) -> None:
    """A camera that comes back is found again by the next call of `frames`."""
    plugged = False

    def device() -> Decoder:
        if not plugged:
            raise PosternError(Code.UNAVAILABLE, "The camera is not there.")
        return stalled.open()

    stream = LiveStream("The camera", device, CAMERA, MachineClock())
    with pytest.raises(PosternError, match="not there"):
        list(stream.frames())
    plugged = True

    assert next(stream.frames()).image.shape == (64, 96, 3)


class Told:
    """Gives one picture after the other, each as it is told to have arrived, until the end."""

    def __init__(self, *arrived_s: float) -> None:
        self._arrived_s = arrived_s
        self._closed = Event()

    def pictures(self) -> Iterator[Taken]:
        for at_s in self._arrived_s:
            yield Taken(picture(0), at_s, None)
        self._closed.wait(60.0)

    def close(self) -> None:
        self._closed.set()


def test_live_stamps_frames_as_the_device_says() -> None:
    """A device that knows when it captured a picture is believed through `stamp`."""
    clock = SteppedClock()
    now_s = clock.now().monotonic_s

    def earlier(_taken: Taken, arrived: Moment) -> Moment:
        return arrived.plus(-0.25)

    frame = next(
        LiveStream("The camera", lambda: Told(now_s), CAMERA, clock, lambda: earlier).frames()
    )

    assert -0.25 == frame.captured.since(clock.now())


@pytest.mark.parametrize(
    ("waited_s", "age_s"), [(-5.0, 0.0), (0.0, 0.0), (9.0, 9.0), (12.0, 10.0), (1e300, 10.0)]
)
def test_picture_that_waited_for_the_service_is_as_old_as_it_is(
    waited_s: float, age_s: float
) -> None:
    """The machine stood still, or the service was stopped and went on: what had come before that
    does not look new; what cannot be is now."""
    clock = SteppedClock()
    told = Told(clock.now().monotonic_s - waited_s)

    frame = next(LiveStream("The camera", lambda: told, CAMERA, clock).frames())

    assert age_s == clock.now().since(frame.captured)


def test_live_keeps_times_from_running_backwards() -> None:
    """A device whose stamps fall behind gives its latest moment again."""
    clock = SteppedClock()
    lag, now_s = itertools.count(), clock.now().monotonic_s

    def ever_earlier(_taken: Taken, arrived: Moment) -> Moment:
        return arrived.plus(-float(next(lag)))

    told = Told(*[now_s] * 5)
    frames = LiveStream("The camera", lambda: told, CAMERA, clock, lambda: ever_earlier).frames()

    for frame in frames:
        assert clock.now() == frame.captured
        if frame.sequence == 4:
            break
