"""One access point: what opens it, in which order, and what never does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, time
from functools import partial
from pathlib import Path
from threading import Barrier, Event
from time import sleep

import pytest

from postern.core.access_point import Area, Passback
from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.event import Acted, Decided
from postern.core.event import Event as Kept
from postern.core.ids import AreaId, CameraId
from postern.core.look import Flaw, Kind
from postern.core.ports import Command, Report
from postern.core.schedule import Schedule, Span
from postern.engine.service import close_interrupted
from postern.store.store import open_store
from tests.clocks import MachineClock
from tests.engine.doubles import MALLORY, PERMITS, Stage, track, unavailable
from tests.people import ALICE, BARRIER, COUPE, DOOR, ERIN, FACE, PLATE, VAN, WAY_OUT, permit

#: Never in force at the hour of the tests.
NIGHTS = Schedule(UTC, ((Span(time(22), time(23)),),) * 7)
AT_NIGHT = (permit(ALICE, name="alice", liveness=False, schedule=NIGHTS),)
BY_PLATE = (PLATE,)


def fails() -> None:
    """Raises what the ports promise to raise."""
    raise unavailable()


def breaks() -> None:
    """Raises what nobody foresaw."""
    raise RuntimeError("unforeseen")


def raising(fault: Callable[[], None]) -> Callable[[Kept], None]:
    """The same for a ledger."""
    return lambda event: fault()


def fails_without_a_word() -> None:
    """Raises an error that says nothing."""
    raise unavailable("")


every_fault = pytest.mark.parametrize("fault", [fails, breaks, fails_without_a_word])


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
    assert [Reason.OTHER] == stage.reasons
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


@every_fault
def test_ledger_that_fails_never_blocks_the_way_out(fault: Callable[[], None]) -> None:
    """Whoever leaves gets out, recorded or not, and is no longer inside."""
    stage = Stage(WAY_OUT)
    stage.ledger.before = raising(fault)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)
    assert [Reason.EXIT] == stage.reasons
    assert ("passed", (ALICE,)) in stage.calls


@every_fault
def test_register_or_matcher_that_fails_never_blocks_the_way_out(
    fault: Callable[[], None],
) -> None:
    """Who it is cannot be told then; the way out opens for whoever it is."""
    for part in ("register", "faces"):
        stage = Stage(WAY_OUT)
        getattr(stage, part).fault = fault
        stage.face(stage.seen(1, ALICE))
        stage.later(1.1)
        stage.face(track(1, ALICE, stage.now(), age_s=1.1))

        assert 1 == len(stage.pulses)
        assert "red" in stage.observer.of(CameraId(WAY_OUT.id))


def test_way_out_opens_after_a_slow_record() -> None:
    """A record that takes too long for an entry does not hold anybody in."""
    stage = Stage(WAY_OUT)
    stage.ledger.after = lambda event: stage.later(3.0)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)


def test_way_out_opens_for_a_stranger_once() -> None:
    """A stranger is given a second to be recognised, then let out, and counted without a name."""
    stage = Stage(WAY_OUT)
    began = stage.now()
    for step in range(30):
        stage.face(track(1, MALLORY, stage.now(), looks=min(3, 1 + step), age_s=step / 10))
        stage.later(0.1)

    assert 1 == len(stage.pulses)
    assert ("passed", ()) in stage.calls
    assert [()] == [decided.holders for decided in stage.ledger.decided]
    assert 1.0 == pytest.approx((stage.ledger.decided[0].at - began.utc).total_seconds())


def test_way_out_opens_for_somebody_whom_no_picture_shows_well() -> None:
    """Too dark, too small: there is nothing to compare, and still nobody is held."""
    stage = Stage(WAY_OUT)
    for step in range(12):
        dark = track(1, ALICE, stage.now(), looks=0, flaws=(Flaw.TOO_DARK,), age_s=step / 10)
        stage.face(dark)
        stage.later(0.1)

    assert 1 == len(stage.pulses)


def test_way_out_waits_a_moment_to_recognise_who_leaves() -> None:
    """Alice's first picture is too dark; she is known to have left by her second."""
    stage = Stage(WAY_OUT)
    stage.face(track(1, ALICE, stage.now(), looks=0, flaws=(Flaw.TOO_DARK,)))
    stage.later(0.5)
    stage.face(track(1, ALICE, stage.now(), looks=1, age_s=0.5))

    assert [("passed", (ALICE,))] == [call for call in stage.calls if call[0] == "passed"]


