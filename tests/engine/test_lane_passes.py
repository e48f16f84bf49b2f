"""Passes before a lane: what they claim, what becomes of them, and what they never do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from postern.core.decide import FRESH_S
from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.look import Flaw
from postern.engine.passage import AGAIN_S, NEVER_LEFT_S, PUT_AWAY_S, SILENT_S
from tests.engine.doubles import (
    MALLORY,
    NIGHTS,
    PERMITS,
    Stage,
    every_fault,
    fails,
    raising,
    track,
)
from tests.people import (
    ALICE,
    BARRIER,
    BOB,
    CAROL,
    COUPE,
    ERIN,
    FACE,
    PASS,
    PLATE,
    VAN,
    WAY_OUT,
    permit,
)

#: Carol keeps her reference herself: the site has none to compare her with.
WITH_PASSES = (
    *PERMITS,
    permit(CAROL, name="carol", factors=(PASS, FACE), liveness=False),
    permit(ERIN, name="erin", factors=(PASS, FACE), liveness=False),
)


def stage(**given: object) -> Stage:
    """A door for Alice by her face alone, and for Carol and Erin by pass and face."""
    return Stage(permits=WITH_PASSES, **given)  # type: ignore[arg-type]


def test_owner_of_a_pass_is_let_in() -> None:
    """Face and pass in one frame: one comparison, with the reference of the pass alone."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])

    assert [{CAROL}] == door.faces.against
    (decided,) = door.ledger.decided
    assert (Reason.PERMITTED, (CAROL,), "carol") == (
        decided.reason, decided.holders, decided.permit
    )  # fmt: skip
    assert ["durable", "pulse", "durable", "passed", "told"] == door.steps


def test_reference_of_a_pass_is_overwritten_when_its_owner_has_gone() -> None:
    """Or has had the time to go, while somebody else stands there."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    assert [CAROL] == door.claims.open
    door.both([], [])
    assert [] == door.claims.open

    door.both([door.text(2, CAROL)], [door.seen(2, CAROL)])
    for _ in range(round(NEVER_LEFT_S) + 1):
        door.later(1.0)
        door.both([], [door.seen(3, MALLORY)])

    assert 2 == len(door.claims.opened)
    assert [] == door.claims.open


def test_owner_who_puts_the_pass_away_and_seems_to_arrive_again_never_left() -> None:
    """Her track breaks when she looks down: no second pulse, and no denial is told."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    for number in (2, 3, 4):
        door.later(1.5)
        door.both([], [door.seen(number, CAROL)])
    door.later(1.5)
    door.both([], [])

    assert 1 == len(door.pulses)
    assert [Reason.PERMITTED] == door.reasons


