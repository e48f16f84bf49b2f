"""What holds of `decide` whatever it is given: well-typed nonsense, and whatever nearly opens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from postern.core.access_point import Area, Direction, Passback
from postern.core.attempt import Attempt, Liveness
from postern.core.decide import ATTEMPT_S, FRESH_S, State, decide
from postern.core.decision import Reason
from postern.core.evidence import Evidence, Factor, combine
from postern.core.ids import AreaId, AttemptId, CredentialId, Holder, PermitId, PersonId
from postern.core.mode import Mode
from postern.core.moment import Moment
from postern.core.permit import Ceiling, Permit
from postern.core.schedule import Schedule, Span
from tests.people import (
    ALICE,
    BARRIER,
    CAST,
    CONSENTS,
    COUPE,
    CREDENTIALS,
    DAY,
    DOOR,
    ERIN,
    NOW,
    PLACES,
    WAY_OUT,
    consent,
    credential,
    credential_id,
    evidence,
    moment,
)

slowly = settings(max_examples=100)
MALLORY = PersonId("p-mallory")

# Nearly everything that type checks -------------------------------------------------------------

numbers = st.one_of(
    st.sampled_from([float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 5e-324, 1.5, 10**400]),
    st.sampled_from([1e-12, 1e-6, 1e-5, 1e-4, 1e-3, 0.5, 1.0]),
    st.floats(),
)
counts = st.one_of(st.integers(1, 100), st.sampled_from([0, -1, 10**18, 10**400]))
ages = st.one_of(
    st.sampled_from([0.0, FRESH_S, ATTEMPT_S, -1e-6, 1e9]), st.floats(-5, ATTEMPT_S + 5)
)
anybody = st.sampled_from([*CAST, MALLORY])
years = st.integers(0, 253_370_764_799).map(
    lambda s: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, s)
)
times = st.one_of(st.just(NOW), st.sampled_from([NOW - DAY, NOW + DAY]), years)
places = st.sampled_from([DOOR, BARRIER, WAY_OUT])
clocks = st.builds(
    Moment, times, st.one_of(st.just(1000.0), st.floats(-1e14, 1e14), st.sampled_from([0, 10**14]))
)
spans = st.builds(Span, st.times(), st.times())
days = st.lists(spans, max_size=2).map(tuple)
schedules = st.builds(
    Schedule,
    st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati")]),
    st.tuples(*[days] * 7),
    st.dictionaries(st.dates(), days, max_size=2).map(lambda d: tuple(d.items())),
)
ceilings = st.builds(
    Ceiling, st.sampled_from(Factor), st.floats(0.0, 1.0, exclude_min=True)
)  # fmt: skip


@st.composite
def some_evidence(draw):
    """Evidence of anything for anybody, often with somebody else's credential."""
    factor, holder = draw(st.sampled_from(Factor)), draw(anybody)
    named = draw(st.sampled_from([credential_id(factor, holder), *list(CREDENTIALS)[:3], "lost"]))
    seen = moment(-draw(ages))
    looks = draw(counts)
    return Evidence(
        factor, holder, CredentialId(named), draw(numbers), draw(counts), looks, seen
    )  # fmt: skip


@st.composite
def some_permit(draw):
    """A permit for anybody by any factors at any time."""
    required = draw(st.lists(ceilings, min_size=1, max_size=4, unique_by=lambda c: c.factor))
    assume(not all(c.factor.claims for c in required))
    begins = draw(times)
    ends = draw(st.one_of(st.none(), st.just(begins + DAY)))
    return Permit(
        PermitId(draw(st.sampled_from("abcde"))),
        draw(st.frozensets(anybody, min_size=1, max_size=4)),
        draw(st.frozensets(st.sampled_from(sorted(PLACES)), min_size=1)),
        tuple(required),
        draw(st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)),
        draw(st.booleans()),
        draw(st.one_of(st.none(), schedules)),
        begins,
        ends,
    )


