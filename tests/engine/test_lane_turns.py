"""One after the other: who has been let through, and whose turn it is."""

from dataclasses import replace

from postern.core.access_point import Area, Passback
from postern.core.decision import Reason
from postern.core.ids import AreaId
from postern.core.look import Flaw
from tests.engine.doubles import BY_PLATE, MALLORY, NIGHTS, PERMITS, Stage, track
from tests.people import ALICE, BARRIER, COUPE, DOOR, ERIN, FACE, PLATE, VAN, permit


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


def test_two_before_one_camera_are_two_people() -> None:
    """Erin and Alice fit their own references equally well: one after the other is let in."""
    stage = Stage(permits=(*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    assert [(ALICE,)] == [decided.holders for decided in stage.ledger.decided]

    stage.later(0.5)
    stage.face(stage.seen(2, ERIN))

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len(stage.pulses)


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


def test_whoever_stays_about_keeps_no_denial_out_of_the_record() -> None:
    """Attack: an accomplice, or a paper that flutters, is always in the picture."""
    for stays in ("accomplice", "paper"):
        stage = Stage(replace(DOOR, area=replace(DOOR.area, capacity=1)))
        stage.register.occupancy = 1
        stage.claims.refused["paper"] = Reason.INVALID_PASS
        for step in range(120):
            here = [stage.seen(step // 40, ALICE)] if step % 40 < 10 else []
            others = [stage.seen(99, MALLORY)] if stays == "accomplice" else []
            stage.both([stage.text(9, "paper")] if stays == "paper" else [], [*here, *others])
            stage.later(0.5)
        denied = stage.ledger.decided
        assert [(Reason.AREA_FULL, (ALICE,))] * 3 == [(one.reason, one.holders) for one in denied]
        assert 3 == len({one.attempt for one in denied})

        stage.both([], [])
        assert 3 == len(stage.ledger.decided)
        told = [one.decision.reason for one in stage.observer.outcomes]
        assert 3 == told.count(Reason.AREA_FULL)


def test_denial_of_somebody_who_is_let_through_after_all_is_none() -> None:
    """They were turned away, stepped back for a moment, and came again while others stood there."""
    stage = Stage(replace(DOOR, area=replace(DOOR.area, capacity=1)))
    stage.register.occupancy = 1
    stage.face(stage.seen(1, ALICE), stage.seen(99, MALLORY))
    for _ in range(10):
        stage.later(0.5)
        stage.face(stage.seen(99, MALLORY))
    stage.register.occupancy = 0
    stage.face(stage.seen(2, ALICE), stage.seen(99, MALLORY))
    for _ in range(40):
        stage.later(0.5)
        stage.face(stage.seen(99, MALLORY))
    stage.face()

    assert [Reason.PERMITTED] == [one.reason for one in stage.ledger.decided]
