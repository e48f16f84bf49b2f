"""One access point: what opens it, in which order, and what it does when something fails."""

import gc
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import partial
from threading import Barrier, Event
from time import sleep
from types import NoneType

import pytest

from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.event import Acted, Decided
from postern.core.event import Event as Kept
from postern.core.evidence import BANDS, band
from postern.core.ids import CameraId
from postern.core.look import Flaw, Kind
from postern.core.mode import Mode
from postern.core.ports import Command, Report
from tests.clocks import MachineClock
from tests.engine.doubles import (
    MALLORY,
    Stage,
    breaks,
    every_fault,
    fails,
    raising,
    track,
)
from tests.people import ALICE, BARRIER, COUPE, DOOR, ERIN, WAY_OUT


def test_grant_is_durable_then_fresh_then_carried_out_then_noted() -> None:
    """The order of the promise: record, pulse, answer, who is inside, and only then talk."""
    stage = Stage()
    stage.face(stage.seen(1, ALICE))

    assert ["durable", "pulse", "durable", "passed", "told"] == stage.steps
    (decided, acted) = stage.ledger.kept
    assert isinstance(decided, Decided)
    assert isinstance(acted, Acted)
    assert (Reason.PERMITTED, (ALICE,), "alice") == (
        decided.reason,
        decided.holders,
        decided.permit,
    )
    assert acted.done
    assert decided.attempt == acted.attempt
    assert [Command(decided.attempt, DOOR.id, DOOR.hold_s)] == stage.pulses


def test_record_has_a_coarse_step_of_the_chance_and_nothing_finer() -> None:
    """What was computed stays in memory; what is kept is the power of ten that it is below."""
    stage = Stage()
    stage.face(stage.seen(1, ALICE))
    (outcome,) = stage.observer.outcomes
    (decided,) = stage.ledger.decided

    assert 0.0 < outcome.decision.bound < 1.0
    assert band(outcome.decision.bound) == decided.band
    assert decided.band in range(1, len(BANDS) + 1)


@pytest.mark.parametrize(("at", "opens"), [(DOOR, False), (WAY_OUT, True)])
def test_lockdown_lets_nobody_in_and_everybody_out(at, opens: bool) -> None:
    """Whoever was recognised is told why, which is recorded with who it was."""
    stage = Stage(at)
    stage.register.mode = Mode.LOCKDOWN
    stage.face(stage.seen(1, ALICE))
    stage.face()

    reason = Reason.EXIT if opens else Reason.LOCKDOWN
    assert [reason] == stage.reasons
    assert [(reason, (ALICE,))] == [(d.reason, d.holders) for d in stage.ledger.decided]
    assert opens is bool(stage.pulses)


@pytest.mark.parametrize("who", [ALICE, MALLORY])
def test_templates_die_with_the_attempt(who: str) -> None:
    """While somebody is there the lane has theirs; when they have gone nobody has,
    and what was told and recorded is made of words, numbers and times."""
    stage = Stage()
    shown = stage.seen(1, who)
    template = weakref.ref(shown.probes[0].values)
    stage.face(shown)
    del shown
    gc.collect()
    assert template() is not None

    stage.later(2.0)
    stage.face()
    gc.collect()
    assert template() is None
    assert 1 == len(stage.observer.outcomes)
    left = {type(leaf) for _, value in stage.calls for leaf in leaves(value)}
    assert all(issubclass(kind, str | int | float | datetime | NoneType) for kind in left), left


def leaves(value: object) -> Iterator[object]:
    """Whatever is inside, at any depth."""
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def test_freshness_is_checked_after_the_record_and_before_the_pulse() -> None:
    """A record that takes just within the time opens; one that takes longer does not."""
    for took_s, second in ((1.9, "pulse"), (2.1, "durable")):
        stage = Stage()
        stage.ledger.after = partial(takes, stage, took_s)
        stage.face(stage.seen(1, ALICE))

        assert second == stage.steps[1]


def takes(stage: Stage, seconds: float, event: Kept) -> None:
    """Recording a decision takes so long."""
    if isinstance(event, Decided):
        stage.later(seconds)


def test_grant_that_becomes_stale_while_recorded_never_pulses() -> None:
    """It is told as stale, and the record says that nothing was done."""
    stage = Stage()
    stage.ledger.after = lambda event: stage.later(2.5)
    stage.face(stage.seen(1, ALICE))

    assert [] == stage.pulses
    assert [Reason.STALE] == stage.reasons
    assert [False] == [acted.done for acted in stage.ledger.acted]
    assert stage.ledger.decided[0].attempt == stage.ledger.acted[0].attempt
    assert "passed" not in stage.steps