@st.composite
def some_state(draw):
    """Whatever may be known at any access point, true or mixed up."""
    place = draw(places)
    resets = draw(st.sampled_from([None, timedelta(microseconds=1), DAY, timedelta.max]))
    area = Area(AreaId("a"), draw(st.sampled_from([None, 1])), draw(st.sampled_from(Passback)),
                resets)  # fmt: skip
    mixed_up = st.sampled_from(
        [
            CREDENTIALS,
            {},
            dict(zip(CREDENTIALS, reversed(CREDENTIALS.values()), strict=True)),
            {name: replace(c, valid_until=NOW + DAY) for name, c in CREDENTIALS.items()},
        ]
    )
    agreed = st.sampled_from([CONSENTS, {}, {ALICE: CONSENTS[ERIN], ERIN: CONSENTS[ALICE]}])
    return State(
        replace(place, area=area),
        draw(mixed_up),
        draw(agreed),
        draw(st.dictionaries(anybody, times, max_size=3)),
        draw(st.sampled_from([0, 1, -1, 10**400])),
        draw(st.dictionaries(anybody, times, max_size=3)),
        draw(st.booleans()),
    )


some_attempt = st.builds(
    Attempt,
    st.just(AttemptId("attempt")),
    places.map(lambda place: place.id),
    st.lists(some_evidence(), max_size=6).map(tuple),
    st.sampled_from(Liveness),
    st.one_of(st.just(moment()), clocks),
)
some_now = st.one_of(st.just(moment()), clocks)
some_permits = st.lists(some_permit(), max_size=4).map(tuple)

# What nearly opens: a few people, bounds about the ceilings, hardly anything amiss ---------------

few = st.sampled_from([ALICE, ALICE, ERIN, ERIN, COUPE, MALLORY])
close = st.sampled_from([1e-9, 1e-8, 3e-8, 1e-6, 2e-6, 3e-6, 1e-5, 1e-4, 2e-4, 1e-3, 1e-2, 1.0])
usual = st.sampled_from([Factor.FACE] * 4 + [Factor.PLATE] * 2 + [Factor.PASS, Factor.PIN])
combinations = st.sampled_from([
    (Factor.FACE,), (Factor.PLATE,), (Factor.PASS, Factor.FACE), (Factor.PLATE, Factor.FACE),
    (Factor.FACE, Factor.PIN), (Factor.PLATE, Factor.PASS, Factor.FACE),
])  # fmt: skip
SECOND = {
    CredentialId(f"second-{name}"): replace(c, id=CredentialId(f"second-{name}"))
    for name, c in CREDENTIALS.items()
}
ENDED = {
    CredentialId(f"ended-{name}"): credential(
        c.factor, c.holder, valid_until=NOW, name=CredentialId(f"ended-{name}")
    )
    for name, c in CREDENTIALS.items()
}


@st.composite
def likely_evidence(draw, holders=few):
    """Sound evidence, fresh or of the same visit; some have several credentials of a kind."""
    factor, holder = draw(usual), draw(holders)
    p = 1.0 if factor.claims else draw(close)
    name = draw(st.sampled_from(["", "", "", "second-", "ended-"])) + credential_id(factor, holder)
    age = draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 30.0, 61.0]))
    searched, looks = draw(st.sampled_from([1, 1, 1, 2, 10, 100])), draw(st.integers(1, 3))
    return Evidence(factor, holder, CredentialId(name), p, searched, looks, moment(-age))


@st.composite
def likely_permit(draw):
    """A permit of one or two that counts now."""
    factors = draw(combinations)
    limits = st.sampled_from([1e-4, 1e-3, 1e-2])
    return Permit(
        PermitId(draw(st.sampled_from("abcde"))),
        draw(st.frozensets(st.sampled_from([ALICE, ERIN, COUPE]), min_size=1)),
        PLACES,
        tuple(Ceiling(factor, draw(limits)) for factor in factors),
        draw(limits),
        liveness=False,
        schedule=None,
        valid_from=NOW - DAY,
    )