def test_stranger_who_follows_the_owner_of_a_pass_is_denied_and_told() -> None:
    """Nothing is inherited by whoever comes after, and nothing is hushed up."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    door.later(1.5)
    door.both([], [door.seen(2, MALLORY)])
    door.later(1.5)
    door.both([], [])

    assert 1 == len(door.pulses)
    assert [Reason.PERMITTED, Reason.UNAUTHORIZED] == door.reasons


@pytest.mark.parametrize("put_away", [True, False])
def test_pass_may_come_before_the_face(put_away: bool) -> None:
    """It is read while nobody looks up yet; then it stays in view or is put away."""
    door = stage()
    shy = track(1, CAROL, door.now(), looks=0, flaws=(Flaw.TURNED_AWAY,))
    door.both([door.text(1, CAROL)], [shy])
    assert [] == door.pulses
    door.later(1.5)
    door.both([] if put_away else [door.text(1, CAROL)], [door.seen(1, CAROL)])

    assert 1 == len(door.pulses)


def test_face_may_come_before_the_pass() -> None:
    """Carol is unknown until she holds it up; then her face is compared again at once, although it
    shows nothing new."""
    door = stage()
    door.both([], [door.seen(1, CAROL, looks=3)])
    assert [] == door.pulses
    door.later(0.1)
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL, looks=3)])

    assert [{ALICE, ERIN}, {CAROL}] == door.faces.against
    assert 1 == len(door.pulses)
    assert [Reason.PERMITTED] == door.reasons


def test_pass_and_face_may_come_from_two_cameras() -> None:
    """A reader on a desk, and a camera above the door."""
    door = stage()
    door.held_up(door.text(1, CAROL), camera="desk")
    door.later(0.5)
    door.face(door.seen(1, CAROL), camera="above")

    assert 1 == len(door.pulses)


def test_pass_before_two_cameras_is_one_claim() -> None:
    """One reference is searched, not two."""
    door = stage()
    door.held_up(door.text(1, CAROL), camera="desk")
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])

    assert [1] == door.faces.searched
    assert 1 == len(door.pulses)


def test_pass_alone_opens_nothing() -> None:
    """It is told as a denial and is no event."""
    door = stage()
    for _ in range(60):
        door.held_up(door.text(1, CAROL))
        door.later(0.1)
    door.held_up()

    assert ["told"] == door.steps
    assert [Reason.UNAUTHORIZED] == door.reasons
    assert [] == door.claims.open


def test_attack_copy_of_a_pass_in_the_hands_of_somebody_else() -> None:
    """Mallory photographed Carol's: denied, and nothing that is kept names Carol."""
    door = stage()
    for looks in (1, 2, 3):
        door.both([door.text(1, CAROL)], [door.seen(1, MALLORY, looks=looks)])
        door.later(0.5)
    door.both([], [])

    assert [] == door.pulses
    assert [Reason.UNAUTHORIZED] == door.reasons
    assert [] == door.ledger.kept
    assert () == door.observer.outcomes[0].decision.holders


def test_attack_pass_of_somebody_who_has_one_shown_by_another_who_has_one() -> None:
    """Carol holds up Erin's: neither name is good for the other."""
    door = stage()
    door.both([door.text(1, ERIN)], [door.seen(1, CAROL, looks=3)])
    door.both([], [])

    assert [] == door.pulses
    assert [] == door.ledger.kept


def test_attack_two_passes_at_once_open_nothing() -> None:
    """One of them is not theirs, whoever stands there: ambiguous, and nobody is named. When only
    one is left in view, its owner is let in."""
    door = stage()
    door.both([door.text(1, CAROL), door.text(2, ERIN)], [door.seen(1, CAROL)])
    door.later(0.5)
    door.both([door.text(1, CAROL), door.text(2, ERIN)], [door.seen(1, CAROL, looks=2)])
    assert [] == door.pulses
    assert {CAROL, ERIN} == door.faces.against[-1]

    door.later(1.0)
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL, looks=2)])

    assert [(CAROL,)] == [decided.holders for decided in door.ledger.decided]
    assert 1 == len(door.pulses)


def test_two_passes_to_the_end_are_told_as_ambiguous() -> None:
    """No event, no name."""
    door = stage()
    door.both([door.text(1, CAROL), door.text(2, ERIN)], [door.seen(1, CAROL, looks=3)])
    door.both([], [])

    assert [Reason.AMBIGUOUS] == door.reasons
    assert [] == door.ledger.kept
    assert [] == door.claims.open


