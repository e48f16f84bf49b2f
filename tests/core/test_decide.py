"""Who is let through and why: the cast, every reason, and the attacks that must come to nothing."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from postern.core.access_point import AccessPoint, Passback
from postern.core.attempt import Liveness
from postern.core.consent import StorageMode
from postern.core.decide import ATTEMPT_S, FRESH_S, State, decide
from postern.core.decision import MEANING, Decision, Reason
from postern.core.errors import PosternError
from postern.core.evidence import Evidence, Factor
from postern.core.ids import AccessPointId, CredentialId, Holder
from postern.core.mode import Mode
from postern.core.permit import Ceiling, Permit
from postern.core.schedule import DAYS, Schedule, Span
from tests.people import (
    ALICE,
    BARRIER,
    BOB,
    CARD,
    CAROL,
    CONSENTS,
    COUPE,
    CREDENTIALS,
    DAN,
    DAY,
    DOOR,
    ERIN,
    FACE,
    NOW,
    OFFICE,
    PASS,
    PERMITS,
    PIN,
    PLATE,
    TOURER,
    VAN,
    WAY_OUT,
    attempt,
    card,
    consent,
    credential,
    credential_id,
    evidence,
    face,
    moment,
    permit,
    pin,
    plate,
    shown_pass,
    state,
)

NEVER = Schedule(NOW.tzinfo, ((),) * len(DAYS)) if NOW.tzinfo else None
NIGHTS = Schedule(NEVER.zone, ((Span(time(22), time(6)),),) * len(DAYS)) if NEVER else None
TIGHT_OFFICE = replace(DOOR, area=replace(OFFICE, capacity=2))
HARD_DOOR = replace(DOOR, area=replace(OFFICE, passback=Passback.HARD))
SOFT_DOOR = replace(DOOR, area=replace(OFFICE, passback=Passback.SOFT))


def decided(
    *shown: Evidence,
    permits: tuple[Permit, ...] = PERMITS,
    given: State | None = None,
    at: AccessPoint = DOOR,
    liveness: Liveness = Liveness.LIVE,
) -> Decision:
    """The decision on an attempt that shows `shown`, just now."""
    return decide(attempt(*shown, at=at, liveness=liveness), permits, given or state(at), moment())


# The cast ---------------------------------------------------------------------------------------

CAST_AT_THE_DOOR = {
    "Alice, who agreed and has a permit": (face(ALICE), Reason.PERMITTED),
    "Bob, who took his consent back": (face(BOB), Reason.NO_CONSENT),
    "Carol, who has no permit": (face(CAROL), Reason.UNAUTHORIZED),
    "Dan, whose consent ran out": (face(DAN), Reason.NO_CONSENT),
    "Erin, who left her pass at home": (face(ERIN), Reason.UNAUTHORIZED),
    "a stranger as like Alice as one in ten": (face(ALICE, 0.1), Reason.UNAUTHORIZED),
}


@pytest.mark.parametrize("who", CAST_AT_THE_DOOR)
def test_decide_answers_each_of_the_cast(who):
    """Those who agreed and have a permit pass, and everybody else is told why not."""
    shown, reason = CAST_AT_THE_DOOR[who]

    assert reason == decided(shown).reason


def test_decide_says_on_what_it_granted():
    """A grant names its permit, its holders and its bound."""
    expected = Decision(attempt().id, Reason.PERMITTED, PERMITS[0].id, (ALICE,), None, 1e-6)

    assert expected == decided(face(ALICE))


def test_a_pass_neither_adds_to_the_bound_nor_takes_from_it():
    """A claim names somebody; how sure that is comes from what weighs."""
    assert 1e-6 == decided(shown_pass(ERIN), face(ERIN)).bound


@pytest.mark.parametrize("liveness", [Liveness.NOT_LIVE, Liveness.NOT_CHECKED])
def test_a_photograph_of_alice_that_mallory_holds_up_does_not_open(liveness):
    """However good the face, it is denied unless a live person was established."""
    denied = decided(face(ALICE, 1e-9), liveness=liveness)

    assert (Reason.NOT_LIVE, ()) == (denied.reason, denied.holders)


def test_a_failed_liveness_check_denies_although_the_permit_requires_none():
    """Liveness is a veto: a permit may do without the check, never with its failure."""
    permits = (permit(ALICE, liveness=False),)

    assert decided(face(ALICE), permits=permits, liveness=Liveness.NOT_CHECKED).granted
    assert (
        Reason.NOT_LIVE
        == decided(face(ALICE), permits=permits, liveness=Liveness.NOT_LIVE).reason
    )  # fmt: skip


def test_decide_lets_a_vehicle_and_its_driver_through():
    """A permit for both takes both, and names both."""
    granted = decided(plate(COUPE), face(ERIN), at=BARRIER)

    assert (Reason.PERMITTED, (ERIN, COUPE)) == (granted.reason, granted.holders)


@pytest.mark.parametrize(
    "shown",
    [
        (),
        (plate(TOURER),),
        (plate(COUPE),),
        (plate(COUPE), face(ALICE)),
        (plate(COUPE), face(ERIN, 1.1e-3)),
        (plate(COUPE, 1e-200), face(ERIN, 1.1e-3)),
        (plate(TOURER), face(ERIN)),
    ],
    ids=["nothing", "stranger", "no driver", "other driver", "unlike", "perfect plate", "no van"],
)
def test_decide_denies_a_vehicle_without_its_driver(shown):
    """Each factor has to be there and within its own ceiling; a plate never carries a face."""
    denied = decided(*shown, permits=(PERMITS[-1],), at=BARRIER)

    assert (Reason.UNAUTHORIZED, ()) == (denied.reason, denied.holders)


# Every reason -----------------------------------------------------------------------------------

#: Every reason that `decide` gives: what has to be so for it.
REASONS = {
    Reason.PERMITTED: (attempt(face(ALICE)), PERMITS, state()),
    Reason.EXIT: (attempt(at=WAY_OUT), (), state(WAY_OUT)),
    Reason.UNAUTHORIZED: (attempt(face(CAROL)), PERMITS, state()),
    Reason.NOT_PERMITTED_AT_THIS_TIME: (
        attempt(face(ALICE)), (permit(ALICE, schedule=NEVER),), state()
    ),
    Reason.CREDENTIAL_NOT_ENABLED: (
        attempt(face(ALICE)), PERMITS,
        state(credentials={
            credential_id(Factor.FACE, ALICE): credential(Factor.FACE, ALICE, enabled=False)
        }),
    ),
    Reason.CREDENTIAL_NOT_ACTIVE: (
        attempt(face(ALICE)), PERMITS,
        state(credentials={
            credential_id(Factor.FACE, ALICE): credential(Factor.FACE, ALICE, valid_from=NOW + DAY)
        }),
    ),
    Reason.CREDENTIAL_EXPIRED: (
        attempt(face(ALICE)), PERMITS,
        state(credentials={
            credential_id(Factor.FACE, ALICE): credential(Factor.FACE, ALICE, valid_until=NOW)
        }),
    ),
    Reason.INVALID_PIN: (
        attempt(card(ALICE), pin(ALICE, right=False)),
        (permit(ALICE, factors=(CARD, PIN)),), state(),
    ),
    Reason.STALE: (attempt(face(ALICE), last_frame=-FRESH_S - 0.01), PERMITS, state()),
    Reason.AMBIGUOUS: (attempt(face(ALICE), face(ERIN)), PERMITS, state()),
    Reason.NOT_LIVE: (attempt(face(ALICE), liveness=Liveness.NOT_LIVE), PERMITS, state()),
    Reason.NO_CONSENT: (attempt(face(BOB)), PERMITS, state()),
    Reason.THROTTLED: (
        attempt(face(ALICE)), PERMITS, state(throttled={ALICE: NOW + timedelta(seconds=30)})
    ),
    Reason.AREA_FULL: (
        attempt(face(ALICE)), PERMITS, state(TIGHT_OFFICE, occupancy=2)
    ),
    Reason.PASSBACK: (
        attempt(face(ALICE)), PERMITS, state(HARD_DOOR, inside={ALICE: NOW - DAY})
    ),
    Reason.CLOCK_UNTRUSTED: (
        attempt(face(ALICE)), (permit(ALICE, schedule=NIGHTS),), state(clock_trusted=False)
    ),
    Reason.LOCKDOWN: (attempt(face(ALICE)), PERMITS, replace(state(), mode=Mode.LOCKDOWN)),
}  # fmt: skip
#: Given by others: a device that decides for itself, the ledger, and the reader of passes.
NOT_DECIDED_HERE = {
    *(Reason.OTHER, Reason.INTERRUPTED, Reason.NOT_RECORDED),
    *(Reason.INVALID_PASS, Reason.FOREIGN_PASS, Reason.NEEDS_NEW_LOOKS),
}


@pytest.mark.parametrize("reason", REASONS)
def test_decide_gives_every_reason(reason):
    """Each reason is reached, grants exactly if it is one of the two that do, and tells no more."""
    made, permits, given = REASONS[reason]

    decision = decide(made, permits, given, moment())

    assert reason == decision.reason
    assert (reason in (Reason.PERMITTED, Reason.EXIT)) == decision.granted


def test_the_table_of_reasons_is_complete():
    """Every reason is either reached above or said to come from elsewhere."""
    assert set(Reason) == set(REASONS) | NOT_DECIDED_HERE
    assert set() == set(REASONS) & NOT_DECIDED_HERE


def test_every_reason_is_explained():
    """Each reason has one short sentence of its own for the operator."""
    assert list(Reason) == list(MEANING)
    assert len(Reason) == len(set(MEANING.values()))
    assert all(10 <= len(text) <= 80 and not text.endswith(".") for text in MEANING.values())


@pytest.mark.parametrize("reason", sorted(set(REASONS) - {Reason.PERMITTED, Reason.EXIT}))
def test_a_denial_names_nobody_before_identity_is_settled(reason):
    """Only those who were recognised, agreed and are live are named in a denial."""
    settled = {
        Reason.NOT_PERMITTED_AT_THIS_TIME, Reason.THROTTLED, Reason.AREA_FULL, Reason.PASSBACK,
        Reason.CLOCK_UNTRUSTED, Reason.LOCKDOWN,
    }  # fmt: skip
    made, permits, given = REASONS[reason]

    denied = decide(made, permits, given, moment())

    assert ((ALICE,) if reason in settled else ()) == denied.holders
    assert 1.0 == denied.bound


def test_a_stranger_is_no_permits_business():
    """A face that fits nobody is not written against any permit."""
    strange = [face(person, 0.2 + 0.1 * k) for k, person in enumerate((ALICE, BOB, DAN, ERIN))]

    denied = decided(*strange)

    assert (Reason.UNAUTHORIZED, None, ()) == (denied.reason, denied.permit, denied.holders)


@pytest.mark.parametrize(
    ("shown", "at", "factor"),
    [
        ((shown_pass(ERIN), face(ERIN, 0.2)), DOOR, Factor.FACE),
        ((face(ERIN),), DOOR, Factor.PASS),
        ((plate(COUPE), face(ERIN, 0.2)), BARRIER, Factor.FACE),
        ((plate(COUPE, 0.5), face(ERIN)), BARRIER, Factor.PLATE),
        ((), DOOR, None),
    ],
)
def test_a_denial_names_the_factor_that_fell_short_in_the_nearest_permit(shown, at, factor):
    """What to do about it is told from the permit that got furthest, not from any other."""
    garage = permit(COUPE, ERIN, name="z", factors=(PLATE, FACE), at=frozenset({BARRIER.id}))

    assert factor == decided(*shown, permits=(*PERMITS[:4], garage), at=at).factor


def test_the_nearest_permit_is_the_one_of_which_most_was_shown():
    """Two factors of three are nearer than one of two."""
    loose = Ceiling(Factor.FACE, 0.5)
    permits = (
        permit(ALICE, name="a", factors=(PASS, loose, PIN)),
        permit(ALICE, name="z", factors=(PASS, FACE)),
    )

    denied = decided(shown_pass(ALICE), face(ALICE, 0.2), permits=permits)

    assert ("a", Factor.PIN) == (denied.permit, denied.factor)


def test_a_missing_pin_is_not_called_a_wrong_one():
    """Without a PIN the answer says which factor is missing."""
    permits = (permit(ALICE, factors=(CARD, PIN)),)

    denied = decided(card(ALICE), permits=permits)

    assert (Reason.UNAUTHORIZED, Factor.PIN) == (denied.reason, denied.factor)


def test_somebody_elses_wrong_pin_is_not_held_against_a_permit():
    """A wrong PIN is reported only by a permit of the one who typed it."""
    permits = (permit(ALICE, factors=(CARD, FACE)), permit(ERIN, name="z", factors=(PIN,)))

    denied = decided(card(ALICE), pin(ALICE, right=False), evidence(Factor.FACE, ERIN, 0.5),
                     permits=permits)  # fmt: skip

    assert (Reason.UNAUTHORIZED, Factor.FACE) == (denied.reason, denied.factor)


# Evidence for more than one ---------------------------------------------------------------------

BOTH = (permit(ALICE, factors=(PASS, FACE)), permit(ERIN, factors=(FACE,)))


def test_alices_pass_does_not_carry_erins_face():
    """The factors of a person have to speak for one and the same person."""
    denied = decided(shown_pass(ALICE), face(ERIN), permits=(BOTH[0],))

    assert (Reason.UNAUTHORIZED, Factor.FACE) == (denied.reason, denied.factor)


def test_one_permit_for_two_does_not_join_the_pass_of_one_to_the_face_of_the_other():
    """Also where both hold the same permit, two halves of two people make nobody."""
    shared = (permit(ALICE, ERIN, factors=(PASS, FACE)),)

    assert not decided(shown_pass(ALICE), face(ERIN), permits=shared).granted


def test_a_face_that_is_enough_by_itself_does_not_pass_under_somebody_elses_pass():
    """A claim narrows the candidates to one: Erin with Alice's pass is not let through as Erin."""
    assert decided(face(ERIN), permits=BOTH).granted
    assert Reason.AMBIGUOUS == decided(shown_pass(ALICE), face(ERIN), permits=BOTH).reason