@st.composite
def likely_state(draw):
    """Nearly always nothing in the way."""
    waiting = draw(st.sampled_from([{}, {}, {}, {ERIN: NOW + DAY}]))
    consents = {h: (consent(h),) for h in (ALICE, ERIN)}
    return State(DOOR, {**CREDENTIALS, **SECOND, **ENDED}, consents, throttled=waiting)


def attempt_of(shown):
    """A live attempt at the door that shows `shown`."""
    return Attempt(AttemptId("attempt"), DOOR.id, tuple(shown), Liveness.LIVE, moment())


own = st.lists(st.sampled_from([
    evidence(Factor.FACE, ALICE, 1e-6), evidence(Factor.PLATE, COUPE, 1e-6),
    evidence(Factor.PASS, ALICE), evidence(Factor.PIN, ALICE, 1e-5),
]), max_size=3, unique_by=lambda one: one.factor)  # fmt: skip
likely = st.builds(
    lambda of_one, of_others: attempt_of(of_one + of_others),
    own,
    st.lists(likely_evidence(), max_size=4),
)
likely_permits = st.lists(likely_permit(), min_size=1, max_size=3).map(tuple)

# Total, deterministic, order-free ---------------------------------------------------------------


@slowly
@given(some_attempt, some_permits, some_state(), some_now)
def test_decide_is_total_and_deterministic(made, permits, known, now):
    """It answers anything that type checks, the same each time, and never half."""
    decision = decide(made, permits, known, now)

    assert decision == decide(made, permits, known, now)
    assert made.id == decision.attempt
    assert 0.0 < decision.bound <= 1.0
    if decision.reason is Reason.PERMITTED:
        by = [permit for permit in permits if permit.id == decision.permit]
        assert any(decision.bound <= permit.max_false_accept for permit in by)
        assert any(set(decision.holders) <= permit.holders for permit in by)


@slowly
@given(st.one_of(some_attempt, likely), st.one_of(some_permits, likely_permits), some_state(),
       st.randoms(use_true_random=False))  # fmt: skip
def test_decide_does_not_depend_on_any_order(made, permits, known, random):
    """Evidence and permits come in whatever order the cameras and the store give."""
    shown, shuffled = list(made.evidence), list(permits)
    random.shuffle(shown)
    random.shuffle(shuffled)

    again = decide(replace(made, evidence=tuple(shown)), tuple(shuffled), known, moment())

    assert decide(made, permits, known, moment()) == again


@slowly
@given(likely, likely_permits, likely_state(), st.randoms(use_true_random=False))
def test_decide_does_not_depend_on_any_order_where_it_nearly_opens(made, permits, known, random):
    """Equally good evidence and permits of one name are the hard case."""
    shown, shuffled = list(made.evidence), list(permits)
    random.shuffle(shown)
    random.shuffle(shuffled)

    again = decide(replace(made, evidence=tuple(shown)), tuple(shuffled), known, moment())

    assert decide(made, permits, known, moment()) == again


# Worse evidence never grants --------------------------------------------------------------------


def worsened(draw, one):
    """`one`, no better in anything and worse in something."""
    kind = draw(st.sampled_from(["p", "searched", "age", "looks"]))
    if kind == "p":
        return replace(one, p=max(one.p, draw(close)))
    if kind == "searched":
        return replace(one, searched=one.searched * draw(st.sampled_from([2, 10, 10**15])))
    if kind == "looks":
        return replace(one, looks=0)
    return replace(one, seen=one.seen.plus(-draw(st.sampled_from([0.5, 3.0, 70.0]))))


