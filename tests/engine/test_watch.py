"""One camera, from its frames to the lane, and whatever goes wrong in between."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event, Semaphore

import pytest

from postern.core.errors import invalid
from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.engine.ports import Eye, Reader, Shuttered, Tamper, Trusting, Window
from postern.engine.supervise import BackOff
from postern.engine.watch import See, Watch
from postern.frame import Frame, Sighting, Track, Tracker
from tests.clocks import MachineClock
from tests.engine.doubles import (
    FakeGate,
    FakeObserver,
    FakeRecogniser,
    FakeSource,
    FakeTracker,
    frame,
    track,
    unavailable,
)
from tests.people import ALICE

CLOCK = MachineClock()
SHORT = BackOff(0.02, 0.1)
Fault = Callable[[Frame], None]


class Camera:
    """A watched camera with its doubles; what it shows the lane is kept."""

    def __init__(
        self,
        source: FakeSource,
        *,
        fault: Fault = lambda frame: None,
        opens: Callable[[Frame], bool] = lambda frame: True,
        see: See | None = None,
        desks: Semaphore | None = None,
        back_off: BackOff = SHORT,
        tracker: Tracker | None = None,
        tamper: Tamper | None = None,
        window: Window | None = None,
    ) -> None:
        self.source = source
        self.recogniser = FakeRecogniser(fault)
        self.tracker = FakeTracker()
        self.observer = FakeObserver([])
        self.shown: list[tuple[Track, ...]] = []
        name = CameraId("camera")
        follows = tracker or self.tracker
        reader = Reader(Kind.FACE, self.recogniser, follows)
        eye = Eye(
            name, source, FakeGate(opens), (reader,), tamper or Trusting(), window or Shuttered()
        )
        told = self.observer.health
        self.watch = Watch(eye, see or self.see, told, desks or Semaphore(1), back_off)

    def see(
        self, camera: CameraId, kind: Kind, tracks: tuple[Track, ...], captured: Moment
    ) -> None:
        self.shown.append(tracks)

    @property
    def states(self) -> list[str]:
        return self.observer.of(CameraId("camera"))


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Whatever a test does, both threads are gone at its end."""
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + 3.0
    while set(threading.enumerate()) - before and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not set(threading.enumerate()) - before


def film(who: str = ALICE, length: int = 5, gap_s: float = 0.02, first: int = 0) -> Iterator[Frame]:
    """Frames at a steady pace."""
    for sequence in range(first, first + length):
        yield frame("camera", CLOCK.now(), sequence, who)
        time.sleep(gap_s)


def failing(error: Exception) -> Iterator[Frame]:
    """A run that fails after a frame."""
    yield frame("camera", CLOCK.now(), 0)
    raise error


def test_recording_is_watched_to_its_end() -> None:
    """Its last frame is looked at, then nobody is there any more, and it is finished, once."""
    camera = Camera(FakeSource(film(), recording=True))
    camera.watch.start()

    assert camera.watch.wait(5.0)
    assert 4 == camera.recogniser.frames[-1]
    assert 5 == len(camera.recogniser.frames) + camera.watch.dropped
    assert [1] * len(camera.recogniser.frames) + [0] == [len(tracks) for tracks in camera.shown]
    camera.watch.stop()
    assert ["ok", "finished"] == camera.states


class _Window:
    """Remembers what was shown, and how much the lane had been shown by then; may break."""

    def __init__(self, lane: list[tuple[Track, ...]], *, breaks: bool = False) -> None:
        self._lane, self._breaks = lane, breaks
        self.shown: list[tuple[int, int]] = []

    def show(self, frame: Frame, tracks: Mapping[Kind, tuple[Track, ...]]) -> None:
        self.shown.append((frame.sequence, len(self._lane)))
        assert [Kind.FACE] == [*tracks]
        if self._breaks:
            raise RuntimeError("broken")


@pytest.mark.parametrize("breaks", [False, True])
def test_whoever_looks_is_shown_a_frame_once_it_was_decided_on(*, breaks: bool) -> None:
    """Each that was looked at; what breaks there takes nothing from the lane."""
    lane: list[tuple[Track, ...]] = []
    window = _Window(lane, breaks=breaks)
    camera = Camera(
        FakeSource(film(), recording=True),
        see=lambda _camera, _kind, tracks, _at: lane.append(tracks),
        window=window,
    )
    camera.watch.start()

    assert camera.watch.wait(5.0)
    looked_at = [*camera.recogniser.frames]
    assert [*zip(looked_at, range(1, len(looked_at) + 1), strict=True)] == window.shown
    camera.watch.stop()
    assert ["ok", "finished"] == camera.states