def test_a_pass_and_a_card_of_two_people_are_ambiguous():
    """Two claims for two people leave it open who stands there, whatever kind they are."""
    permits = (permit(ALICE, factors=(PASS, FACE)),)

    assert Reason.AMBIGUOUS == decided(
        shown_pass(ALICE), card(ERIN), face(ALICE), permits=permits
    ).reason  # fmt: skip


def test_a_drivers_pass_does_not_disturb_a_permit_for_the_plate_alone():
    """A claim is about a person, and says nothing against a vehicle."""
    assert decided(plate(VAN), shown_pass(ERIN), at=BARRIER).granted


@pytest.mark.parametrize("rival", [1e-6, 1e-9, float("nan"), 0.0, -1.0])
def test_somebody_who_fits_as_well_makes_it_ambiguous(rival):
    """The second best may not be as good, and what cannot be told might be."""
    assert Reason.AMBIGUOUS == decided(face(ALICE, 1e-6), face(TOURER, rival)).reason


@pytest.mark.parametrize("rival", [1.1e-6, 1.0, 1e9, float("inf")])
def test_somebody_who_fits_less_well_does_not(rival):
    """A worse match, or a bound that says nothing, stands in nobody's way."""
    assert decided(face(ALICE, 1e-6), face(TOURER, rival)).granted


