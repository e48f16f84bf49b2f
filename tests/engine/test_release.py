"""Opening without recognising anybody: at once beside a busy lane, never twice, never lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Released
from postern.core.event import Event as Kept
from postern.core.ids import AccessPointId, CameraId
from postern.core.ports import Command, Report
from postern.engine.aside import PATIENCE_S
from postern.engine.release import MAX_BY, MAX_WHY, plain
from postern.engine.service import Post, Service
from tests.clocks import MachineClock
from tests.engine.doubles import FakeObserver, Stage, every_fault, fails, raising, unavailable
from tests.engine.test_lane_way_out import until
from tests.people import ALICE, BARRIER, DOOR, WAY_OUT

#: Seconds beyond its patience that a release may take on a busy machine.
SLACK_S = 0.8
both_ways = pytest.mark.parametrize("at", [DOOR, WAY_OUT], ids=["in", "out"])


def kinds(stage: Stage) -> list[str]:
    """What was recorded, in order."""
    return [type(event).__name__ for event in stage.ledger.kept]


@both_ways
def test_release_is_durable_then_carried_out_then_noted(at) -> None:
    """Who asked and why stand in the record before anything moves."""
    stage = Stage(at)
    report = stage.lane.release("guard", "a parcel")

    assert Report(True, "opened") == report
    assert ["durable", "pulse", "durable"] == stage.steps
    (released, acted) = stage.ledger.kept
    assert isinstance(released, Released)
    assert isinstance(acted, Acted)
    assert ("guard", "a parcel", at.id) == (released.by, released.why, released.access_point)
    assert released.attempt == acted.attempt
    assert [Command(released.attempt, at.id, at.hold_s)] == stage.pulses


@every_fault
def test_entry_that_cannot_be_recorded_stays_shut_and_an_exit_opens(
    fault: Callable[[], None],
) -> None:
    """Whatever the ledger says; the lane's health is red until it records again."""
    for at, pulses in ((DOOR, 0), (WAY_OUT, 1)):
        stage = Stage(at)
        stage.ledger.before = raising(fault)

        assert bool(pulses) is stage.lane.release("guard", "").done
        assert pulses == len(stage.pulses)
        stage.ledger.before = lambda event: None
        assert stage.lane.release("guard", "").done
        assert ["red", "ok"] == stage.observer.of(CameraId(at.id))


def test_entry_whose_record_fails_after_it_took_effect_stays_shut() -> None:
    """The event may stand; it is closed at the next start, and nothing has moved."""
    stage = Stage(DOOR)
    stage.ledger.after = raising(fails)

    assert not stage.lane.release("guard", "").done
    assert [] == stage.pulses
    assert ["Released"] == kinds(stage)


@every_fault
def test_actuator_that_fails_is_a_report_and_recorded(fault: Callable[[], None]) -> None:
    """Never an exception."""
    stage = Stage(DOOR)

    def answer(_command: Command) -> Report:
        fault()
        return Report(True, "not reached")

    stage.actuator.answer = answer

    assert not stage.lane.release("guard", "").done
    assert [False] == [acted.done for acted in stage.ledger.acted]


@both_ways
@pytest.mark.parametrize("part", ["ledger", "actuator", "register"])
def test_release_waits_for_no_busy_lane(at, part: str) -> None:
    """The lane waits for something that hangs, under its lock; a release goes past it."""
    stage, answer, inside = Stage(at, clock=MachineClock()), Event(), Event()

    def hang_once(*_: object) -> None:
        if not inside.is_set():
            inside.set()
            assert answer.wait(30)

    if part == "ledger":
        stage.ledger.before = hang_once
    elif part == "register":
        stage.register.fault = hang_once
    else:
        stage.actuator.answer = lambda _command: _opened(hang_once)
    lane = Thread(target=lambda: stage.face(stage.seen(1, ALICE)))
    lane.start()
    assert inside.wait(5)
    begun_s = monotonic()
    report = stage.lane.release("guard", "")
    took_s = monotonic() - begun_s
    answer.set()
    lane.join(10)

    assert report.done
    assert took_s < PATIENCE_S
    assert until(lambda: 4 == len(stage.ledger.kept))
    released = [event for event in stage.ledger.kept if isinstance(event, Released)]
    assert [1, 1] == [
        len([p for p in stage.pulses if p.id == attempt])
        for attempt in (released[0].attempt, stage.ledger.decided[0].attempt)
    ]