def test_recording_without_frames_ends() -> None:
    """Nothing was seen, so the lane hears nothing."""
    camera = Camera(FakeSource(iter(()), recording=True))
    camera.watch.start()

    assert camera.watch.wait(5.0)
    assert [] == camera.shown
    camera.watch.stop()


class Covered:
    """Finds the third to the sixth frame covered."""

    def fault(self, frame: Frame) -> str | None:
        return "is covered" if 2 <= frame.sequence < 6 else None


def test_camera_that_shows_nothing_is_told_and_not_looked_at() -> None:
    """Its frames go no further until it shows something again."""
    source = FakeSource(film(length=10, gap_s=0.05), recording=True)
    camera = Camera(source, tamper=Covered())
    camera.watch.start()

    assert camera.watch.wait(5.0)
    assert not {2, 3, 4, 5} & set(camera.recogniser.frames)
    assert 9 == camera.recogniser.frames[-1]
    camera.watch.stop()
    assert ["ok", "red", "ok", "finished"] == camera.states
    assert "the camera is covered" in [why for _, _, why in camera.observer.states]


class Clinging:
    """Never gives anybody up."""

    def update(self, sightings: Sequence[Sighting], now: Moment) -> tuple[Track, ...]:
        return (track(1, ALICE, now),)


def test_end_of_a_recording_leaves_nobody_whatever_the_tracker_says() -> None:
    """A patient tracker would still hold on to the last passer-by."""
    camera = Camera(FakeSource(film(), recording=True), tracker=Clinging())
    camera.watch.start()

    assert camera.watch.wait(5.0)
    assert () == camera.shown[-1]
    camera.watch.stop()


def test_newest_frame_wins_under_a_slow_recogniser() -> None:
    """What came in between is dropped and counted, and what is looked at only gets newer."""
    frames = 40
    camera = Camera(
        FakeSource(film(length=frames, gap_s=0.01), recording=True),
        fault=lambda frame: time.sleep(0.1),
    )
    camera.watch.start()

    assert camera.watch.wait(10.0)
    camera.watch.stop()
    looked_at = camera.recogniser.frames
    assert sorted(set(looked_at)) == looked_at
    assert frames - 1 == looked_at[-1]
    assert 2 <= len(looked_at) < frames / 2
    assert frames - len(looked_at) == camera.watch.dropped


def test_newest_frame_wins_after_waiting_for_a_desk() -> None:
    """While others are looked at frames grow old; the one that is taken then is the newest."""
    desks = Semaphore(1)
    desks.acquire()
    camera = Camera(FakeSource(film(length=10), recording=True), desks=desks)
    camera.watch.start()
    time.sleep(0.5)
    desks.release()

    assert camera.watch.wait(5.0)
    camera.watch.stop()
    assert [9] == camera.recogniser.frames
    assert 9 == camera.watch.dropped


def test_frames_that_the_gate_turns_away_only_age_the_tracks() -> None:
    """The recogniser rests; the tracker is told of every frame, so that tracks end."""
    camera = Camera(
        FakeSource(film(length=60), recording=True), opens=lambda frame: frame.sequence < 2
    )
    camera.watch.start()

    assert camera.watch.wait(10.0)
    camera.watch.stop()
    looked_at = len(camera.recogniser.frames)
    assert {0, 1} >= set(camera.recogniser.frames)
    assert 60 + 1 == len(camera.tracker.updates) + camera.watch.dropped
    assert {0} == {seen for seen, _ in camera.tracker.updates[looked_at:]}
    # A second after the last sighting the lane hears that nobody is there, before the end.
    assert () == camera.shown[-2]


