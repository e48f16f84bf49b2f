"""What counts as whose evidence, and what is left of a denial."""

from dataclasses import replace

import pytest

from postern.core.access_point import Area
from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.ids import AreaId, CameraId
from postern.core.look import Flaw, Kind
from tests.engine.doubles import AT_NIGHT, MALLORY, NIGHTS, PERMITS, Stage, fails, raising, track
from tests.people import ALICE, BARRIER, COUPE, DOOR, ERIN, permit


def test_twins_open_nothing() -> None:
    """Somebody else fits as well: the rival is not cut off."""
    stage = Stage()
    stage.faces.twins = True
    stage.face(stage.seen(1, ALICE))
    stage.face()

    assert [] == stage.pulses
    assert [Reason.AMBIGUOUS] == stage.reasons


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