def test_whoever_is_known_by_face_waits_while_somebody_claims_to_be_another() -> None:
    """Alice beside Mallory, who holds up Carol's pass: when it has gone she is let in, without
    having to show anything new."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, MALLORY, looks=3), door.seen(2, ALICE, looks=3)])
    assert [] == door.pulses
    for _ in range(round(PUT_AWAY_S * 2) + 4):
        door.later(0.5)
        door.both([], [door.seen(1, MALLORY, looks=3), door.seen(2, ALICE, looks=3)])

    assert [(ALICE,)] == [decided.holders for decided in door.ledger.decided]


@pytest.mark.parametrize(("waits_s", "opens"), [(PUT_AWAY_S - 1.0, 1), (PUT_AWAY_S + 1.0, 0)])
def test_pass_that_was_put_away_counts_for_a_short_time(waits_s: float, opens: int) -> None:
    """Somebody stands there all the while; then its reference is gone."""
    door = stage()
    door.both([door.text(1, CAROL)], [track(1, CAROL, door.now(), looks=0)])
    left_s = waits_s
    while left_s > 0:
        door.later(min(0.5, left_s))
        left_s -= 0.5
        door.both([], [track(1, CAROL, door.now(), looks=0)])
    door.both([], [door.seen(2, CAROL)])

    assert opens == len(door.pulses)
    door.both([], [])
    assert [] == door.claims.open


def test_pass_of_somebody_else_ends_the_claim_of_the_one_before() -> None:
    """Erin's is held up after Carol's was put away: Carol's counts no more."""
    door = stage()
    door.both([door.text(1, CAROL)], [track(1, CAROL, door.now(), looks=0)])
    door.later(1.5)
    door.both([], [track(1, CAROL, door.now(), looks=0)])
    door.both([door.text(2, ERIN)], [door.seen(1, CAROL)])

    assert [] == door.pulses
    assert [ERIN] == door.claims.open
    assert {ERIN} == door.faces.against[-1]


def test_face_of_a_moment_ago_never_stands_in_for_one_who_is_there() -> None:
    """Attack: Carol was refused outside her hours and went; her pass, in another's hand, opens
    nothing when her hours begin."""
    by_night = permit(CAROL, name="carol", factors=(PASS, FACE), liveness=False, schedule=NIGHTS)
    door = Stage(permits=(by_night,))
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL, looks=3)])
    assert [] == door.pulses
    door.register.permits = WITH_PASSES
    for _ in range(30):
        door.later(0.2)
        door.both([door.text(1, CAROL)], [])

    assert [] == door.pulses


def test_plate_of_a_moment_ago_and_a_pass_open_a_barrier() -> None:
    """A permit for the coupé with whoever holds Erin's pass: the order does not matter."""
    by_plate = permit(COUPE, ERIN, name="coupe", factors=(PLATE, PASS), liveness=False)
    for plate_first in (True, False):
        lane = Stage(BARRIER, permits=(by_plate,))
        if plate_first:
            lane.plate(lane.seen(1, COUPE))
        else:
            lane.held_up(lane.text(1, ERIN))
        lane.later(0.5)
        if plate_first:
            lane.held_up(lane.text(1, ERIN))
        else:
            lane.plate(lane.seen(1, COUPE))

        assert 1 == len(lane.pulses)


def test_whoever_was_let_in_and_still_holds_up_the_pass_is_not_decided_on_again() -> None:
    """The pass is lost from sight and read anew, again and again: nothing more is told."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    for number in range(2, 6):
        door.later(0.5)
        door.both([door.text(number, CAROL)], [door.seen(1, CAROL)])
    door.later(1.0)
    door.both([], [])

    assert 1 == len(door.pulses)
    assert [Reason.PERMITTED] == door.reasons
    assert [] == door.claims.open


def test_next_with_a_pass_follows_without_a_gap() -> None:
    """Erin holds hers up while Carol goes through."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    door.later(1.5)
    door.both([door.text(2, ERIN)], [door.seen(1, CAROL), door.seen(2, ERIN)])

    assert [(CAROL,), (ERIN,)] == [decided.holders for decided in door.ledger.decided]


def test_claim_is_not_inherited_by_the_next_passage() -> None:
    """Attack: Mallory steps in with Carol's pass, which she dropped, long after she was let in."""
    door = stage()
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    door.both([], [])
    door.later(NEVER_LEFT_S + 1.0)
    door.both([door.text(2, CAROL)], [door.seen(2, MALLORY)])
    door.both([], [])

    assert 1 == len(door.pulses)
    assert [] == door.claims.open