@slowly
@given(st.data(), likely, likely_permits, likely_state())
def test_worse_evidence_never_lets_its_own_holder_in(data, made, permits, known):
    """Raising a p, a search or an age of somebody's evidence never turns their denial to a grant.

    It may let somebody else in, who was as good a match before: that is what `ambiguous` is for.
    """
    assume(made.evidence)
    shown = list(made.evidence)
    at = data.draw(st.integers(0, len(shown) - 1))
    holder, shown[at] = shown[at].holder, worsened(data.draw, shown[at])

    after = decide(replace(made, evidence=tuple(shown)), permits, known, moment())

    if after.granted and holder in after.holders:
        assert decide(made, permits, known, moment()).granted


@slowly
@given(st.data(), likely_permits, likely_state(), st.sampled_from([ALICE, ERIN, COUPE]))
def test_worse_evidence_of_the_only_candidate_never_grants(data, permits, known, holder):
    """With nobody else compared, every worsening keeps a denial a denial."""
    shown = data.draw(st.lists(likely_evidence(st.just(holder)), min_size=1, max_size=5))
    worse = [worsened(data.draw, one) if data.draw(st.booleans()) else one for one in shown]

    if not decide(attempt_of(shown), permits, known, moment()).granted:
        assert not decide(attempt_of(worse), permits, known, moment()).granted


@slowly
@given(likely, likely_permits, likely_state(), st.sampled_from([2.0, 64.0, 2.0**40]))
def test_a_worse_camera_never_grants(made, permits, known, factor):
    """Making all evidence worse alike, so that nobody gets ahead of anybody, never grants."""
    worse = tuple(
        e if e.factor.claims else replace(e, p=min(1.0, e.p * factor)) for e in made.evidence
    )

    if not decide(made, permits, known, moment()).granted:
        assert not decide(replace(made, evidence=worse), permits, known, moment()).granted


@slowly
@given(
    st.floats(1e-3, 1.0, exclude_min=True),
    st.floats(0.0, 1.0, exclude_min=True),
    st.floats(0.0, 1.0, exclude_min=True),
    st.sampled_from([1, 5, 1000]),
)
def test_no_plate_carries_a_face_over_its_ceiling(face, plate, whole, searched):
    """Whatever the plate and however loose the whole, the face has to be within its own bound."""
    limits = (Ceiling(Factor.PLATE, 1.0), Ceiling(Factor.FACE, 1e-3))
    holders: frozenset[Holder] = frozenset({COUPE, ERIN})
    permit = Permit(PermitId("a"), holders, PLACES, limits, min(whole, 0.999), False, None, NOW)
    shown = [
        Evidence(Factor.PLATE, COUPE, credential_id(Factor.PLATE, COUPE), plate, 1, 1, moment()),
        Evidence(Factor.FACE, ERIN, credential_id(Factor.FACE, ERIN), face / searched, searched, 1,
                 moment()),
    ]  # fmt: skip
    assume(face / searched * searched > 1e-3)

    known = State(DOOR, CREDENTIALS, CONSENTS)

    assert not decide(attempt_of(shown), (permit,), known, moment()).granted


@slowly
@given(st.data(), likely, likely_permits, likely_state())
def test_a_holder_whose_every_evidence_is_spoilt_is_never_let_in(data, made, permits, known):
    """NaN, infinity, nothing searched, no look, the future, or nothing at all: each one denies."""
    spoilt: dict[str, dict[str, Any]] = {
        "nan": {"p": float("nan")},
        "infinite": {"p": float("inf")},
        "too large": {"p": 1.01},
        "zero": {"p": 0.0},
        "negative": {"p": -1e-9},
        "nothing searched": {"searched": 0},
        "no look": {"looks": 0},
        "future": {"seen": moment(0.001)},
        "unknown": {"credential": CredentialId("lost")},
    }
    factor = data.draw(st.sampled_from(Factor))
    shown = []
    for one in made.evidence:
        how = data.draw(st.sampled_from([*sorted(spoilt), "missing"]))
        if one.factor is not factor:
            shown.append(one)
        elif how != "missing":
            shown.append(replace(one, **spoilt[how]))

    decision = decide(replace(made, evidence=tuple(shown)), permits, known, moment())

    if decision.granted:
        assert any(not p.requires(factor) for p in permits if p.id == decision.permit)