def test_the_better_of_two_holders_of_one_permit_is_let_through():
    """Where one permit holds two who both fit, the strictly better one is meant."""
    permits = (permit(ALICE, ERIN),)

    for better, worse in ((ALICE, ERIN), (ERIN, ALICE)):
        granted = decided(face(worse, 2e-6), face(better, 1e-6), permits=permits)
        assert (Reason.PERMITTED, (better,)) == (granted.reason, granted.holders)


# Credentials and consents that do not belong ----------------------------------------------------


def with_alices_face(**changes):
    """A state in which something is different about the credential of Alice's face."""
    name = credential_id(Factor.FACE, ALICE)
    return state(credentials={name: replace(CREDENTIALS[name], **changes)})


@pytest.mark.parametrize(
    "given",
    [
        state(credentials={}),
        with_alices_face(holder=ERIN),
        with_alices_face(factor=Factor.PLATE, mode=None),
        with_alices_face(id=CredentialId("another")),
    ],
    ids=["unknown", "of another holder", "of another factor", "under a wrong name"],
)
def test_evidence_for_a_credential_that_is_not_the_holders_denies(given):
    """The credential has to exist, under its name, and be this holder's and this factor's."""
    denied = decided(face(ALICE), given=given)

    assert (Reason.UNAUTHORIZED, ()) == (denied.reason, denied.holders)