REFUSALS = [
    Reason.INVALID_PASS,
    Reason.FOREIGN_PASS,
    Reason.CREDENTIAL_EXPIRED,
    Reason.CREDENTIAL_NOT_ENABLED,
    Reason.CREDENTIAL_NOT_ACTIVE,
    Reason.NO_CONSENT,
    Reason.NEEDS_NEW_LOOKS,
]


@pytest.mark.parametrize("reason", REFUSALS)
def test_refused_pass_is_told_with_its_own_reason(reason: Reason) -> None:
    """With a face or without; it is no event, as nobody was recognised."""
    for looks in (0, 3):
        door = stage()
        door.claims.refused[CAROL] = reason
        flaws = () if looks else (Flaw.TURNED_AWAY,)
        face = track(1, CAROL, door.now(), looks=looks, flaws=flaws)
        door.both([door.text(1, CAROL)], [face])
        door.both([], [])

        assert ["told"] == door.steps
        assert [reason] == door.reasons
        assert () == door.observer.outcomes[0].flaws


def test_refused_pass_keeps_nobody_out() -> None:
    """Alice is known by her face; what she holds up is none of ours, or run out."""
    for reason in (*REFUSALS, None):
        door = stage()
        door.claims.refused["a poster"] = reason
        door.both([door.text(1, "a poster")], [door.seen(1, ALICE)])
        door.both([], [])

        assert [Reason.PERMITTED] == door.reasons


def test_refused_pass_is_told_of_nobody_who_was_recognised() -> None:
    """Alice, outside her hours, is one event with that reason; her old pass is not told."""
    at_night = permit(ALICE, name="alice", liveness=False, schedule=NIGHTS)
    door = Stage(permits=(at_night,))
    door.claims.refused[ALICE] = Reason.CREDENTIAL_EXPIRED
    door.both([door.text(1, ALICE)], [door.seen(1, ALICE)])
    door.both([], [])

    assert [Reason.NOT_PERMITTED_AT_THIS_TIME] == door.reasons
    assert [(ALICE,)] == [decided.holders for decided in door.ledger.decided]


def test_right_pass_after_a_wrong_one_is_what_counts() -> None:
    """The old one is held up by mistake; then the new one, and it fails for the face alone."""
    door = stage()
    door.claims.refused["old"] = Reason.CREDENTIAL_EXPIRED
    door.both([door.text(1, "old")], [door.seen(1, MALLORY)])
    door.both([door.text(2, CAROL)], [door.seen(1, MALLORY)])
    door.both([], [])

    assert [Reason.UNAUTHORIZED] == door.reasons


def test_what_is_no_pass_at_all_is_not_told() -> None:
    """A poster in the picture, and nobody else: nothing happened."""
    door = stage()
    door.claims.refused["a poster"] = None
    door.both([door.text(1, "a poster")], [])
    door.both([], [])

    assert [] == door.calls


def test_pass_that_is_revoked_while_it_is_held_up_counts_no_more() -> None:
    """It is asked for again after a while; its reference goes at once."""
    door = stage()
    door.both([door.text(1, CAROL)], [track(1, CAROL, door.now(), looks=0)])
    assert [CAROL] == door.claims.open
    door.claims.refused[CAROL] = Reason.CREDENTIAL_NOT_ENABLED
    door.later(AGAIN_S)
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])
    assert [] == door.claims.open
    door.both([], [])

    assert [Reason.CREDENTIAL_NOT_ENABLED] == door.reasons
    assert [] == door.pulses