# Permits and rivals -----------------------------------------------------------------------------


@slowly
@given(likely, likely_permits, likely_permit(), likely_state())
def test_another_permit_never_takes_a_grant_away(made, permits, another, known):
    """A permit can only let through; that of one person never shuts out another."""
    if decide(made, permits, known, moment()).granted:
        assert decide(made, (*permits, another), known, moment()).granted


@slowly
@given(likely, likely_permits, some_permit(), likely_state())
def test_another_permit_of_any_kind_never_takes_a_grant_away(made, permits, another, known):
    """Also not one that is over, elsewhere, or asks for more."""
    if decide(made, permits, known, moment()).granted:
        assert decide(made, (*permits, another), known, moment()).granted


@slowly
@given(likely, likely_permits, st.one_of(likely_evidence(st.just(MALLORY)), some_evidence()),
       likely_state())  # fmt: skip
def test_evidence_for_somebody_without_a_permit_never_grants(made, permits, rival, known):
    """Comparing one more who has no permit can make a grant ambiguous, and never a denial a grant.

    For somebody with a permit of their own, or for the holder, it may: that is what evidence is.
    """
    assume(not any(rival.holder in permit.holders for permit in permits))

    if not decide(made, permits, known, moment()).granted:
        with_rival = replace(made, evidence=(*made.evidence, rival))
        assert not decide(with_rival, permits, known, moment()).granted


@slowly
@given(likely, likely_permits, likely_state(), st.sampled_from([ALICE, ERIN]))
def test_taking_a_consent_back_never_grants(made, permits, known, person):
    """Who withdraws is not let in by their face, and lets nobody else in who was not before."""
    withdrawn = {**known.consents, person: (consent(person, withdrawn=NOW),)}

    after = decide(made, permits, replace(known, consents=withdrawn), moment())

    if after.granted:
        assert decide(made, permits, known, moment()).granted
        assert person not in after.holders or any(
            not p.requires(Factor.FACE) for p in permits if p.id == after.permit
        )


# The way out ------------------------------------------------------------------------------------


@slowly
@given(st.lists(some_evidence(), max_size=5), some_permits, some_state(), st.floats(0.0, FRESH_S))
def test_an_exit_opens_for_any_fresh_attempt(shown, permits, known, age):
    """Nobody is held, whatever the evidence, the permits and the state."""
    known = replace(known, access_point=replace(known.access_point, direction=Direction.EXIT))
    place = known.access_point.id
    made = Attempt(AttemptId("a"), place, tuple(shown), Liveness.NOT_LIVE, moment(-age))

    assert Reason.EXIT == decide(made, permits, known, moment()).reason


@slowly
@given(likely, likely_permits, likely_state())
def test_a_lockdown_lets_nobody_in_and_keeps_nobody_from_leaving(made, permits, known):
    """Whatever they show; whoever would have been let in is told why not, and everybody leaves."""
    locked = replace(known, mode=Mode.LOCKDOWN)
    before = decide(made, permits, known, moment())

    after = decide(made, permits, locked, moment())
    leaving = replace(locked.access_point, direction=Direction.EXIT)
    out = decide(made, permits, replace(locked, access_point=leaving), moment())

    if known.access_point.direction is Direction.ENTRY:
        assert not after.granted
    if before.reason is Reason.PERMITTED:
        assert (Reason.LOCKDOWN, before.holders) == (after.reason, after.holders)
    fresh = 0.0 <= moment().since(made.last_frame) <= FRESH_S
    assert (Reason.EXIT == out.reason) is (fresh and made.access_point == leaving.id)


@slowly
@given(likely, likely_permits, likely_state(), st.sampled_from(Mode))
def test_no_mode_grants_what_would_be_denied_without(made, permits, known, mode):
    """Doors are held open by their actuators; nobody is taken for somebody else."""
    if not decide(made, permits, known, moment()).granted:
        assert not decide(made, permits, replace(known, mode=mode), moment()).granted