@pytest.mark.parametrize(
    "consents",
    [
        {},
        {ALICE: ()},
        {ALICE: CONSENTS[ERIN]},
        {ALICE: (consent(ALICE, places=frozenset({BARRIER.id})),)},
        {ALICE: (consent(ALICE, given=NOW + DAY),)},
        {ALICE: (consent(ALICE, expires=NOW),)},
        {ALICE: (consent(ALICE, withdrawn=NOW),)},
        {ALICE: (consent(ALICE, withdrawn=NOW + DAY),)},
        {ALICE: (consent(ALICE, mode=StorageMode.PASS),)},
    ],
    ids=[
        "none",
        "empty",
        "Erin's",
        "elsewhere",
        "later",
        "over",
        "withdrawn",
        "clock set back",
        "kept otherwise",
    ],
)
def test_a_face_without_its_owners_standing_consent_denies(consents):
    """The consent has to be that person's, for this place, and stand now."""
    assert Reason.NO_CONSENT == decided(face(ALICE), given=state(consents=consents)).reason


def test_one_standing_consent_among_withdrawn_ones_is_enough():
    """Who took a consent back and gave a new one has agreed."""
    consents = {ALICE: (consent(ALICE, withdrawn=NOW - DAY), consent(ALICE))}

    assert decided(face(ALICE), given=state(consents=consents)).granted