def test_source_that_is_away_for_a_while_is_started_again() -> None:
    """Red while it is away, ok when its frames come again; its new frames are looked at."""
    source = FakeSource(failing(unavailable()), failing(unavailable()), film(first=10, length=1))
    camera = Camera(source)
    camera.watch.start()

    assert camera.observer.until(lambda: camera.states[-1:] == ["ok"] and source.starts == 3)
    assert "red" in camera.states
    assert 3 == source.starts
    deadline_s = time.monotonic() + 5.0
    while 10 not in camera.recogniser.frames and time.monotonic() < deadline_s:
        time.sleep(0.01)
    camera.watch.stop()
    assert 10 in camera.recogniser.frames


def test_source_that_can_never_be_read_goes_red_and_stays() -> None:
    """It is not started again, the watch ends, and nothing calls it finished or well."""
    source = FakeSource(failing(invalid("The file is damaged.")))
    camera = Camera(source)
    camera.watch.start()

    assert camera.watch.wait(5.0)
    camera.watch.stop()
    assert 1 == source.starts
    assert "red" == camera.states[-1]
    assert ("camera", "red", "The file is damaged.") == camera.observer.states[-1]


def test_recogniser_that_fails_unforeseen_goes_red_and_is_tried_again() -> None:
    """A frame that breaks it costs that frame; the next ones are looked at and all is well."""

    def third_breaks(shown: Frame) -> None:
        if 3 == len(camera.recogniser.frames):
            raise RuntimeError("a division by zero")

    camera = Camera(FakeSource(film(length=20), recording=True), fault=third_breaks)
    camera.watch.start()

    assert camera.watch.wait(5.0)
    camera.watch.stop()
    assert ["ok", "red", "ok", "finished"] == camera.states
    assert 19 == camera.recogniser.frames[-1]


def test_recogniser_that_fails_returns_its_desk() -> None:
    """Were it kept, no camera could be looked at again."""

    def broken(shown: Frame) -> None:
        raise RuntimeError

    desks = Semaphore(1)
    camera = Camera(FakeSource(film(), recording=True), fault=broken, desks=desks)
    camera.watch.start()
    camera.observer.until(lambda: "red" in camera.states)
    camera.watch.stop()

    assert desks.acquire(timeout=1.0)


def test_recogniser_that_can_never_work_ends_the_watch() -> None:
    """A model that does not fit: red for good, and the camera is let go of."""

    def misfit(shown: Frame) -> None:
        raise invalid("The model is damaged.")

    source = FakeSource(film(length=1000))
    camera = Camera(source, fault=misfit)
    camera.watch.start()

    assert camera.watch.wait(5.0)
    assert source.closed.wait(1.0)
    camera.watch.join(3.0)
    assert "red" == camera.states[-1]
    camera.watch.stop()


def test_lane_that_fails_is_tried_again() -> None:
    """Who may pass cannot be read for a moment: red, then well."""
    calls: list[int] = []

    def see(camera: CameraId, kind: Kind, tracks: tuple[Track, ...], captured: Moment) -> None:
        calls.append(len(tracks))
        if len(calls) == 1:
            raise unavailable()

    camera = Camera(FakeSource(film(length=20), recording=True), see=see)
    camera.watch.start()

    assert camera.watch.wait(5.0)
    camera.watch.stop()
    assert ["red", "ok"] == [state for state in camera.states if state != "finished"][-2:]
    assert len(calls) > 3


def test_observer_that_fails_stops_nothing() -> None:
    """A broken screen costs no frame."""

    def breaks() -> None:
        raise RuntimeError

    camera = Camera(FakeSource(film(), recording=True))
    camera.observer.fault = breaks
    camera.watch.start()

    assert camera.watch.wait(5.0)
    camera.watch.stop()
    assert 4 == camera.recogniser.frames[-1]


def endless() -> Iterator[Frame]:
    return film(length=100_000)


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.3])
def test_stop_ends_both_threads_at_any_time(after_s: float) -> None:
    """Within three seconds, twice, and nothing is shown to the lane afterwards."""
    camera = Camera(FakeSource(endless()))
    camera.watch.start()
    time.sleep(after_s)
    began_s = time.monotonic()
    camera.watch.stop()
    camera.watch.stop()

    assert time.monotonic() - began_s < 3.0
    shown = len(camera.shown)
    time.sleep(0.1)
    assert shown == len(camera.shown)
    assert camera.shown[-1:] in ([], [()])