@slowly
@given(st.lists(some_evidence(), max_size=5), some_permits, some_state(), st.sampled_from(Mode))
def test_no_mode_blocks_an_exit(shown, permits, known, mode):
    """Whatever the evidence, the permits and the state."""
    point = replace(known.access_point, direction=Direction.EXIT)
    known = replace(known, access_point=point, mode=mode)
    made = Attempt(AttemptId("a"), point.id, tuple(shown), Liveness.NOT_LIVE, moment())

    assert Reason.EXIT == decide(made, permits, known, moment()).reason


@slowly
@given(st.lists(some_evidence(), max_size=5), some_permits, some_state())
def test_a_lockdown_never_grants_an_entry(shown, permits, known):
    """Likewise."""
    point = replace(known.access_point, direction=Direction.ENTRY)
    known = replace(known, access_point=point, mode=Mode.LOCKDOWN)
    made = Attempt(AttemptId("a"), point.id, tuple(shown), Liveness.LIVE, moment())

    assert not decide(made, permits, known, moment()).granted


# Against a slow reference -----------------------------------------------------------------------


@slowly
@given(likely, likely_permits, likely_state())
def test_decide_grants_exactly_where_some_choice_of_evidence_meets_the_rules(made, permits, known):
    """Indexing the evidence changes nothing: trying every choice one by one gives the same."""
    expected = any(_grants_by_trial(made, permit, known) for permit in permits)

    assert expected == decide(made, permits, known, moment()).granted


def _grants_by_trial(made: Attempt, permit: Permit, known: State) -> bool:
    vehicle = [c for c in permit.factors if c.factor is Factor.PLATE]
    person = [c for c in permit.factors if c.factor is not Factor.PLATE]
    choices: list[list[Evidence]] = [[]]
    for half in (vehicle, person):
        choices = [
            chosen + more
            for chosen in choices
            for holder in sorted(permit.holders)
            for more in _choices(made, half, holder)
            if half or holder == min(permit.holders)
        ]
    return any(_meets_every_rule(made, permit, known, chosen) for chosen in choices)


def _choices(made: Attempt, half: list[Ceiling], holder: str) -> list[list[Evidence]]:
    choices: list[list[Evidence]] = [[]]
    for ceiling in half:
        fitting = [e for e in made.evidence if e.factor is ceiling.factor and e.holder == holder]
        choices = [[*chosen, e] for chosen in choices for e in fitting]
    return choices


def _meets_every_rule(made: Attempt, permit: Permit, known: State, chosen: list[Evidence]) -> bool:
    limit = {c.factor: 1.0 if c.factor.claims else c.max_p for c in permit.factors}
    claimants = {e.holder for e in made.evidence if e.factor.claims}
    holders = {e.holder for e in chosen}
    rivals_fit_worse = all(
        rival.bound > mine.bound
        for mine in chosen if not mine.factor.claims
        for rival in made.evidence
        if rival.factor is mine.factor and rival.holder != mine.holder
    )  # fmt: skip
    people = {e.holder for e in chosen if e.factor is not Factor.PLATE}
    names = {f"{e.credential}" for e in chosen}
    whole = combine([e.bound for e in chosen if not e.factor.claims])
    return (
        all(e.bound <= limit[e.factor] for e in chosen)
        and whole <= permit.max_false_accept
        and rivals_fit_worse
        and (not people or claimants <= people)
        and not any(name.startswith("ended-") for name in names)
        and not any("mallory" in name for name in names)
        and all(moment().since(e.seen) <= ATTEMPT_S for e in chosen)
        and any(moment().since(e.seen) <= FRESH_S for e in made.evidence if e.holder in holders)
        and all(e.holder in known.consents for e in chosen if e.factor is Factor.FACE)
        and not any(holder in known.throttled for holder in holders)
        and not (people and claimants & set(known.throttled) & permit.holders)
    )