def test_a_plate_needs_no_consent_of_a_person():
    """Consent is to the use of one's face; a registered vehicle has none."""
    assert decided(plate(VAN), at=BARRIER, given=state(BARRIER, consents={})).granted


@pytest.mark.parametrize("changes", [{"enabled": False}, {"valid_until": NOW}])
def test_a_credential_that_ended_does_not_hide_one_that_counts(changes):
    """Of two references of one person the one that counts decides, though the other fits better."""
    old = replace(credential(Factor.FACE, ALICE, name=CredentialId("old")), **changes)
    given = state(credentials={**CREDENTIALS, old.id: old})
    better = evidence(Factor.FACE, ALICE, 1e-9, name=old.id)

    granted = decided(better, face(ALICE), given=given)

    assert (Reason.PERMITTED, 1e-6) == (granted.reason, granted.bound)
    assert not decided(better, given=given).granted


# Sure enough ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p", [float("nan"), float("inf"), -float("inf"), -1e-9, 0.0, 1.0000001, 2.0, 10**400]
)
@pytest.mark.parametrize("factor", [Factor.FACE, Factor.PASS, Factor.PIN])
def test_what_is_no_bound_never_grants(factor, p):
    """A number that is not in (0, 1] is no bound, from whichever factor it comes."""
    generous = (Ceiling(Factor.FACE, 1.0), Ceiling(Factor.PASS, 1.0), Ceiling(Factor.PIN, 1.0))
    permits = (permit(ALICE, factors=generous, max_false_accept=0.5),)
    good = [face(ALICE), shown_pass(ALICE), pin(ALICE)]
    shown = [replace(e, p=p) if e.factor is factor else e for e in good]

    assert decided(*good, permits=permits).granted
    assert not decided(*shown, permits=permits).granted


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({"searched": 100}, True),
        ({"searched": 101}, False),
        ({"searched": 0}, False),
        ({"searched": -5}, False),
        ({"searched": 10**400}, False),
        ({"looks": 1}, True),
        ({"looks": 0}, False),
        ({"looks": -1}, False),
    ],
)
def test_a_search_and_the_looks_behind_it_count(changes, granted):
    """The bound grows with everybody searched, and nothing comes from no look at all."""
    shown = replace(face(ALICE, 1e-6), **changes)

    assert granted == decided(shown).granted


