"""The one function that decides, and the rules it goes by.

1. It is pure, total and deterministic: the same attempt, permits, state and time give the same
   decision, in whatever order they come, and nothing it is given makes it raise.
2. Every check names what must hold and denies otherwise, so that NaN, a missing value or a time in
   the future never grants.
3. A permit grants only if each of its factors is within its own ceiling *and* the whole is within
   the permit's bound: a perfect plate never carries a worse face.
4. All factors of a person speak for one and the same person.
5. Of several denials the one that got furthest is reported; a grant beats them all.
6. The way out is never blocked: a fresh attempt at an exit opens, whoever it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from math import isnan

from postern.core.access_point import AccessPoint, Direction, Passback
from postern.core.attempt import Attempt, Liveness
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.decision import Decision, Reason
from postern.core.evidence import Evidence, Factor, combine
from postern.core.ids import CredentialId, Holder, PersonId
from postern.core.moment import Moment
from postern.core.permit import Ceiling, Permit

#: Seconds. Longer than a gate controller's own latency, shorter than the gap to the next car.
FRESH_S = 2.0
#: Seconds. All factors of one attempt come from one visit.
ATTEMPT_S = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """What is known about an access point at the moment of deciding.

    Attributes:
        access_point: The access point.
        credentials: The credentials that evidence may name.
        consents: The consents of the people that permits here name.
        inside: Who has entered the area and not left, and when.
        occupancy: How many are in the area.
        throttled: Until when a holder who failed too often has to wait.
        clock_trusted: Whether the calendar's clock can be relied on.
    """

    access_point: AccessPoint
    credentials: Mapping[CredentialId, Credential] = field(default_factory=dict)
    consents: Mapping[PersonId, tuple[Consent, ...]] = field(default_factory=dict)
    inside: Mapping[Holder, datetime] = field(default_factory=dict)
    occupancy: int = 0
    throttled: Mapping[Holder, datetime] = field(default_factory=dict)
    clock_trusted: bool = True


def decide(attempt: Attempt, permits: tuple[Permit, ...], state: State, now: Moment) -> Decision:
    """Whether to let through, and why.

    Args:
        attempt: The looks' evidence.
        permits: Every permit of the site; those for other access points are passed over.
        state: The access point's state.
        now: The moment of deciding.

    Returns:
        The decision. It is valid for `FRESH_S` after the attempt's last frame.
    """
    if attempt.access_point != state.access_point.id:
        return Decision(attempt.id, Reason.UNAUTHORIZED)
    age_s = now.since(attempt.last_frame)
    if not age_s >= 0.0:
        return Decision(attempt.id, Reason.CLOCK_UNTRUSTED)
    if not age_s <= FRESH_S:
        return Decision(attempt.id, Reason.STALE)
    here = (permit for permit in permits if attempt.access_point in permit.access_points)
    verdicts = [v for permit in here for v in _judge(_Case(attempt, permit, state, now))]
    best = max(verdicts, key=_preference, default=None)
    if state.access_point.direction is Direction.EXIT:
        return _way_out(attempt, best)
    return best.decision if best else Decision(attempt.id, Reason.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class _Case:
    """One attempt before one permit."""

    attempt: Attempt
    permit: Permit
    state: State
    now: Moment


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one permit says of one combination of candidates; `step` is how far it got."""

    step: int
    decision: Decision


def _preference(verdict: _Verdict) -> tuple[bool, int, float, str, tuple[str, ...], str]:
    d = verdict.decision
    return (
        d.granted, verdict.step, -d.bound, str(d.permit), tuple(sorted(d.holders)), d.factor or ""
    )  # fmt: skip


def _way_out(attempt: Attempt, best: _Verdict | None) -> Decision:
    if best is None or not best.decision.holders:
        return Decision(attempt.id, Reason.EXIT)
    known = best.decision
    return Decision(attempt.id, Reason.EXIT, known.permit, known.holders, bound=known.bound)


