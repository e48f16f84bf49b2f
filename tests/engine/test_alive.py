"""Whether a service is alive: what a service manager's watchdog goes by."""

import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from postern.core.access_point import AccessPoint
from postern.core.ids import CameraId
from postern.core.ports import Command, Report
from postern.engine.lane import Lane
from postern.engine.progress import PATIENCE_S, STUCK_S, Progress
from postern.engine.service import Post, Service
from postern.engine.supervise import BackOff
from postern.frame import Frame
from tests.clocks import MachineClock
from tests.engine.doubles import FakeObserver, FakeSource, Stage, raising, unavailable
from tests.engine.test_service import eye, film, post
from tests.people import ALICE, BARRIER, DOOR, WAY_OUT

CLOCK = MachineClock()
#: Longer than any test takes.
NEVER = BackOff(60.0, 60.0)


class Passing:
    """The monotonic clock, which a test sets forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return CLOCK.now().monotonic_s + self.ahead_s


@pytest.fixture
def passing() -> Passing:
    return Passing()


@pytest.fixture
def end() -> Iterator[Event]:
    """Set when the test is over, so that what hangs ends."""
    event = Event()
    yield event
    event.set()


def told(stage: Stage, lane: Lane) -> list[tuple[str, str]]:
    """What was said of the access point itself."""
    return [(s, why) for who, s, why in stage.observer.states if who == str(lane.access_point.id)]


def soon(true: Callable[[], bool]) -> bool:
    """Whether something holds within a few seconds."""
    until_s = time.monotonic() + 5.0
    while not true() and time.monotonic() < until_s:
        time.sleep(0.02)
    return true()


def stage_at(place: AccessPoint, passing: Passing) -> Stage:
    stage = Stage(place, clock=CLOCK)
    stage.lane.progress = Progress(passing)
    return stage


def test_quiet_and_busy_lanes_are_alive(passing: Passing) -> None:
    """Whatever the time; a recording that ended, and a camera that is red, count as well."""
    door, barrier = stage_at(DOOR, passing), stage_at(BARRIER, passing)
    observer = FakeObserver([])

    def broken(_frame: object) -> None:
        raise unavailable()

    posts = [
        post(door, ALICE, 10, recording=True),
        post(barrier, ALICE, 1000, fault=broken),
    ]
    service = Service(posts, observer, 2, NEVER)
    service.start()

    assert observer.until(lambda: "finished" in observer.of(CameraId("door-camera")))
    assert observer.until(lambda: "red" in observer.of(CameraId("barrier-camera")))
    assert service.alive()
    passing.ahead_s = 2 * STUCK_S
    # The one that takes frames in gets on; the one that looks waits to be started again.
    assert soon(service.alive)
    service.stop()
    assert [] == told(door, door.lane)


@pytest.mark.parametrize("where", ["actuator", "comparison"])
def test_lane_that_never_moves_again_is_not_alive(where: str, passing: Passing, end: Event) -> None:
    """Neither a deadlock nor an actuator that breaks its promise ends by itself; it is told."""
    door, barrier = stage_at(DOOR, passing), stage_at(BARRIER, passing)
    stuck, observer = Event(), FakeObserver([])

    def hang() -> None:
        stuck.set()
        end.wait(30.0)

    if where == "actuator":
        door.actuator.answer = lambda command: _after(hang, command)
    else:
        door.faces.fault = hang
    service = Service([post(door, ALICE, 1000), post(barrier, ALICE, 1000)], observer, 2, NEVER)
    service.start()

    assert stuck.wait(5.0)
    assert service.alive()
    passing.ahead_s = 2 * STUCK_S
    assert soon(lambda: barrier.lane.progress.stuck_s() < STUCK_S)
    assert not service.alive()
    assert [("red", "nothing moves here any more: only a start of the service helps")] == told(
        door, door.lane
    )
    assert [] == told(barrier, barrier.lane)
    end.set()
    service.stop()


def _after(hang: Callable[[], None], command: Command) -> Report:
    hang()
    return Report(False, f"too late for {command.access_point}")


def test_disk_that_does_not_answer_is_told_and_no_start_is_asked_for(
    passing: Passing, end: Event
) -> None:
    """A start would wait for it as well, and keep everybody from leaving; it is told when it is
    over."""
    door = stage_at(DOOR, passing)
    stuck = Event()

    def hang() -> None:
        stuck.set()
        end.wait(30.0)

    door.ledger.before = raising(hang)
    service = Service([post(door, ALICE, 1000)], FakeObserver([]), 2, NEVER)
    service.start()

    assert stuck.wait(5.0)
    passing.ahead_s = PATIENCE_S + STUCK_S
    assert service.alive()
    assert ["red"] == [state for state, _ in told(door, door.lane)]
    assert "does not answer" in told(door, door.lane)[0][1]
    end.set()
    assert soon(lambda: bool(door.pulses) and door.lane.progress.stuck_s() < STUCK_S)
    assert service.alive()
    assert ["red", "ok"] == [state for state, _ in told(door, door.lane)]
    service.stop()


def test_way_out_is_alive_whatever_hangs_aside(passing: Passing, end: Event) -> None:
    """Its camera waits for no disk."""
    out = stage_at(WAY_OUT, passing)
    out.ledger.before = lambda event: _waits(end)
    service = Service([post(out, ALICE, 1000)], FakeObserver([]), 2, NEVER)
    service.start()

    assert out.observer.until(lambda: bool(out.pulses), 10.0)
    passing.ahead_s = 2 * STUCK_S
    assert soon(service.alive)
    end.set()
    service.stop()


def _waits(end: Event) -> None:
    end.wait(30.0)


def test_camera_that_hangs_at_its_start_is_not_alive(passing: Passing, end: Event) -> None:
    """A live source promises to raise where nothing comes."""
    door = stage_at(DOOR, passing)

    def silent() -> Iterator[Frame]:
        end.wait(30.0)
        yield from film("door-camera", ALICE, 1)

    quiet = Post(door.lane, (eye("door-camera", FakeSource(silent())),))
    service = Service([quiet], FakeObserver([]), 1, NEVER)
    service.start()

    assert service.alive()
    passing.ahead_s = 2 * STUCK_S
    # The thread that looks gets on every half second; it is not the one that is meant.
    time.sleep(1.0)
    assert not service.alive()
    end.set()
    service.stop()


def test_counts_say_what_came_and_what_was_dropped() -> None:
    """By camera, with the time that looking took."""
    door = Stage(DOOR, clock=CLOCK)
    service = Service([post(door, ALICE, 20, recording=True)], FakeObserver([]), 1, NEVER)
    service.start()
    assert service.wait(10.0)
    service.stop()

    (count,) = service.counts
    assert ("door-camera", 20, service.dropped) == (count.camera, count.taken, count.dropped)
    assert 0.0 < count.looking_s < 10.0