def test_pass_that_stays_is_read_anew_and_opens_one_reference_at_a_time() -> None:
    """Somebody who stands there for a minute: every two seconds, and the face as often."""
    door = stage()
    for step in range(600):
        door.both([door.text(1, CAROL)], [door.seen(1, MALLORY, looks=min(3, 1 + step))])
        assert [CAROL] == door.claims.open
        door.later(0.1)

    assert 30 >= len(door.claims.opened) >= 28
    assert 33 >= len(door.faces.compared) >= 28


@every_fault
def test_pass_that_cannot_be_looked_up_is_not_lost(fault: Callable[[], None]) -> None:
    """The failure is the lane's, nothing opens, and the next frame reads it again."""
    door = stage()
    door.claims.fault = fault
    with pytest.raises((PosternError, RuntimeError)):
        door.held_up(door.text(1, CAROL))
    door.claims.fault = lambda: None
    door.later(0.1)
    door.both([door.text(1, CAROL)], [door.seen(1, CAROL)])

    assert 1 == len(door.pulses)


@every_fault
def test_way_out_opens_whatever_is_held_up(fault: Callable[[], None]) -> None:
    """A pass that cannot be looked up, a refused one, somebody else's, or none."""
    for refused in (None, Reason.INVALID_PASS):
        for text, who in ((CAROL, CAROL), (CAROL, MALLORY), ("a poster", MALLORY)):
            out = Stage(WAY_OUT, permits=WITH_PASSES)
            out.claims.fault = fault if refused is None else lambda: None
            out.claims.refused["a poster"] = refused
            for step in range(15):
                face = track(1, who, out.now(), looks=1, age_s=step / 10)
                out.both([out.text(1, text)], [face])
                out.later(0.1)

            assert 1 == len(out.pulses)
            assert [Reason.EXIT] == out.reasons


def test_owner_of_a_pass_is_known_to_have_left() -> None:
    """The way out is open anyway; with the pass it is known for whom."""
    out = Stage(WAY_OUT, permits=WITH_PASSES)
    out.both([out.text(1, CAROL)], [out.seen(1, CAROL)])

    assert [(Reason.EXIT, (CAROL,))] == [(d.reason, d.holders) for d in out.ledger.decided]


def test_stale_pass_and_face_open_nothing() -> None:
    """Both are as old as a grant may not be."""
    door = stage()
    held, seen = door.text(1, CAROL), door.seen(1, CAROL)
    door.later(FRESH_S + 0.5)
    door.both([held], [seen])

    assert [] == door.pulses


def test_face_that_was_not_the_owners_is_one_failure_when_it_is_gone() -> None:
    """However long Mallory looks into the camera, and however often she is compared."""
    door = stage()
    for looks in (1, 2, 3, 3, 3):
        door.both([door.text(1, CAROL)], [door.seen(1, MALLORY, looks=looks)])
        door.later(2.5)
    assert [] == door.register.failures
    door.both([door.text(1, CAROL)], [])
    assert [CAROL] == door.register.failures
    door.both([], [])

    assert [CAROL] == door.register.failures


def test_attack_one_face_after_the_other_while_the_pass_stays_in_view() -> None:
    """Every photograph is a failure of its own, in the very same passage."""
    door = stage()
    for number in range(7):
        door.both([door.text(1, CAROL)], [door.seen(number, MALLORY)])
        door.later(0.5)

    assert [CAROL] * 6 == door.register.failures


def test_owner_who_is_recognised_has_not_failed() -> None:
    """Let in with the third look, beside a bystander; or refused for the hour."""
    door = stage()
    for looks, who in ((1, MALLORY), (2, MALLORY), (3, CAROL)):
        other = door.seen(2, MALLORY)
        door.both([door.text(1, CAROL)], [door.seen(1, who, looks=looks), other])
        door.later(0.5)
    door.both([], [])
    assert 1 == len(door.pulses)
    assert [] == door.register.failures

    at_night = permit(CAROL, name="carol", factors=(PASS, FACE), liveness=False, schedule=NIGHTS)
    door = Stage(permits=(at_night,))
    for _ in range(10):
        door.both([door.text(1, CAROL)], [door.seen(1, CAROL, looks=3)])
        door.later(0.5)
    door.both([], [])
    assert [Reason.NOT_PERMITTED_AT_THIS_TIME] == door.reasons
    assert [] == door.register.failures