def test_stop_before_start_starts_nothing() -> None:
    """A watch that was stopped stays so."""
    camera = Camera(FakeSource(endless()))
    camera.watch.stop()
    camera.watch.start()

    assert camera.watch.wait(3.0)
    assert [] == camera.recogniser.frames
    camera.watch.stop()


def test_stop_ends_the_wait_for_a_source_that_is_away() -> None:
    """Also while the next start is still a long time off."""
    camera = Camera(FakeSource(failing(unavailable())), back_off=BackOff(60.0, 60.0))
    camera.watch.start()
    camera.observer.until(lambda: "red" in camera.states)
    began_s = time.monotonic()
    camera.watch.stop()

    assert time.monotonic() - began_s < 3.0


def test_stop_ends_the_wait_for_a_desk() -> None:
    """Another camera's recogniser hangs and never gives its desk back."""
    desks = Semaphore(1)
    desks.acquire()
    camera = Camera(FakeSource(endless()), desks=desks)
    camera.watch.start()
    time.sleep(0.1)
    began_s = time.monotonic()
    camera.watch.stop()

    assert time.monotonic() - began_s < 3.0
    assert [] == camera.shown


def test_look_that_was_under_way_opens_nothing_after_stop() -> None:
    """The recogniser hangs; stop does not wait for it, and its sightings go nowhere."""
    hangs, hung = Event(), Event()

    def slow(shown: Frame) -> None:
        hung.set()
        hangs.wait(10.0)

    camera = Camera(FakeSource(endless()), fault=slow)
    camera.watch.start()
    assert hung.wait(5.0)
    began_s = time.monotonic()
    camera.watch.stop()
    assert time.monotonic() - began_s < 3.0
    assert camera.source.closed.is_set()

    hangs.set()
    camera.watch.join(3.0)
    assert not any(camera.shown)


def test_source_that_cannot_be_closed_stops_nobody() -> None:
    """Its failure is told, not raised, and its next frame is its last."""

    class Stuck(FakeSource):
        def close(self) -> None:
            raise OSError("stuck")

    camera = Camera(Stuck(endless()))
    camera.watch.start()
    camera.observer.until(lambda: "ok" in camera.states)
    camera.watch.stop()

    assert "red" in camera.states


def test_one_frame_is_read_for_each_kind_in_order() -> None:
    """Passes before faces, of one source that is opened once; each tracker has its own tracks, and
    each is told that everybody has gone."""
    shown: list[tuple[Kind, float, int]] = []

    def see(camera: CameraId, kind: Kind, tracks: tuple[Track, ...], captured: Moment) -> None:
        shown.append((kind, captured.monotonic_s, len(tracks)))

    source = FakeSource(film(length=3, gap_s=0.1), recording=True)
    passes, faces = FakeRecogniser(), FakeRecogniser()
    readers = (Reader(Kind.PASS, passes, FakeTracker()), Reader(Kind.FACE, faces, FakeTracker()))
    eye = Eye(CameraId("camera"), source, FakeGate(), readers)
    watch = Watch(eye, see, FakeObserver([]).health, Semaphore(1), SHORT)
    watch.start()
    assert watch.wait(5.0)
    watch.stop()

    assert 1 == source.starts
    assert passes.frames == faces.frames
    assert [Kind.PASS, Kind.FACE] * (len(shown) // 2) == [kind for kind, _, _ in shown]
    assert shown[::2] == [(Kind.PASS, *rest) for _, *rest in shown[1::2]]
    assert 0 == shown[-1][2]


def test_empty_scene_is_read_for_no_kind() -> None:
    """One gate stands before all recognisers, and is asked once for every frame."""
    asked: list[int] = []

    def opens(frame: Frame) -> bool:
        asked.append(frame.sequence)
        return False

    source = FakeSource(film(length=3, gap_s=0.1), recording=True)
    passes, faces = FakeRecogniser(), FakeRecogniser()
    readers = (Reader(Kind.PASS, passes, FakeTracker()), Reader(Kind.FACE, faces, FakeTracker()))
    eye = Eye(CameraId("camera"), source, FakeGate(opens), readers)
    watch = Watch(eye, lambda *_: None, FakeObserver([]).health, Semaphore(1), SHORT)
    watch.start()
    assert watch.wait(5.0)
    watch.stop()

    assert [] == passes.frames == faces.frames
    assert sorted(set(asked)) == asked
