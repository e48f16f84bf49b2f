"""Several lanes together: what befalls one leaves the others as they are."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, Lock, enumerate

import pytest

from postern.core.decision import Reason
from postern.core.errors import PosternError, invalid
from postern.core.event import Decided, Interrupted
from postern.core.event import Event as Kept
from postern.core.ids import AttemptId, CameraId
from postern.core.look import Kind
from postern.engine.ports import Eye, Reader
from postern.engine.service import Post, Service, close_interrupted
from postern.engine.supervise import BackOff
from postern.frame import Frame
from tests.clocks import MachineClock, SteppedClock
from tests.engine.doubles import (
    MALLORY,
    FakeGate,
    FakeLedger,
    FakeObserver,
    FakeRecogniser,
    FakeSource,
    FakeTracker,
    Stage,
    frame,
    unavailable,
)
from tests.people import ALICE, BARRIER, DOOR, NOW, VAN

CLOCK = MachineClock()
SHORT = BackOff(0.02, 0.1)
Fault = Callable[[Frame], None]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Whatever a test does, all threads are gone at its end."""
    before = set(enumerate())
    yield
    deadline_s = time.monotonic() + 3.0
    while set(enumerate()) - before and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not set(enumerate()) - before


def film(camera: str, who: str, length: int, gap_s: float = 0.03) -> Iterator[Frame]:
    """Somebody stands there for so many frames."""
    for sequence in range(length):
        yield frame(camera, CLOCK.now(), sequence, who)
        time.sleep(gap_s)


def eye(camera: str, source: FakeSource, fault: Fault = lambda frame: None) -> Eye:
    """A camera that looks for faces."""
    name, recogniser = CameraId(camera), FakeRecogniser(fault)
    return Eye(name, source, FakeGate(), (Reader(Kind.FACE, recogniser, FakeTracker()),))


def post(
    stage: Stage,
    who: str,
    length: int,
    *,
    recording: bool = False,
    fault: Fault = lambda frame: None,
) -> Post:
    """A lane with one camera that sees somebody."""
    camera = f"{stage.lane.access_point.id}-camera"
    source = FakeSource(film(camera, who, length), recording=recording)
    return Post(stage.lane, (eye(camera, source, fault),))


def two_lanes() -> tuple[Stage, Stage, FakeObserver]:
    """The door and the barrier, each with doubles of its own, and one observer of all cameras."""
    return Stage(DOOR, clock=CLOCK), Stage(BARRIER, clock=CLOCK), FakeObserver([])


def test_service_grants_on_every_lane_and_ends_with_its_sources() -> None:
    """Alice is let in at the door, Mallory is not at the barrier, and their attempts have ended."""
    door, barrier, observer = two_lanes()
    posts = [post(door, ALICE, 20, recording=True), post(barrier, MALLORY, 20, recording=True)]
    service = Service(posts, observer, 2, SHORT)
    service.start()

    assert service.wait(10.0)
    assert not door.actuator.closed
    service.stop()
    assert (True, True) == (door.actuator.closed, barrier.actuator.closed)
    assert ([Reason.PERMITTED], [Reason.UNAUTHORIZED]) == (door.reasons, barrier.reasons)
    assert (1, 0) == (len(door.pulses), len(barrier.pulses))
    assert [] == barrier.ledger.kept
    assert ["ok", "finished"] == observer.of(CameraId("door-camera"))


def always(error: Exception) -> Fault:
    """A recogniser that cannot look at anything."""

    def fault(shown: Frame) -> None:
        raise error

    return fault


@pytest.mark.parametrize("error", [RuntimeError("unforeseen"), invalid("Damaged."), unavailable()])
def test_lane_that_fails_leaves_the_others_open(error: Exception) -> None:
    """The barrier's recogniser never works; the door grants as if nothing were, with one desk."""
    door, barrier, observer = two_lanes()
    posts = [post(barrier, ALICE, 1000, fault=always(error)), post(door, ALICE, 1000)]
    service = Service(posts, observer, 1, SHORT)
    service.start()

    assert observer.until(lambda: "red" in observer.of(CameraId("barrier-camera")))
    assert door.observer.until(lambda: [Reason.PERMITTED] == door.reasons)
    service.stop()
    assert [] == barrier.calls
    assert "red" not in observer.of(CameraId("door-camera"))


def test_lane_whose_record_hangs_leaves_the_others_open() -> None:
    """The barrier waits for its ledger; the door does not wait for the barrier."""
    door, barrier, observer = two_lanes()
    writes = Event()

    def waits(event: Kept) -> None:
        writes.wait(10.0)

    barrier.ledger.before = waits
    posts = [post(barrier, ALICE, 1000), post(door, ALICE, 1000)]
    service = Service(posts, observer, 1, SHORT)
    service.start()

    assert door.observer.until(lambda: [Reason.PERMITTED] == door.reasons)
    writes.set()
    service.stop()