@pytest.mark.parametrize("p", [1e-2, 1e-3, 1e-4, 1e-5, 3e-4, 7e-3, 0.1])
def test_a_bound_of_exactly_what_is_permitted_passes(p):
    """Arithmetic takes nothing away: at the ceiling and at the permitted whole is within both."""
    permits = (permit(ALICE, factors=(Ceiling(Factor.FACE, p),), max_false_accept=p),)

    assert p == decided(face(ALICE, p), permits=permits).bound


def test_each_factor_within_its_ceiling_does_not_make_the_whole_sure_enough():
    """The whole has its own bound."""
    loose = Ceiling(Factor.FACE, 1e-2)

    assert decided(face(ALICE, 9e-5), permits=(permit(ALICE, factors=(loose,)),)).granted
    assert not decided(face(ALICE, 9e-3), permits=(permit(ALICE, factors=(loose,)),)).granted


def test_a_large_roster_denies_by_arithmetic():
    """The same face that opens among a hundred does not among five hundred."""
    among = [replace(face(ALICE, 4e-7), searched=n) for n in (100, 500)]

    assert [True, False] == [decided(one).granted for one in among]


# Time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (-0.001, Reason.CLOCK_UNTRUSTED),
        (0.0, Reason.PERMITTED),
        (FRESH_S, Reason.PERMITTED),
        (FRESH_S + 0.001, Reason.STALE),
        (1e9, Reason.STALE),
    ],
)
def test_the_last_frame_has_to_be_fresh(age, reason):
    """A grant stands on a frame of the last two seconds and none of the future."""
    made = attempt(evidence(Factor.FACE, ALICE, seen=min(0.0, -age)), last_frame=-age)

    assert reason == decide(made, PERMITS, state(), moment()).reason


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (-0.001, Reason.CLOCK_UNTRUSTED),
        (FRESH_S, Reason.PERMITTED),
        (FRESH_S + 0.001, Reason.STALE),
        (ATTEMPT_S + 0.001, Reason.STALE),
    ],
)
def test_evidence_has_to_be_fresh_whatever_the_last_frame_shows(age, reason):
    """A camera that goes on looking at somebody else does not keep Alice's face fresh."""
    assert reason == decided(evidence(Factor.FACE, ALICE, seen=-age)).reason