def test_nothing_is_a_failure_that_was_no_try() -> None:
    """A pass without a face, a refused one, two at once, a face without a pass, the way out."""
    alone, refused, two, none = (stage() for _ in range(4))
    out = Stage(WAY_OUT, permits=WITH_PASSES)
    refused.claims.refused[CAROL] = Reason.CREDENTIAL_EXPIRED
    alone.both([alone.text(1, CAROL)], [])
    refused.both([refused.text(1, CAROL)], [refused.seen(1, MALLORY)])
    two.both([two.text(1, CAROL), two.text(2, ERIN)], [two.seen(1, MALLORY)])
    none.both([], [none.seen(1, MALLORY)])
    out.both([out.text(1, CAROL)], [out.seen(1, MALLORY)])
    for one in (alone, refused, two, none, out):
        one.both([], [])

        assert [] == one.register.failures


def test_whoever_failed_too_often_waits_and_waits_no_longer_for_trying() -> None:
    """While they wait the answer is the same for the owner, and no try counts."""
    door = stage()
    door.register.throttled[CAROL] = door.now().utc + timedelta(seconds=30)
    for who in (CAROL, MALLORY):
        door.both([door.text(1, CAROL)], [door.seen(1, who)])
        door.both([], [])
    assert [Reason.THROTTLED] * 2 == door.reasons
    assert [] == door.register.failures
    assert [] == door.ledger.kept

    door.later(30.0)
    door.both([door.text(3, CAROL)], [door.seen(3, CAROL)])

    assert 1 == len(door.pulses)


def test_failure_that_cannot_be_kept_shows_and_breaks_nothing() -> None:
    """Red, and the next one is let in."""
    door = stage()
    door.register.failed_fault = fails
    door.both([door.text(1, CAROL)], [door.seen(1, MALLORY)])
    door.both([], [])
    assert "red" in door.observer.of(door.lane.access_point.id)  # type: ignore[arg-type]

    door.both([door.text(2, CAROL)], [door.seen(2, CAROL)])
    assert 1 == len(door.pulses)


def test_consent_that_was_taken_back_denies_whatever_the_pass_says() -> None:
    """Bob's pass was claimed a moment too early: the decision asks again."""
    door = Stage(permits=(permit(BOB, name="bob", factors=(PASS, FACE), liveness=False),))
    door.both([door.text(1, BOB)], [door.seen(1, BOB)])
    door.both([], [])

    assert [Reason.NO_CONSENT] == door.reasons
    assert [] == door.pulses


def test_pass_read_anew_lets_nobody_out_twice() -> None:
    """Carol is out; the pass in her hand is lost from sight and found again by the tracker."""
    out = Stage(WAY_OUT, permits=WITH_PASSES)
    out.both([out.text(1, CAROL)], [out.seen(1, CAROL)])
    out.later(1.5)
    found = replace(out.text(2, CAROL), first=out.now(1.4))
    out.both([found], [out.seen(1, CAROL)])

    assert 1 == len(out.pulses)


def test_what_spoils_the_face_is_told_to_whoever_holds_up_a_valid_pass() -> None:
    """A pass is no look: what they should do is look at the camera."""
    door = stage()
    shy = track(1, CAROL, door.now(), looks=0, flaws=(Flaw.TURNED_AWAY,))
    door.both([door.text(1, CAROL)], [shy])
    door.later(1.0)
    door.both([], [])

    (outcome,) = door.observer.outcomes
    assert (Reason.UNAUTHORIZED, 0) == (outcome.decision.reason, outcome.looks)
    assert (Flaw.TURNED_AWAY,) == outcome.flaws