def test_clock_that_gives_the_impossible_after_the_record_never_pulses() -> None:
    """Freshness is what must hold: a monotonic clock that ran backwards is not fresh for ever."""
    stage = Stage()
    stage.ledger.after = lambda event: stage.later(-5.0)
    stage.face(stage.seen(1, ALICE))

    assert [] == stage.pulses


@every_fault
def test_ledger_that_fails_keeps_it_shut(fault: Callable[[], None]) -> None:
    """No record, no pulse, whatever the failure; the reason is `other`, and it shows as red."""
    stage = Stage()
    stage.ledger.before = raising(fault)
    stage.face(stage.seen(1, ALICE))

    assert [] == stage.pulses
    assert [Reason.NOT_RECORDED] == stage.reasons
    assert 1.0 == stage.observer.outcomes[0].decision.bound
    assert ["red"] == stage.observer.of(CameraId(DOOR.id))
    assert "passed" not in stage.steps


@every_fault
def test_ledger_that_fails_after_it_took_effect_keeps_it_shut(fault: Callable[[], None]) -> None:
    """The grant may be on record or not: nothing opens, and the next grant has another name."""
    stage = Stage()
    stage.ledger.after = raising(fault)
    stage.face(stage.seen(1, ALICE))
    assert [] == stage.pulses

    stage.ledger.after = lambda event: None
    stage.later(0.5)
    stage.face(stage.seen(1, ALICE, looks=2))

    assert ["a-1", "a-2"] == [decided.attempt for decided in stage.ledger.decided]
    assert ["a-2"] == [command.id for command in stage.pulses]
    assert ["red", "ok"] == stage.observer.of(CameraId(DOOR.id))


def test_actuator_that_fails_is_reported_and_nobody_has_passed() -> None:
    """The grant stands, the answer is on record, and the area's count stays."""
    stage = Stage()
    stage.actuator.answer = lambda command: Report(False, "the relay did not answer")
    for looks in (1, 2, 3):
        stage.face(stage.seen(1, ALICE, looks=looks))

    assert 1 == len(stage.pulses)
    assert [(False, "the relay did not answer")] == [(a.done, a.detail) for a in stage.ledger.acted]
    assert ["the relay did not answer"] == [o.detail for o in stage.observer.outcomes]
    assert [False] == [o.driven for o in stage.observer.outcomes]
    assert "passed" not in stage.steps


def test_actuator_that_raises_is_noted_as_a_failure() -> None:
    """It must not, but if it does, it has been asked once, and the record does not stay open."""
    stage = Stage()

    def answer(command: Command) -> Report:
        raise OSError("no route to the relay")

    stage.actuator.answer = answer
    for looks in (1, 2, 3):
        stage.face(stage.seen(1, ALICE, looks=looks))

    assert 1 == len(stage.pulses)
    assert [False] == [acted.done for acted in stage.ledger.acted]
    assert 1 == len(stage.observer.outcomes)


@every_fault
def test_answer_that_cannot_be_recorded_opens_nothing_twice(fault: Callable[[], None]) -> None:
    """The grant is durable and the pulse over: the next start closes it."""
    stage = Stage()

    def only_grants(event: Kept) -> None:
        if isinstance(event, Acted):
            fault()

    stage.ledger.before = only_grants
    for looks in (1, 2, 3):
        stage.face(stage.seen(1, ALICE, looks=looks))

    assert 1 == len(stage.pulses)
    assert 1 == len(stage.ledger.decided)
    assert [] == stage.ledger.acted
    assert [Reason.PERMITTED] == stage.reasons
    assert ["red"] == stage.observer.of(CameraId(DOOR.id))


@every_fault
def test_passage_that_cannot_be_counted_breaks_nothing(fault: Callable[[], None]) -> None:
    """The pulse and its record are complete; that the count is off shows as red."""
    stage = Stage()
    stage.register.passed_fault = fault
    stage.face(stage.seen(1, ALICE))

    assert [True] == [acted.done for acted in stage.ledger.acted]
    assert [Reason.PERMITTED] == stage.reasons
    assert ["red"] == stage.observer.of(CameraId(DOOR.id))


def test_observer_that_fails_breaks_nothing() -> None:
    """A broken table on a screen neither keeps anybody out nor opens twice."""
    stage = Stage()
    stage.observer.fault = breaks
    for looks in (1, 2):
        stage.face(stage.seen(1, ALICE, looks=looks))
    stage.face()
    stage.face(stage.seen(2, ALICE))

    assert 2 == len(stage.pulses)
    assert [True, True] == [acted.done for acted in stage.ledger.acted]