def _judge(case: _Case) -> list[_Verdict]:
    """One verdict for every combination of candidates that meets the ceilings, or one denial."""
    groups = []
    for ceilings in _by_subject(case.permit.factors):
        group = _candidates(case, ceilings)
        if isinstance(group, _Verdict):
            return [group]
        groups.append(group)
    return [_judge_combination(case, [e for one in chosen for e in one])
            for chosen in product(*groups)]  # fmt: skip


def _by_subject(factors: tuple[Ceiling, ...]) -> list[tuple[Ceiling, ...]]:
    """The ceilings about the vehicle and those about the person, leaving out an empty half."""
    vehicle = tuple(c for c in factors if c.factor is Factor.PLATE)
    person = tuple(c for c in factors if c.factor is not Factor.PLATE)
    return [half for half in (vehicle, person) if half]


def _candidates(
    case: _Case, ceilings: tuple[Ceiling, ...]
) -> list[tuple[Evidence, ...]] | _Verdict:
    """The evidence of every holder who is within all of `ceilings`; a denial if there is none."""
    best = _best_evidence(case)
    standing = sorted({holder for holder, _ in best})
    for ceiling in ceilings:
        standing = [h for h in standing if _within(best.get((h, ceiling.factor)), ceiling)]
        if not standing:
            return _fall_short(case, ceiling.factor)
    return [tuple(best[h, c.factor] for c in ceilings) for h in standing]


def _best_evidence(case: _Case) -> dict[tuple[Holder, Factor], Evidence]:
    """For every permit holder and factor the evidence with the lowest bound."""
    usable = [e for e in case.attempt.evidence if e.holder in case.permit.holders]
    usable.sort(key=lambda e: (isnan(e.bound), e.bound, e.credential))
    best: dict[tuple[Holder, Factor], Evidence] = {}
    for evidence in usable:
        best.setdefault((evidence.holder, evidence.factor), evidence)
    return best


def _within(evidence: Evidence | None, ceiling: Ceiling) -> bool:
    if evidence is None or evidence.looks < 1:
        return False
    return 0.0 <= evidence.bound <= (1.0 if evidence.factor.claims else ceiling.max_p)


def _fall_short(case: _Case, factor: Factor) -> _Verdict:
    given = any(e.factor is factor for e in case.attempt.evidence)
    wrong_pin = factor is Factor.PIN and given
    reason = Reason.INVALID_PIN if wrong_pin else Reason.UNAUTHORIZED
    return _Verdict(0, Decision(case.attempt.id, reason, case.permit.id, factor=factor))


def _judge_combination(case: _Case, chosen: list[Evidence]) -> _Verdict:
    bound = _whole(chosen)
    exits = case.state.access_point.direction is Direction.EXIT
    checks = _IDENTITY if exits else _IDENTITY + _PASSAGE
    holders = tuple(sorted({e.holder for e in chosen}))
    for step, check in enumerate(checks, start=1):
        reason = check(case, chosen, bound)
        if reason is not None:
            # Who it may have been is kept only once identity, consent and liveness are settled.
            known = holders if step > len(_IDENTITY) else ()
            return _Verdict(step, Decision(case.attempt.id, reason, case.permit.id, known))
    broken = _entered_before(case, chosen) and not exits
    granted = Decision(
        case.attempt.id, Reason.PERMITTED, case.permit.id, holders, None, bound, broken
    )
    return _Verdict(len(checks) + 1, granted)


def _whole(chosen: list[Evidence]) -> float:
    """The bound on everything together: Fisher's method, then the union bound over the search."""
    weighing = [e for e in chosen if not e.factor.claims]
    searched = 1
    for evidence in weighing:
        searched *= evidence.searched
    whole = combine([e.p for e in weighing]) * searched
    return whole if isnan(whole) else min(1.0, whole)