@pytest.mark.parametrize(
    ("age", "reason"),
    [(ATTEMPT_S, Reason.PERMITTED), (ATTEMPT_S + 0.001, Reason.STALE)],
)
def test_a_pass_shown_earlier_in_the_same_visit_counts(age, reason):
    """One fresh factor carries those of the same visit, and no longer than that."""
    shown = evidence(Factor.PASS, ERIN, seen=-age), face(ERIN)

    assert reason == decided(*shown).reason


def test_somebody_elses_fresh_evidence_does_not_freshen_mine():
    """A rival who stands there now keeps nobody's old look alive."""
    old = evidence(Factor.FACE, ALICE, seen=-FRESH_S - 1)

    assert Reason.STALE == decided(old, face(TOURER, 0.5)).reason


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({"valid_from": NOW}, True),
        ({"valid_from": NOW + timedelta(microseconds=1)}, False),
        ({"valid_until": NOW + timedelta(microseconds=1)}, True),
        ({"valid_until": NOW}, False),
        ({"schedule": NIGHTS}, False),
        ({"schedule": NEVER}, False),
        ({"at": frozenset({BARRIER.id})}, False),
    ],
)
def test_a_permit_counts_in_its_time_and_place(changes, granted):
    """Its beginning belongs to it, its end does not."""
    assert granted == decided(face(ALICE), permits=(permit(ALICE, **changes),)).granted


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (permit(ALICE, schedule=NIGHTS), state(clock_trusted=False)),
        (permit(ALICE, valid_until=NOW + DAY), state(clock_trusted=False)),
        (
            permit(ALICE),
            replace(with_alices_face(valid_until=NOW + DAY), clock_trusted=False),
        ),
    ],
    ids=["schedule", "permit ends", "credential ends"],
)
def test_whatever_goes_by_the_clock_does_not_count_while_it_is_untrusted(made, given):
    """A visitor's pass does not come back to life because the clock was set back."""
    permits = (made,)

    assert decided(face(ALICE), permits=(replace(made, schedule=None),),
                   given=replace(given, clock_trusted=True)).granted  # fmt: skip
    assert Reason.CLOCK_UNTRUSTED == decided(face(ALICE), permits=permits, given=given).reason


def test_an_always_permit_counts_while_the_clock_is_untrusted():
    """Those who may come at any time still can."""
    assert decided(face(ALICE), given=state(clock_trusted=False)).granted


# Waiting, room and passback ---------------------------------------------------------------------


def test_waiting_ends_at_its_time():
    """Who had to wait until now need not any longer."""
    assert decided(face(ALICE), given=state(throttled={ALICE: NOW})).granted


@pytest.mark.parametrize(
    "guess",
    [(), (pin(ALICE),), (pin(ALICE, right=False),), (pin(ALICE), face(ALICE)), (face(ERIN),)],
)
def test_guessing_while_waiting_learns_nothing(guess):
    """With a stolen card the right PIN and a wrong one get the very same answer."""
    permits = (permit(ALICE, factors=(CARD, PIN)), permit(ERIN))
    given = state(throttled={ALICE: NOW + DAY})
    expected = Decision(attempt().id, Reason.THROTTLED, permits[0].id)

    assert expected == decided(card(ALICE), *guess, permits=permits, given=given)


def test_waiting_for_ones_claim_does_not_hold_up_a_vehicle():
    """A permit for the plate alone does not ask who sits in it."""
    permits = (permit(VAN, ALICE, factors=(PLATE,)),)
    given = state(BARRIER, throttled={ALICE: NOW + DAY})

    assert decided(plate(VAN), card(ALICE), at=BARRIER, permits=permits, given=given).granted


@pytest.mark.parametrize(("occupancy", "granted"), [(0, True), (1, True), (2, False), (-1, False)])
def test_a_full_area_admits_nobody(occupancy, granted):
    """There is room below the capacity; a count that cannot be is no room."""
    assert granted == decided(face(ALICE), given=state(TIGHT_OFFICE, occupancy=occupancy)).granted