def test_grant_that_was_put_off_is_told_once() -> None:
    """Alice was not recognised at first, then could not be recorded, and leaves with her back to
    the camera: nothing is added to that."""
    stage = Stage()
    stage.ledger.before = raising(fails)
    stage.face(stage.seen(1, MALLORY))
    stage.face(stage.seen(1, ALICE, looks=2))
    stage.face(track(1, ALICE, stage.now(), looks=2, flaws=(Flaw.TURNED_AWAY,)))
    stage.face()

    assert [Reason.NOT_RECORDED] == stage.reasons


@every_fault
@pytest.mark.parametrize("part", ["register", "faces"])
def test_failure_on_the_way_in_is_raised_and_the_lane_goes_on(
    fault: Callable[[], None], part: str
) -> None:
    """The lock is free, nothing opened, and the look that met the failure is not lost."""
    stage = Stage()
    getattr(stage, part).fault = fault
    with pytest.raises((PosternError, RuntimeError)):
        stage.face(stage.seen(1, ALICE))
    assert [] == stage.calls

    getattr(stage, part).fault = lambda: None
    stage.later(0.1)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)


@every_fault
def test_failure_for_one_passer_by_leaves_nothing_for_the_next(fault: Callable[[], None]) -> None:
    """Alice came while the register was away and has gone; Mallory comes to a clean lane."""
    stage = Stage()
    stage.register.fault = fault
    with pytest.raises((PosternError, RuntimeError)):
        stage.face(stage.seen(1, ALICE))
    stage.face()
    stage.register.fault = lambda: None
    stage.face(stage.seen(2, MALLORY))
    stage.face()
    assert [] == stage.pulses

    stage.face(stage.seen(3, ALICE))

    assert 1 == len(stage.pulses)


def test_latency_ends_with_the_actuators_answer() -> None:
    """Recording what it answered comes later and is not counted; recording the grant is."""
    stage = Stage()

    def slow(event: Kept) -> None:
        stage.later(0.3 if isinstance(event, Decided) else 1.0)

    def answer(command: Command) -> Report:
        stage.later(0.2)
        return Report(True, "opened")

    stage.ledger.after, stage.actuator.answer = slow, answer
    captured = stage.now()
    stage.later(0.1)
    stage.lane.see(CameraId("face-camera"), Kind.FACE, (track(1, ALICE, captured),), captured)

    assert 0.6 == pytest.approx(stage.observer.outcomes[0].latency_s)


def test_latency_of_a_denial_ends_with_the_decision() -> None:
    """Not with the passer-by's leaving."""
    stage = Stage()
    captured = stage.now()
    stage.later(0.1)
    stage.lane.see(CameraId("face-camera"), Kind.FACE, (track(1, MALLORY, captured),), captured)
    stage.later(1.5)
    stage.face()

    assert 0.1 == pytest.approx(stage.observer.outcomes[0].latency_s)


def test_frame_from_the_future_opens_nothing() -> None:
    """A camera's clock that runs ahead is no freshness."""
    stage = Stage()
    ahead = stage.now(-5.0)
    stage.lane.see(CameraId("face-camera"), Kind.FACE, (track(1, ALICE, ahead),), ahead)

    assert [] == stage.pulses


def test_nobody_is_nothing() -> None:
    """Empty frames begin no attempt."""
    stage = Stage()
    for _ in range(3):
        stage.face()
        stage.plate()

    assert [] == stage.calls


def test_two_threads_open_once() -> None:
    """The plate and the face of one passage come at the same time, many times over: one pulse
    each, every record complete, in the order of the promise."""
    stage = Stage(BARRIER, clock=MachineClock())
    rounds, start = 50, Barrier(2)

    def camera(see: Callable[..., None], who: str) -> None:
        for number in range(rounds):
            start.wait(10.0)
            for looks in (1, 2, 3):
                see(stage.seen(number, who, looks=looks))
            start.wait(10.0)
            see()

    with ThreadPoolExecutor(2) as pool:
        both = pool.submit(camera, stage.plate, COUPE), pool.submit(camera, stage.face, ERIN)
        for one in both:
            one.result(30.0)

    assert rounds == len({command.id for command in stage.pulses}) == len(stage.pulses)
    assert ["durable", "pulse", "durable", "passed", "told"] * rounds == stage.steps


def test_second_camera_waits_while_the_first_one_decides() -> None:
    """While a grant is being recorded nothing is compared for another camera of the lane."""
    stage = Stage(clock=MachineClock())
    recording, written = Event(), Event()

    def slow(event: Kept) -> None:
        recording.set()
        written.wait(5.0)

    stage.ledger.before = slow
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(stage.face, stage.seen(1, ALICE), camera="left")
        assert recording.wait(5.0)
        second = pool.submit(stage.face, stage.seen(1, MALLORY), camera="right")
        sleep(0.1)
        waited = [ALICE] == stage.faces.compared
        written.set()
        first.result(5.0)
        second.result(5.0)

    assert waited
    assert 1 == len(stage.pulses)