_Check = Callable[[_Case, list[Evidence], float], Reason | None]


def _sure_enough(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    return None if 0.0 <= bound <= case.permit.max_false_accept else Reason.UNAUTHORIZED


def _of_one_visit(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    ages = [case.now.since(e.seen) for e in chosen]
    if not all(age >= 0.0 for age in ages):
        return Reason.CLOCK_UNTRUSTED
    return None if all(age <= ATTEMPT_S for age in ages) else Reason.STALE


def _unambiguous(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    for mine in chosen:
        rivals = (e for e in case.attempt.evidence
                  if e.factor is mine.factor and e.holder != mine.holder)  # fmt: skip
        if mine.factor.claims:
            if any(True for _ in rivals):
                return Reason.AMBIGUOUS
        elif not all(rival.p > mine.p for rival in rivals):
            return Reason.AMBIGUOUS
    return None


def _credentials_hold(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    now = case.now.utc
    for evidence in chosen:
        credential = case.state.credentials.get(evidence.credential)
        if credential is None or credential.holder != evidence.holder:
            return Reason.UNAUTHORIZED
        if credential.factor is not evidence.factor:
            return Reason.UNAUTHORIZED
        if not credential.enabled:
            return Reason.CREDENTIAL_NOT_ENABLED
        if not credential.valid_from <= now:
            return Reason.CREDENTIAL_NOT_ACTIVE
        if credential.valid_until is not None and not now < credential.valid_until:
            return Reason.CREDENTIAL_EXPIRED
    return None


def _consented(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    faces = [PersonId(e.holder) for e in chosen if e.factor is Factor.FACE]
    place, now = case.attempt.access_point, case.now.utc
    agreed = all(
        any(consent.person == person and consent.holds(place, now)
            for consent in case.state.consents.get(person, ()))
        for person in faces
    )  # fmt: skip
    return None if agreed else Reason.NO_CONSENT


def _live(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    found = case.attempt.liveness
    passed = found is Liveness.LIVE or (found is Liveness.NOT_CHECKED and not case.permit.liveness)
    return None if passed else Reason.NOT_LIVE


def _patient(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    waits = [case.state.throttled[e.holder] for e in chosen if e.holder in case.state.throttled]
    return None if all(case.now.utc >= until for until in waits) else Reason.THROTTLED


def _in_time(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    permit, now = case.permit, case.now.utc
    if not case.state.clock_trusted and permit.schedule is not None:
        return Reason.CLOCK_UNTRUSTED
    begun = permit.valid_from <= now
    ended = permit.valid_until is not None and not now < permit.valid_until
    open_now = permit.schedule is None or permit.schedule.covers(now)
    return None if begun and not ended and open_now else Reason.NOT_PERMITTED_AT_THIS_TIME


def _room_left(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    capacity = case.state.access_point.area.capacity
    fits = capacity is None or 0 <= case.state.occupancy < capacity
    return None if fits else Reason.AREA_FULL


def _not_inside(case: _Case, chosen: list[Evidence], bound: float) -> Reason | None:
    hard = case.state.access_point.area.passback is Passback.HARD
    return Reason.PASSBACK if hard and _entered_before(case, chosen) else None


def _entered_before(case: _Case, chosen: list[Evidence]) -> bool:
    area = case.state.access_point.area
    if area.passback is Passback.OFF:
        return False
    entered = [case.state.inside[e.holder] for e in chosen if e.holder in case.state.inside]
    resets = area.passback_resets
    return any(resets is None or case.now.utc < since + resets for since in entered)


#: Who it is; nothing is said about anybody before all of these hold.
_IDENTITY: tuple[_Check, ...] = (
    _sure_enough, _of_one_visit, _unambiguous, _credentials_hold, _consented, _live
)  # fmt: skip
#: Whether they may pass here and now.
_PASSAGE: tuple[_Check, ...] = (_patient, _in_time, _room_left, _not_inside)