def test_camera_that_fails_leaves_the_lanes_other_camera_open() -> None:
    """One of the door's two cameras is away; the other one lets Alice in."""
    door, _, observer = two_lanes()
    away = (always_away() for _ in range(1000))
    eyes = (
        eye("left", FakeSource(*away)),
        eye("right", FakeSource(film("right", ALICE, 1000))),
    )
    service = Service([Post(door.lane, eyes)], observer, 1, SHORT)
    service.start()

    assert door.observer.until(lambda: [Reason.PERMITTED] == door.reasons)
    service.stop()
    assert ["red"] == observer.of(CameraId("left"))


def always_away() -> Iterator[Frame]:
    """A camera that cannot be reached."""
    raise unavailable()
    yield


def test_no_more_cameras_are_looked_at_at_once_than_there_are_workers() -> None:
    """Four cameras, two desks: the processor is never given more than two pictures."""
    busy, most, lock = set[str](), 0, Lock()

    def counts(shown: Frame) -> None:
        nonlocal most
        with lock:
            busy.add(shown.camera)
            most = max(most, len(busy))
        time.sleep(0.02)
        with lock:
            busy.discard(shown.camera)

    eyes = tuple(eye(f"c-{n}", FakeSource(film(f"c-{n}", "", 1000)), counts) for n in range(4))
    service = Service([Post(Stage(DOOR).lane, eyes)], FakeObserver([]), 2, SHORT)
    service.start()
    time.sleep(0.5)
    service.stop()

    assert 2 == most


def test_stop_is_bounded_however_many_cameras_hang() -> None:
    """Six recognisers hang; all are stopped within three seconds, not three each, and none of them
    opens anything when it comes back."""
    hangs = Event()
    stages = [Stage(DOOR, clock=CLOCK)]
    eyes = tuple(
        eye(f"c-{n}", FakeSource(film(f"c-{n}", ALICE, 1000)), lambda shown: hung(hangs))
        for n in range(6)
    )
    service = Service([Post(stages[0].lane, eyes)], FakeObserver([]), 6, SHORT)
    service.start()
    time.sleep(0.3)
    began_s = time.monotonic()
    service.stop()
    took_s = time.monotonic() - began_s
    hangs.set()

    assert took_s < 3.0
    assert service.wait(3.0)
    assert [] == stages[0].calls


def hung(until: Event) -> None:
    """Comes back when it may."""
    until.wait(20.0)


def test_wait_gives_up_in_time_and_dropped_adds_up() -> None:
    """A live camera never ends; what its slow recogniser missed is counted."""
    door, _, observer = two_lanes()
    slow = eye(
        "camera", FakeSource(film("camera", "", 10_000, 0.01)), lambda shown: time.sleep(0.1)
    )
    service = Service([Post(door.lane, (slow,))], observer, 1, SHORT)
    service.start()

    assert not service.wait(0.5)
    assert service.dropped > 5
    service.stop()


def test_service_refuses_what_could_not_work() -> None:
    """Nobody to look, two lanes for one access point, one camera twice before one lane, one kind
    twice before one camera."""
    one, other = Stage(DOOR), Stage(DOOR)
    once = eye("camera", FakeSource())
    twice = (once, eye("camera", FakeSource()))
    cases: tuple[tuple[list[Post], int], ...] = (
        ([Post(one.lane, ())], 0),
        ([Post(one.lane, ()), Post(other.lane, ())], 1),
        ([Post(one.lane, twice)], 1),
        ([Post(one.lane, (replace(once, readers=once.readers * 2),))], 1),
    )
    for posts, workers in cases:
        with pytest.raises(PosternError, match=r"\.$"):
            Service(posts, FakeObserver([]), workers)


def grant(attempt: str) -> Decided:
    """A grant without an answer."""
    return Decided(NOW, DOOR.id, AttemptId(attempt), Reason.PERMITTED, None, (VAN,), 4)


def test_close_interrupted_closes_every_grant() -> None:
    """Each is named with its access point and attempt, at the present time."""
    ledger, clock = FakeLedger([]), SteppedClock()

    assert 2 == close_interrupted((grant("a-1"), grant("a-2")), ledger, clock)
    assert [
        Interrupted(clock.now().utc, DOOR.id, AttemptId(attempt)) for attempt in ("a-1", "a-2")
    ] == ledger.kept


def test_close_interrupted_raises_where_nothing_can_be_recorded() -> None:
    """A site whose ledger cannot be written does not start."""

    def fails(event: Kept) -> None:
        raise unavailable()

    with pytest.raises(PosternError, match="cannot be reached"):
        close_interrupted((grant("a-1"),), FakeLedger([], before=fails), SteppedClock())