def test_soft_passback_lets_through_and_tells():
    """A broken soft rule is recorded with the grant."""
    given = state(SOFT_DOOR, inside={ALICE: NOW - DAY})

    granted = decided(face(ALICE), given=given)

    assert (Reason.PERMITTED, True) == (granted.reason, granted.passback)


@pytest.mark.parametrize(
    ("resets", "trusted", "granted"),
    [
        (None, True, False),
        (DAY, True, True),
        (DAY + timedelta(microseconds=1), True, False),
        (timedelta.max, True, False),
        (DAY, False, False),
    ],
)
def test_hard_passback_resets_after_its_time(resets, trusted, granted):
    """Somebody who entered a day ago counts as out once that time is over, by a trusted clock."""
    place = replace(DOOR, area=replace(OFFICE, passback=Passback.HARD, passback_resets=resets))
    given = state(place, inside={ALICE: NOW - DAY}, clock_trusted=trusted)

    assert granted == decided(face(ALICE), given=given).granted


def test_passback_is_off_where_it_is_not_asked_for():
    """Without the rule, entering twice is nobody's concern."""
    granted = decided(face(ALICE), given=state(inside={ALICE: NOW}))

    assert (True, False) == (granted.granted, granted.passback)


def test_a_driver_inside_keeps_the_vehicle_out_under_hard_passback():
    """Each of those who pass has to be outside."""
    place = replace(BARRIER, area=HARD_DOOR.area)
    given = state(place, inside={ERIN: NOW})

    assert Reason.PASSBACK == decided(plate(COUPE), face(ERIN), at=place, given=given).reason


# The way out ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shown", [(), (face(ALICE, float("nan")),), (face(BOB),), (face(ALICE), face(ERIN))]
)
def test_an_exit_opens_for_whom_it_does_not_know_and_names_nobody(shown):
    """Nobody is held, and nobody is recorded who was not recognised or did not agree."""
    opened = decided(*shown, at=WAY_OUT)

    assert Decision(attempt().id, Reason.EXIT) == opened


def test_an_exit_records_who_left_whatever_would_have_kept_them_out():
    """Time, room, passback and waiting matter on the way in only."""
    area = replace(OFFICE, capacity=1, passback=Passback.HARD)
    given = state(replace(WAY_OUT, area=area), inside={ALICE: NOW}, occupancy=5,
                  throttled={ALICE: NOW + DAY}, clock_trusted=False)  # fmt: skip
    permits = (permit(ALICE, factors=(PASS, FACE), schedule=NEVER, valid_until=NOW - DAY),)

    opened = decided(
        shown_pass(ALICE), face(ALICE), at=given.access_point, given=given, permits=permits
    )

    assert Decision(attempt().id, Reason.EXIT, permits[0].id, (ALICE,), None, 1e-6) == opened


@pytest.mark.parametrize("at", [DOOR, WAY_OUT])
def test_an_attempt_somewhere_else_opens_nothing(at):
    """The state of one access point never decides for another."""
    made = attempt(face(ALICE), at=replace(at, id=AccessPointId("elsewhere")))

    denied = decide(made, PERMITS, state(at), moment())

    assert Decision(made.id, Reason.UNAUTHORIZED) == denied


# What is refused before anything is decided -----------------------------------------------------


def test_a_state_refuses_times_without_a_zone():
    """A time that does not compare is refused where it comes in, not while deciding."""
    naive: dict[Holder, datetime] = {ALICE: NOW.replace(tzinfo=None)}

    with pytest.raises(PosternError, match="UTC"):
        state(inside=naive)
    with pytest.raises(PosternError, match="UTC"):
        state(throttled=naive)


def test_an_attempt_is_left_as_it_was():
    """Deciding changes nothing that it is given."""
    made, given = attempt(face(ALICE)), state()
    before = (replace(made), replace(given))

    decide(made, PERMITS, given, moment())

    assert before == (made, given)