def test_record_that_comes_too_late_is_closed_and_opens_nothing() -> None:
    """Whoever asked hears after a second that it stays shut, and so it does, also later."""
    stage, answer = Stage(DOOR), Event()
    stage.ledger.before = lambda event: _hang(answer)
    begun_s = monotonic()
    reports = [stage.lane.release("guard", "") for _ in range(3)]
    took_s = monotonic() - begun_s

    assert [False] * 3 == [report.done for report in reports]
    assert took_s < PATIENCE_S + SLACK_S
    answer.set()
    assert until(lambda: 6 == len(stage.ledger.kept))
    assert [] == stage.pulses
    assert ["Released", "Acted"] * 3 == kinds(stage)
    assert [False] * 3 == [acted.done for acted in stage.ledger.acted]
    assert stage.lane.release("guard", "").done


def test_way_out_opens_beside_a_record_that_hangs_and_is_recorded_later() -> None:
    """The first is held up for a second, nobody after it; nothing is lost."""
    stage, answer = Stage(WAY_OUT), Event()
    stage.ledger.before = lambda event: _hang(answer)
    begun_s = monotonic()
    reports = [stage.lane.release("request_to_exit", "") for _ in range(5)]
    took_s = monotonic() - begun_s

    assert [True] * 5 == [report.done for report in reports]
    assert 5 == len(stage.pulses)
    assert took_s < PATIENCE_S + SLACK_S
    answer.set()
    assert until(lambda: 10 == len(stage.ledger.kept))
    assert {"Released": 5, "Acted": 5} == {k: kinds(stage).count(k) for k in set(kinds(stage))}
    attempts = [event.attempt for event in stage.ledger.kept if isinstance(event, Released)]
    assert sorted(attempts) == sorted(pulse.id for pulse in stage.pulses)


@pytest.mark.parametrize("slow_s", [PATIENCE_S - 0.02, PATIENCE_S, PATIENCE_S + 0.02])
def test_record_at_the_very_end_of_patience_either_opens_or_is_closed(slow_s: float) -> None:
    """What is reported, what moved and what is recorded always agree."""
    stage = Stage(DOOR)

    def slowly(event: Kept) -> None:
        if isinstance(event, Released):
            sleep(slow_s)

    stage.ledger.before = slowly
    report = stage.lane.release("guard", "")

    assert until(lambda: 2 == len(stage.ledger.kept))
    (acted,) = stage.ledger.acted
    assert report.done is acted.done is bool(stage.pulses)


def test_many_at_once_are_one_pulse_each_and_none_is_denied() -> None:
    """Eight callers beside one another: nobody counts as held up by a record that is only begun."""
    stage = Stage(DOOR, clock=MachineClock())
    stage.ledger.before = lambda event: sleep(0.01)
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda n: stage.lane.release("guard", str(n)), range(24)))

    assert all(report.done for report in reports)
    assert 24 == len(stage.pulses) == len({pulse.id for pulse in stage.pulses})
    assert until(lambda: 48 == len(stage.ledger.kept))


def test_failure_without_a_word_is_no_success() -> None:
    """An error that says nothing keeps an entry shut like any other."""
    stage = Stage(DOOR)
    stage.ledger.before = lambda event: _raise_silence()

    assert not stage.lane.release("guard", "").done
    assert [] == stage.pulses


def test_words_are_one_line_and_nothing_is_refused() -> None:
    """Whatever a button or a broker sends."""
    stage = Stage(WAY_OUT)
    assert stage.lane.release("x" * 999, "a\x1b[2Jb\n\tc\ud800" + "y" * 999).done

    (released,) = [event for event in stage.ledger.kept if isinstance(event, Released)]
    assert (MAX_BY, MAX_WHY) == (len(released.by), len(released.why))
    assert released.why.startswith("a [2Jb c")
    assert released.why.isprintable()
    assert "" == plain("\n", 5)


def test_service_releases_the_access_point_that_is_named_and_no_other() -> None:
    """An unknown one is refused with the known ones."""
    door, barrier = Stage(DOOR), Stage(BARRIER)
    service = Service([Post(door.lane, ()), Post(barrier.lane, ())], FakeObserver([]), 1)
    assert service.release(BARRIER.id, "guard", "").done

    assert (0, 1) == (len(door.pulses), len(barrier.pulses))
    with pytest.raises(PosternError, match="door, barrier") as refused:
        service.release(AccessPointId("gate"), "guard", "")
    assert Code.NOT_FOUND is refused.value.code


def _opened(first: Callable[[], None]) -> Report:
    first()
    return Report(True, "opened")


def _hang(answer: Event) -> None:
    assert answer.wait(30)


def _raise_silence() -> None:
    raise unavailable("")