def test_passer_by_opens_once_however_many_frames_follow() -> None:
    """Standing there for a minute, also with more looks, is one pulse and one outcome."""
    stage = Stage()
    for step in range(600):
        stage.face(stage.seen(1, ALICE, looks=min(3, 1 + step // 5)))
        stage.later(0.1)
    stage.face()

    assert 1 == len(stage.pulses)
    assert 2 == len(stage.ledger.kept)
    assert [Reason.PERMITTED] == stage.reasons


def test_new_passage_opens_again() -> None:
    """Whoever comes back is let through again, under another name."""
    stage = Stage()
    for number in (1, 2):
        stage.face(stage.seen(number, ALICE))
        stage.later(2.0)
        stage.face()

    assert ["a-1", "a-2"] == [command.id for command in stage.pulses]


def test_track_that_breaks_opens_once() -> None:
    """Alice's track ends and another begins without a gap: she never left."""
    stage = Stage()
    for number in range(20):
        stage.face(stage.seen(number, ALICE))
        stage.later(3.0)

    assert 1 == len(stage.pulses)
    assert 2 == len(stage.ledger.kept)


def test_track_that_breaks_is_no_second_entry() -> None:
    """With hard anti-passback, whoever was let in a moment ago is not refused for being inside."""
    area = Area(AreaId("office"), passback=Passback.HARD)
    stage = Stage(replace(DOOR, area=area))
    stage.face(stage.seen(1, ALICE))
    stage.later(0.5)
    stage.face(stage.seen(2, ALICE))
    stage.face()

    assert [Reason.PERMITTED] == stage.reasons
    assert 1 == len(stage.ledger.decided)


def test_returning_in_a_busy_place_opens_again() -> None:
    """Others kept the place busy all the time; Alice, who left long ago, is let through again."""
    stage = Stage()
    stage.face(stage.seen(1, ALICE))
    for number in range(2, 8):
        stage.later(3.0)
        stage.face(stage.seen(number, MALLORY))
    stage.later(1.0)
    stage.face(stage.seen(9, ALICE))

    assert 2 == len(stage.pulses)


def test_next_in_the_queue_is_not_kept_waiting_for_a_gap() -> None:
    """The second car is in the picture before the first has gone; it has its turn as soon as it
    stands alone, though it shows nothing new."""
    stage = Stage(BARRIER, (*PERMITS, permit(COUPE, factors=BY_PLATE, liveness=False)))
    stage.plate(stage.seen(1, VAN))
    stage.later(0.5)
    stage.plate(stage.seen(1, VAN), stage.seen(2, COUPE))
    assert 1 == len(stage.pulses)
    assert [VAN] == stage.plates.compared

    stage.later(0.5)
    stage.plate(stage.seen(2, COUPE))

    assert [(VAN,), (COUPE,)] == [decided.holders for decided in stage.ledger.decided]
    assert ["a-1", "a-2"] == [command.id for command in stage.pulses]


def test_next_in_the_queue_gets_nothing_from_the_one_before() -> None:
    """The coupé needs Erin: her face from the car before does not count for it."""
    stage = Stage(BARRIER)
    stage.plate(stage.seen(1, VAN))
    stage.face(stage.seen(1, ERIN))
    stage.later(0.5)
    stage.plate(stage.seen(2, COUPE))

    assert [(VAN,)] == [decided.holders for decided in stage.ledger.decided]


def test_company_of_somebody_who_was_let_through_opens_nothing() -> None:
    """Alice sits in the van: her face at the other camera is no second passage."""
    stage = Stage(BARRIER)
    stage.face(track(7, ALICE, stage.now(), looks=0, flaws=(Flaw.BLURRED,)))
    stage.plate(stage.seen(1, VAN))
    stage.later(0.2)
    stage.face(stage.seen(7, ALICE))
    stage.later(0.2)
    stage.face(stage.seen(7, ALICE, looks=2))

    assert 1 == len(stage.pulses)
    assert 1 == len(stage.ledger.decided)
    assert [] == stage.faces.compared


def test_company_stays_company_when_the_next_one_comes() -> None:
    """The next car stands there and Alice of the van before is still in sight: she opens nothing
    for it."""
    stage = Stage(BARRIER)
    stage.face(track(7, ALICE, stage.now(), looks=0, flaws=(Flaw.BLURRED,)))
    stage.plate(stage.seen(1, VAN))
    for looks in (1, 2, 3):
        stage.later(0.5)
        stage.plate(stage.seen(2, COUPE))
        stage.face(stage.seen(7, ALICE, looks=looks))

    assert [(VAN,)] == [decided.holders for decided in stage.ledger.decided]


def test_next_car_does_not_wait_for_the_last_driver_to_be_out_of_sight() -> None:
    """The coupé went by its plate and Erin's face; the van has its turn while she is still seen."""
    stage = Stage(BARRIER)
    stage.plate(stage.seen(1, COUPE))
    stage.face(stage.seen(1, ERIN))
    stage.later(0.5)
    stage.face(stage.seen(1, ERIN))
    stage.plate(stage.seen(2, VAN))

    assert [{COUPE, ERIN}, {VAN}] == [set(decided.holders) for decided in stage.ledger.decided]


def test_queue_in_the_picture_delays_a_car_and_its_driver_by_a_moment() -> None:
    """Two plates are seen when Erin looks up, and either might be hers; the next comparison of the
    plates, one by one, opens for the coupé."""
    stage = Stage(BARRIER, PERMITS[2:])
    stage.plate(stage.seen(1, COUPE), stage.seen(2, VAN))
    for _ in range(21):
        stage.later(0.1)
        stage.face(stage.seen(1, ERIN))
        stage.plate(stage.seen(1, COUPE), stage.seen(2, VAN))

    assert [{COUPE, ERIN}] == [set(decided.holders) for decided in stage.ledger.decided]


def test_bystander_is_told_from_the_driver_who_was_let_through() -> None:
    """Alice stands by, hard to make out, when the coupé opens with Erin's face; when both have gone
    it is her turn."""
    stage = Stage(BARRIER)
    stage.face(stage.seen(1, ERIN), stage.seen(2, MALLORY))
    stage.plate(stage.seen(1, COUPE))
    assert 1 == len(stage.pulses)

    stage.later(0.5)
    stage.plate()
    stage.face(stage.seen(2, ALICE, looks=2))

    assert [{COUPE, ERIN}, {ALICE}] == [set(decided.holders) for decided in stage.ledger.decided]


def test_track_that_breaks_late_opens_once() -> None:
    """Alice stands in the open door for half a minute before her track breaks."""
    stage = Stage()
    for _ in range(60):
        stage.face(stage.seen(1, ALICE))
        stage.later(0.5)
    stage.face(stage.seen(2, ALICE))

    assert 1 == len(stage.pulses)


def test_track_that_breaks_while_the_next_one_enters_opens_once() -> None:
    """Alice lingers beside Erin, who was let in after her, and is seen again."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False)))
    for number, who in enumerate((ALICE, ERIN, ALICE)):
        stage.face(stage.seen(number, who))
        stage.later(1.0)

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]


def test_whoever_stands_about_keeps_nobody_out() -> None:
    """Alice was let in and stays in the picture; Erin has her turn when Alice has had the time to
    go, and neither opens twice."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, ALICE))
    for _ in range(60):
        stage.later(0.5)
        stage.face(stage.seen(1, ALICE, looks=3), stage.seen(2, ERIN))
    stage.face(stage.seen(3, ALICE), stage.seen(2, ERIN))

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    waited = stage.ledger.decided[1].at - stage.ledger.decided[0].at
    assert 5.0 == waited.total_seconds()


def test_somebody_beside_the_one_who_was_let_in_is_not_taken_for_them() -> None:
    """The door knows two people, so that a poor look at Erin resembles Alice most; her track is not
    Alice's, and she is let in as soon as she shows herself well."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, MALLORY))
    stage.face(stage.seen(1, MALLORY), stage.seen(2, ALICE))
    stage.later(0.5)
    stage.face(stage.seen(1, ERIN, looks=2))

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]


def test_way_out_opens_for_each_of_two_at_once() -> None:
    """Nobody waits for the other to be gone."""
    stage = Stage(WAY_OUT, (*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    stage.later(0.1)
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    stage.face()

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len(stage.pulses)


def test_actuator_that_fails_is_reported_and_nobody_has_passed() -> None:
    """The grant stands, the answer is on record, and the area's count stays."""
    stage = Stage()
    stage.actuator.answer = lambda command: Report(False, "the relay did not answer")
    for looks in (1, 2, 3):
        stage.face(stage.seen(1, ALICE, looks=looks))

    assert 1 == len(stage.pulses)
    assert [(False, "the relay did not answer")] == [(a.done, a.detail) for a in stage.ledger.acted]
    assert ["the relay did not answer"] == [o.detail for o in stage.observer.outcomes]
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

    assert [Reason.OTHER] == stage.reasons


def test_twins_open_nothing() -> None:
    """Somebody else fits as well: the rival is not cut off."""
    stage = Stage()
    stage.faces.twins = True
    stage.face(stage.seen(1, ALICE))
    stage.face()

    assert [] == stage.pulses
    assert [Reason.AMBIGUOUS] == stage.reasons


def test_two_before_one_camera_are_two_people() -> None:
    """Erin and Alice fit their own references equally well: one after the other is let in."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    assert [(ALICE,)] == [decided.holders for decided in stage.ledger.decided]

    stage.later(0.5)
    stage.face(stage.seen(2, ERIN))

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len(stage.pulses)


def test_frame_of_somebody_else_renews_nothing() -> None:
    """Attack: Alice, refused, stands by with her back turned while her permit comes into force;
    Mallory's new looks beside her are no looks of hers."""
    stage = Stage(permits=AT_NIGHT)
    stage.face(stage.seen(1, ALICE, looks=3))
    stage.register.permits = PERMITS
    for step in range(30):
        stage.later(0.1)
        turned = track(1, ALICE, stage.now(), looks=3, flaws=(Flaw.TURNED_AWAY,))
        stage.face(turned, stage.seen(2, MALLORY, looks=min(3, 1 + step)))

    assert [] == stage.pulses


def test_passengers_face_does_not_spoil_the_drivers() -> None:
    """Erin and Alice sit in the coupé, which both may drive: it opens once, whoever is first."""
    both = (permit(COUPE, ERIN, ALICE, factors=(PLATE, FACE), liveness=False),)
    for first in ("plate", "face"):
        stage = Stage(BARRIER, both)
        for camera in (first, "face" if first == "plate" else "plate", "face", "plate"):
            if camera == "plate":
                stage.plate(stage.seen(1, COUPE))
            else:
                stage.face(stage.seen(1, ERIN, looks=2), stage.seen(2, ALICE, looks=2))
            stage.later(1.9)
        stage.face(stage.seen(1, ERIN, looks=3), stage.seen(2, ALICE, looks=3))

        assert 1 == len(stage.pulses)


def test_somebody_who_stays_is_compared_now_and_then() -> None:
    """Ten seconds at ten frames a second: three looks, and every two seconds once more."""
    stage = Stage()
    for step in range(100):
        stage.face(stage.seen(1, MALLORY, looks=min(3, 1 + step)))
        stage.later(0.1)

    assert 3 + 4 == len(stage.faces.compared)


def test_somebody_who_is_out_of_sight_is_not_compared() -> None:
    """The tracker still holds on to them; there is nothing new to compare."""
    stage = Stage()
    lost = stage.seen(1, MALLORY)
    for _ in range(100):
        stage.face(lost)
        stage.later(0.1)

    assert 1 == len(stage.faces.compared)


def test_stranger_leaves_no_event() -> None:
    """Mallory is denied and told so once; the ledger is not even touched."""
    stage = Stage()
    for looks in (1, 2, 3):
        stage.face(stage.seen(1, MALLORY, looks=looks))
        stage.later(2.5)
    stage.face(track(1, MALLORY, stage.now(), looks=3, flaws=(Flaw.BLURRED,)))
    stage.face()

    assert ["told"] == stage.steps
    assert [Reason.UNAUTHORIZED] == stage.reasons
    outcome = stage.observer.outcomes[0]
    assert (3, (), ()) == (outcome.looks, outcome.flaws, outcome.decision.holders)


def test_somebody_who_showed_nothing_comparable_leaves_no_event() -> None:
    """Only what spoilt the picture is told, so that it can be said how to do better."""
    stage = Stage()
    stage.face(track(1, ALICE, stage.now(), looks=0, flaws=(Flaw.TURNED_AWAY,)))
    stage.later(1.5)
    stage.face()

    assert ["told"] == stage.steps
    assert (Flaw.TURNED_AWAY,) == stage.observer.outcomes[0].flaws


def test_refused_permit_holder_leaves_one_event_when_they_have_gone() -> None:
    """Alice comes outside her hours, shows herself for long, and is one event in the end."""
    stage = Stage(permits=AT_NIGHT)
    for step in range(100):
        stage.face(stage.seen(1, ALICE, looks=min(3, 1 + step)))
        stage.later(0.1)
    assert [] == stage.calls
    stage.face()
    stage.face()

    assert [(Reason.NOT_PERMITTED_AT_THIS_TIME, (ALICE,))] == [
        (decided.reason, decided.holders) for decided in stage.ledger.decided
    ]
    assert ["durable", "told"] == stage.steps
    assert [] == stage.pulses


def test_refused_permit_holder_is_not_forgotten_for_the_next_before_the_camera() -> None:
    """Mallory follows without a gap: Alice's denial is an event all the same, and only hers."""
    stage = Stage(permits=AT_NIGHT)
    stage.face(stage.seen(1, ALICE))
    stage.later(0.5)
    stage.face(stage.seen(2, MALLORY))
    stage.later(1.5)
    stage.face()

    assert [(ALICE,)] == [decided.holders for decided in stage.ledger.decided]


def test_refusals_of_several_in_one_passage_have_names_of_their_own() -> None:
    """Alice and Erin are refused one after the other: two attempts, two events."""
    both = tuple(permit(who, name=who, liveness=False, schedule=NIGHTS) for who in (ALICE, ERIN))
    stage = Stage(permits=both)
    stage.face(stage.seen(1, ALICE))
    stage.later(0.5)
    stage.face(stage.seen(2, ERIN))
    stage.face()

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len({decided.attempt for decided in stage.ledger.decided})


def test_refusal_of_somebody_beside_one_who_is_let_in_is_one_event() -> None:
    """Erin is refused, Alice beside her is let in and goes, Erin is refused again and goes."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False, schedule=NIGHTS)))
    stage.face(stage.seen(1, ERIN))
    stage.later(0.5)
    stage.face(stage.seen(1, ERIN), stage.seen(2, ALICE))
    for _ in range(10):
        stage.later(0.5)
        stage.face(stage.seen(1, ERIN, looks=2))
    stage.face()

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len({decided.attempt for decided in stage.ledger.decided})


def test_refusal_of_somebody_who_then_turns_away_has_a_name_of_its_own() -> None:
    """Erin is refused, Alice is let in, and Erin is still there but shows nothing any more."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False, schedule=NIGHTS)))
    stage.face(stage.seen(1, ERIN))
    stage.face(stage.seen(1, ERIN), stage.seen(2, ALICE))
    stage.later(0.5)
    stage.register.fault = fails
    with pytest.raises(PosternError):
        stage.face(stage.seen(1, ERIN))
    stage.face()

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len({decided.attempt for decided in stage.ledger.decided})


def test_refusal_of_somebody_who_went_before_another_came_is_an_event() -> None:
    """Erin was refused and went while Alice was let in: the event waits for no quiet hour."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False, schedule=NIGHTS)))
    stage.face(stage.seen(1, ERIN))
    stage.later(0.5)
    stage.face(stage.seen(2, ALICE))
    stage.later(0.5)
    stage.face(stage.seen(3, MALLORY))

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len({decided.attempt for decided in stage.ledger.decided})


def test_refusal_that_cannot_be_recorded_breaks_nothing() -> None:
    """The next passer-by finds the lane in order."""
    stage = Stage(permits=AT_NIGHT)
    stage.ledger.before = raising(fails)
    stage.face(stage.seen(1, ALICE))
    stage.face()
    stage.ledger.before = lambda event: None
    stage.register.permits = PERMITS
    stage.face(stage.seen(2, ALICE))

    assert 1 == len(stage.pulses)


def test_refusal_that_turns_into_a_grant_is_one_event() -> None:
    """There is no room; Alice waits, room comes, she is let in without stepping back."""
    stage = Stage(replace(DOOR, area=Area(AreaId("office"), capacity=1)))
    stage.register.occupancy = 1
    for step in range(50):
        stage.face(stage.seen(1, ALICE, looks=min(3, 1 + step)))
        stage.later(0.1)
    assert [] == stage.pulses

    stage.register.occupancy = 0
    for _ in range(25):
        stage.face(stage.seen(1, ALICE, looks=3))
        stage.later(0.1)
    stage.face()

    assert 1 == len(stage.pulses)
    assert [Reason.PERMITTED] == [decided.reason for decided in stage.ledger.decided]


def test_late_decision_does_not_lock_anybody_out() -> None:
    """The machine stalled while Alice gave all her looks; she is let in when it is awake again."""
    stage = Stage()
    captured = stage.now()
    stage.later(3.0)
    stage.lane.see(
        CameraId("face-camera"), Kind.FACE, (track(1, ALICE, captured, looks=3),), captured
    )
    assert [] == stage.pulses
    stage.later(2.0)
    stage.face(stage.seen(1, ALICE, looks=3))

    assert 1 == len(stage.pulses)


def test_picture_that_cannot_be_compared_does_not_renew_what_was_shown() -> None:
    """Alice was refused; whoever stands in her place now, unrecognisable, is not let in as her."""
    stage = Stage(permits=AT_NIGHT)
    stage.face(stage.seen(1, ALICE, looks=3))
    stage.register.permits = PERMITS
    for _ in range(40):
        stage.later(0.1)
        stage.face(track(1, ALICE, stage.now(), looks=3, flaws=(Flaw.BLURRED,)))

    assert [] == stage.pulses


def test_evidence_is_not_inherited_by_the_next_before_the_same_camera() -> None:
    """Attack: Mallory steps in where Erin stood and waits for the coupé's plate to be read."""
    stage = Stage(BARRIER)
    stage.face(stage.seen(1, ERIN))
    stage.later(0.5)
    stage.face(stage.seen(2, MALLORY))
    stage.plate(stage.seen(1, COUPE))

    assert [] == stage.pulses


def test_evidence_is_not_inherited_across_cameras_of_a_kind() -> None:
    """Attack: two cameras look for faces at one door. Alice, refused at one, has gone; Mallory at
    the other makes nothing of it when her permit counts again."""
    stage = Stage(permits=AT_NIGHT)
    stage.face(stage.seen(1, MALLORY), camera="right")
    stage.face(stage.seen(1, ALICE), camera="left")
    stage.later(0.5)
    stage.face(camera="left")
    stage.register.permits = PERMITS
    for looks in (2, 3):
        stage.later(0.5)
        stage.face(stage.seen(1, MALLORY, looks=looks), camera="right")

    assert [] == stage.pulses


def test_evidence_is_not_inherited_across_cameras_for_a_plate() -> None:
    """Attack: Erin looked into one camera and has gone; Mallory, before the other, drives up."""
    stage = Stage(BARRIER)
    stage.face(stage.seen(1, MALLORY), camera="right")
    stage.face(stage.seen(1, ERIN), camera="left")
    stage.later(0.5)
    stage.face(camera="left")
    stage.plate(stage.seen(1, COUPE))

    assert [] == stage.pulses


def test_evidence_ends_with_the_passage() -> None:
    """Attack: the coupé's plate is shown alone, everybody goes, and Erin's face comes later."""
    stage = Stage(BARRIER)
    stage.plate(stage.seen(1, COUPE))
    stage.later(1.0)
    stage.plate()
    stage.face(stage.seen(1, ERIN))

    assert [] == stage.pulses


@pytest.mark.parametrize("first", ["plate", "face"])
def test_plate_and_face_combine_in_either_order(first: str) -> None:
    """The coupé needs Erin in it: neither alone opens, both together do."""
    stage = Stage(BARRIER)
    views = {"plate": (stage.plate, COUPE), "face": (stage.face, ERIN)}
    second = "face" if first == "plate" else "plate"
    see, who = views[first]
    see(stage.seen(1, who))
    assert [] == stage.pulses
    stage.later(5.0)
    see(stage.seen(1, who))
    see, who = views[second]
    see(stage.seen(1, who))

    assert 1 == len(stage.pulses)
    assert [{COUPE, ERIN}] == [set(decided.holders) for decided in stage.ledger.decided]


@pytest.mark.parametrize("only", ["plate", "face"])
def test_plate_or_face_alone_does_not_open_what_needs_both(only: str) -> None:
    """However long either is shown, and also to the end."""
    stage = Stage(BARRIER)
    see, who = {"plate": (stage.plate, COUPE), "face": (stage.face, ERIN)}[only]
    for looks in (1, 2, 3):
        see(stage.seen(1, who, looks=looks))
        stage.later(1.0)
    see()

    assert [] == stage.pulses


def test_plate_that_moved_out_of_sight_still_counts_for_the_driver() -> None:
    """The barrier's plate camera sees the bonnet no more when the driver looks up."""
    stage = Stage(BARRIER)
    stage.plate(stage.seen(1, COUPE))
    stage.face(track(1, ERIN, stage.now(), looks=0, flaws=(Flaw.TURNED_AWAY,)))
    stage.later(2.0)
    stage.plate()
    stage.face(stage.seen(1, ERIN))

    assert 1 == len(stage.pulses)


def test_evidence_older_than_an_attempt_does_not_count() -> None:
    """The driver kept the passage alive for more than a minute; the plate is forgotten."""
    stage = Stage(BARRIER)
    stage.plate(stage.seen(1, COUPE))
    for _ in range(70):
        stage.face(track(1, ERIN, stage.now(), looks=0, flaws=(Flaw.TURNED_AWAY,)))
        stage.plate()
        stage.later(1.0)
    stage.face(stage.seen(1, ERIN))

    assert [] == stage.pulses


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


def test_camera_that_fell_silent_holds_nobody_up() -> None:
    """The plate camera died while it saw the van; the next passer-by is another passage, and the
    van's denial is on record."""
    stage = Stage(BARRIER, (permit(VAN, factors=BY_PLATE, liveness=False, schedule=NIGHTS),))
    stage.plate(stage.seen(1, VAN))
    stage.later(30.0)
    stage.register.permits = PERMITS
    stage.face(stage.seen(1, ALICE))

    assert [(VAN,), (ALICE,)] == [decided.holders for decided in stage.ledger.decided]
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


def test_interrupted_grant_is_closed_once(tmp_path: Path) -> None:
    """The machine stops between record and answer; the next start closes the grant, with the real
    store, and the one after finds nothing to close."""

    def dies(command: Command) -> Report:
        raise SystemExit

    with open_store(tmp_path) as store:
        stage = Stage(ledger=store.events)
        stage.actuator.answer = dies
        with pytest.raises(SystemExit):
            stage.face(stage.seen(1, ALICE))
    with open_store(tmp_path) as store:
        unfinished = store.events.unfinished()
        assert [(ALICE,)] == [grant.holders for grant in unfinished]
        assert 1 == close_interrupted(unfinished, store.events, stage.clock)
        assert 0 == close_interrupted(store.events.unfinished(), store.events, stage.clock)