def test_next_car_is_seen_behind_one_let_in_by_plate_pass_and_face() -> None:
    """Erin is still before the other camera, pass in hand, when the van drives up."""
    all_three = permit(COUPE, ERIN, name="coupe", factors=(PLATE, PASS, FACE), liveness=False)
    lane = Stage(BARRIER, permits=(*PERMITS[:2], all_three))
    lane.plate(lane.seen(1, COUPE))
    lane.both([lane.text(1, ERIN)], [lane.seen(1, ERIN)])
    assert 1 == len(lane.pulses)
    lane.later(1.5)
    lane.both([lane.text(1, ERIN)], [lane.seen(1, ERIN)])
    lane.plate(lane.seen(2, VAN))

    assert [(ERIN, COUPE), (VAN,)] == [decided.holders for decided in lane.ledger.decided]


def test_refused_pass_beside_a_grant_that_was_put_off_is_not_told_as_well() -> None:
    """Alice is told that it could not be recorded, once."""
    door = stage()
    door.claims.refused["old"] = Reason.CREDENTIAL_EXPIRED
    door.ledger.before = raising(fails)
    door.both([door.text(1, "old")], [door.seen(1, ALICE)])
    door.both([], [])

    assert [Reason.NOT_RECORDED] == door.reasons


def test_failure_is_counted_where_the_passage_ends_before_the_face_is_gone() -> None:
    """The camera says nothing any more, or the van beside them is let in and gone."""
    silent = stage()
    silent.both([silent.text(1, CAROL)], [silent.seen(1, MALLORY)])
    silent.later(SILENT_S + 1.0)
    silent.plate()
    assert [CAROL] == silent.register.failures

    lane = Stage(BARRIER, permits=WITH_PASSES)
    lane.both([lane.text(1, CAROL)], [lane.seen(1, MALLORY)])
    lane.plate(lane.seen(1, VAN))
    lane.later(1.0)
    lane.plate(lane.seen(2, MALLORY))

    assert [CAROL] == lane.register.failures


def test_next_face_is_seen_behind_one_let_in_when_the_plate_came_last() -> None:
    """Alice walks up where Erin sat, whose car still stands there."""
    all_three = permit(COUPE, ERIN, name="coupe", factors=(PLATE, PASS, FACE), liveness=False)
    lane = Stage(BARRIER, permits=(*PERMITS[:2], all_three))
    lane.both([lane.text(1, ERIN)], [lane.seen(1, ERIN)])
    lane.plate(lane.seen(1, COUPE))
    lane.later(1.5)
    lane.both([], [lane.seen(2, ALICE)])

    assert [(ERIN, COUPE), (ALICE,)] == [decided.holders for decided in lane.ledger.decided]


def test_failures_that_cannot_be_kept_make_their_holder_wait_all_the_same() -> None:
    """Attack: a found pass is tried while the store is locked or full."""
    door = stage()
    door.register.failed_fault = fails
    for number in range(20):
        door.both([door.text(number, CAROL)], [door.seen(number, MALLORY)])
        door.later(0.5)
        door.both([], [])
        door.later(1.5)
    # The fifth is counted at 8.5 seconds; the last comes at 38.
    assert [Reason.UNAUTHORIZED] * 5 + [Reason.THROTTLED] * 15 == door.reasons
    assert [] == door.register.failures

    # Nobody else waits, and Carol only for a while; then she begins anew.
    door.both([door.text(40, ALICE)], [door.seen(40, ALICE)])
    door.later(0.1)
    door.both([], [])
    door.later(30.0)
    for number, who in ((41, CAROL), (42, MALLORY), (43, CAROL)):
        door.both([door.text(number, CAROL)], [door.seen(number, who)])
        door.later(0.1)
        door.both([], [])
        door.later(11.0)
    assert [ALICE, CAROL, CAROL] == [holder for d in door.ledger.decided for holder in d.holders]
