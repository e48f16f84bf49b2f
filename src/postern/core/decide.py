"""The one function that decides, and the rules it goes by.

1. It is pure, total and deterministic: the same attempt, permits, state and time give the same
   decision, in whatever order they come, and nothing it is given makes it raise.
2. Every check names what must hold and denies otherwise, so that NaN, a missing value or a time in
   the future never grants.
3. A permit grants only if each of its factors is within its own ceiling *and* the whole is within
   the permit's bound: a perfect plate never carries a worse face.
4. All factors of a person speak for one and the same person, and nobody else fits as well: a claim
   (a pass, a card) of anybody else, or as good a match, leaves it open who stands there.
5. Of several denials the one that got furthest is reported; a grant beats them all.
6. The way out is never blocked: a fresh attempt at an exit opens, whoever it is.
7. Whoever claims to be somebody who failed too often hears the same answer whatever else they show,
   so that waiting time cannot be spent on guessing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest
from math import inf, isnan

from postern.core.access_point import AccessPoint, Direction, Passback
from postern.core.attempt import Attempt, Liveness
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.decision import Decision, Reason
from postern.core.evidence import Evidence, Factor, combine
from postern.core.ids import CredentialId, Holder, PersonId
from postern.core.mode import Mode
from postern.core.moment import Moment, check_utc
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
        inside: Who has entered the area and not left, and when; aware UTC.
        occupancy: How many are in the area.
        throttled: Until when a holder who failed too often has to wait; aware UTC.
        clock_trusted: Whether the calendar's clock can be relied on. While it cannot, whatever ends
            or goes by a schedule does not count.
        mode: What was ordered. In a lockdown an entry lets nobody in.
    """

    access_point: AccessPoint
    credentials: Mapping[CredentialId, Credential] = field(default_factory=dict)
    consents: Mapping[PersonId, tuple[Consent, ...]] = field(default_factory=dict)
    inside: Mapping[Holder, datetime] = field(default_factory=dict)
    occupancy: int = 0
    throttled: Mapping[Holder, datetime] = field(default_factory=dict)
    clock_trusted: bool = True
    mode: Mode = Mode.NORMAL

    def __post_init__(self) -> None:
        check_utc(*self.inside.values(), *self.throttled.values())


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
    case = _Case(attempt, state, now)
    here = (
        permit
        for permit in permits
        if attempt.access_point in permit.access_points
        and not case.compared.isdisjoint(permit.holders)
    )
    best = max((_judge(case, permit) for permit in here), key=_preference, default=None)
    if case.leaving:
        return _way_out(attempt, best)
    return best.decision if best else Decision(attempt.id, Reason.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one permit says, and how far it got: checks passed, then ceilings met."""

    progress: tuple[int, int]
    decision: Decision


def _preference(verdict: _Verdict) -> tuple[object, ...]:
    """Orders verdicts by every part of them, so that their order never matters."""
    d = verdict.decision
    return (
        d.granted, verdict.progress, -d.bound, d.permit or "", d.holders, d.factor or "",
        d.reason, d.passback,
    )  # fmt: skip


def _way_out(attempt: Attempt, best: _Verdict | None) -> Decision:
    if best is None or not best.decision.holders:
        return Decision(attempt.id, Reason.EXIT)
    known = best.decision
    return Decision(attempt.id, Reason.EXIT, known.permit, known.holders, bound=known.bound)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One holder's strongest evidence of one factor, and what is wrong with it."""

    evidence: Evidence
    fault: Reason | None

    @property
    def rank(self) -> tuple[bool, bool, float, str]:
        """Usable evidence comes first, then the lowest bound.

        Usable first, so that an expired card never hides a valid one, and making evidence worse
        never uncovers any that grants.
        """
        unsound = not self.evidence.sound
        return (unsound, self.fault is not None, _comparable(self.evidence), self.fault or "")


class _Case:
    """An attempt in its circumstances, read once and then held against every permit.

    Attributes:
        attempt: The attempt.
        state: The state.
        now: The moment of deciding.
        leaving: Whether it is at an exit.
        compared: Everybody whom any evidence is about.
        fresh: Those of them whom evidence as fresh as a grant must be is about.
        claimants: Those of them who were claimed by a pass or card.
        waiting: Those of the claimants who failed too often.
        best: The strongest piece of every holder and factor.
        foremost: For every factor the two holders it fits best, with how well.
        leaders: The first of each two. Nobody else can be unambiguous.
    """

    __slots__ = (
        "_meeting", "attempt", "best", "claimants", "compared", "foremost", "fresh", "leaders",
        "leaving", "now", "state", "waiting",
    )  # fmt: skip

    def __init__(self, attempt: Attempt, state: State, now: Moment) -> None:
        self.attempt, self.state, self.now = attempt, state, now
        self.leaving = state.access_point.direction is Direction.EXIT
        evidence = attempt.evidence
        self.compared = frozenset(e.holder for e in evidence)
        self.fresh = frozenset(e.holder for e in evidence if 0.0 <= now.since(e.seen) <= FRESH_S)
        self.claimants = frozenset(e.holder for e in evidence if e.factor.claims)
        self.waiting = frozenset(h for h in self.claimants if not _patient(self, h))
        self.best = _best_pieces(evidence, state, now)
        self.foremost = _foremost(evidence)
        self.leaders = frozenset(two[0][1] for two in self.foremost.values())
        # Permits come by the thousand and their ceilings in a few combinations.
        self._meeting: dict[tuple[Ceiling, ...], frozenset[Holder]] = {(): self.compared}

    def meeting(self, ceilings: tuple[Ceiling, ...]) -> frozenset[Holder]:
        """Everybody compared whose evidence is within every one of `ceilings`."""
        if ceilings not in self._meeting:
            last = ceilings[-1]
            self._meeting[ceilings] = frozenset(
                holder
                for holder in self.meeting(ceilings[:-1])
                if _within(self.best.get((holder, last.factor)), last)
            )
        return self._meeting[ceilings]


def _best_pieces(
    evidence: Iterable[Evidence], state: State, now: Moment
) -> dict[tuple[Holder, Factor], _Piece]:
    best: dict[tuple[Holder, Factor], _Piece] = {}
    for one in evidence:
        key, piece = (one.holder, one.factor), _Piece(one, _fault(one, state, now))
        if key not in best or piece.rank < best[key].rank:
            best[key] = piece
    return best


def _foremost(evidence: Iterable[Evidence]) -> dict[Factor, list[tuple[float, Holder]]]:
    # Everything counts here, also what could never grant: whoever may stand there is a rival.
    strongest: dict[Factor, dict[Holder, float]] = {}
    for one in evidence:
        of_factor = strongest.setdefault(one.factor, {})
        of_factor[one.holder] = min(of_factor.get(one.holder, inf), _threat(one))
    return {
        factor: nsmallest(2, ((threat, holder) for holder, threat in of_factor.items()))
        for factor, of_factor in strongest.items()
    }


def _threat(evidence: Evidence) -> float:
    """How well somebody fits who must fit worse; what cannot be told might be perfect."""
    return -inf if isnan(evidence.bound) else evidence.bound


def _comparable(evidence: Evidence) -> float:
    return inf if isnan(evidence.bound) else evidence.bound


def _fault(evidence: Evidence, state: State, now: Moment) -> Reason | None:
    """Why this evidence cannot grant, however good it is."""
    age_s = now.since(evidence.seen)
    if not age_s >= 0.0:
        return Reason.CLOCK_UNTRUSTED
    if not age_s <= ATTEMPT_S:
        return Reason.STALE
    credential = state.credentials.get(evidence.credential)
    if credential is None or not _names(credential, evidence):
        return Reason.UNAUTHORIZED
    return _credential_fault(credential, state, now.utc)


def _names(credential: Credential, evidence: Evidence) -> bool:
    return (
        credential.id == evidence.credential
        and credential.holder == evidence.holder
        and credential.factor is evidence.factor
    )


def _credential_fault(credential: Credential, state: State, now: datetime) -> Reason | None:
    if not credential.enabled:
        return Reason.CREDENTIAL_NOT_ENABLED
    if not credential.valid_from <= now:
        return Reason.CREDENTIAL_NOT_ACTIVE
    if credential.valid_until is None:
        return None
    if not state.clock_trusted:
        return Reason.CLOCK_UNTRUSTED
    return None if now < credential.valid_until else Reason.CREDENTIAL_EXPIRED


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Whom one permit may let through, and on what."""

    permit: Permit
    pieces: tuple[_Piece, ...]
    holders: tuple[Holder, ...]
    bound: float


def _judge(case: _Case, permit: Permit) -> _Verdict:
    """What `permit` says of the one combination of its holders that it could let through."""
    vehicle, person = _by_subject(permit.factors)
    if person and not case.waiting.isdisjoint(permit.holders):
        throttled = Decision(case.attempt.id, Reason.THROTTLED, permit.id)
        return _Verdict((len(_IDENTITY) + 1, 0), throttled)
    pieces: list[_Piece] = []
    for ceilings in (vehicle, person):
        standing = case.meeting(ceilings) & permit.holders
        if not standing:
            return _fall_short(case, permit, ceilings, len(pieces))
        if ceilings:
            pieces += _best_fit(case, standing, ceilings)
    holders = tuple(sorted({piece.evidence.holder for piece in pieces}))
    return _check(case, _Candidate(permit, tuple(pieces), holders, _whole(pieces)))


def _by_subject(factors: tuple[Ceiling, ...]) -> tuple[tuple[Ceiling, ...], tuple[Ceiling, ...]]:
    """The ceilings about the vehicle, and those about the person."""
    vehicle = tuple(c for c in factors if c.factor is Factor.PLATE)
    return vehicle, tuple(c for c in factors if c.factor is not Factor.PLATE)


def _within(piece: _Piece | None, ceiling: Ceiling) -> bool:
    if piece is None or not piece.evidence.sound:
        return False
    return piece.evidence.bound <= (1.0 if ceiling.factor.claims else ceiling.max_p)


def _best_fit(
    case: _Case, standing: frozenset[Holder], ceilings: tuple[Ceiling, ...]
) -> list[_Piece]:
    """What speaks for the one of `standing` who fits best, or for anyone if others fit better."""
    rows = [
        [case.best[holder, ceiling.factor] for ceiling in ceilings]
        for holder in sorted(standing & case.leaders) or [min(standing)]
    ]
    return min(rows, key=lambda row: [piece.evidence.bound for piece in row])


def _fall_short(case: _Case, permit: Permit, ceilings: tuple[Ceiling, ...], met: int) -> _Verdict:
    """The denial by the first of `ceilings` that none of the permit's holders is within."""
    at = 0
    while case.meeting(ceilings[: at + 1]) & permit.holders:
        at += 1
    factor, standing = ceilings[at].factor, case.meeting(ceilings[:at]) & permit.holders
    wrong_pin = factor is Factor.PIN and any((h, factor) in case.best for h in standing)
    reason = Reason.INVALID_PIN if wrong_pin else Reason.UNAUTHORIZED
    # Whoever falls short of the very first ceiling is a stranger, and no permit's business.
    concerned = permit.id if met + at else None
    return _Verdict((0, met + at), Decision(case.attempt.id, reason, concerned, factor=factor))


def _whole(pieces: Iterable[_Piece]) -> float:
    """The bound on everything together: Fisher's method over what each search left."""
    evidence = (piece.evidence for piece in pieces)
    return combine([e.bound for e in evidence if not e.factor.claims])


def _check(case: _Case, candidate: _Candidate) -> _Verdict:
    checks = _IDENTITY if case.leaving else _IDENTITY + _PASSAGE
    attempt, permit, holders = case.attempt.id, candidate.permit.id, candidate.holders
    met = len(candidate.pieces)
    for passed, check in enumerate(checks, start=1):
        reason = check(case, candidate)
        if reason is not None:
            # Who it may have been is kept only once identity, consent and liveness are settled.
            known = holders if passed > len(_IDENTITY) else ()
            return _Verdict((passed, met), Decision(attempt, reason, permit, known))
    broken = _entered_before(case, candidate)
    granted = Decision(attempt, Reason.PERMITTED, permit, holders, None, candidate.bound, broken)
    return _Verdict((len(checks) + 1, met), granted)


_Check = Callable[[_Case, _Candidate], Reason | None]


def _unambiguous(case: _Case, candidate: _Candidate) -> Reason | None:
    alone = all(_unrivalled(case, piece.evidence) for piece in candidate.pieces)
    return None if alone else Reason.AMBIGUOUS


def _unrivalled(case: _Case, mine: Evidence) -> bool:
    claimed_by_others = mine.factor is not Factor.PLATE and not case.claimants <= {mine.holder}
    fits_best = mine.factor.claims or all(
        threat > mine.bound
        for threat, holder in case.foremost[mine.factor]
        if holder != mine.holder
    )
    return fits_best and not claimed_by_others


def _sure_enough(case: _Case, candidate: _Candidate) -> Reason | None:
    enough = 0.0 < candidate.bound <= candidate.permit.max_false_accept
    return None if enough else Reason.UNAUTHORIZED


def _faultless(case: _Case, candidate: _Candidate) -> Reason | None:
    return min((p.fault for p in candidate.pieces if p.fault is not None), default=None)


def _fresh(case: _Case, candidate: _Candidate) -> Reason | None:
    return Reason.STALE if case.fresh.isdisjoint(candidate.holders) else None


def _consented(case: _Case, candidate: _Candidate) -> Reason | None:
    faces = (p.evidence for p in candidate.pieces if p.evidence.factor is Factor.FACE)
    return None if all(_agreed(case, face) for face in faces) else Reason.NO_CONSENT


def _agreed(case: _Case, face: Evidence) -> bool:
    """Whether a face's owner agrees now to be recognised here, by a reference kept as it is."""
    person, credential = PersonId(face.holder), case.state.credentials.get(face.credential)
    return credential is not None and any(
        consent.person == person
        and consent.mode is credential.mode
        and consent.holds(case.attempt.access_point, case.now.utc)
        for consent in case.state.consents.get(person, ())
    )


def _live(case: _Case, candidate: _Candidate) -> Reason | None:
    found, required = case.attempt.liveness, candidate.permit.liveness
    passed = found is Liveness.LIVE or (found is Liveness.NOT_CHECKED and not required)
    return None if passed else Reason.NOT_LIVE


def _not_locked_down(case: _Case, candidate: _Candidate) -> Reason | None:
    return Reason.LOCKDOWN if case.state.mode is Mode.LOCKDOWN else None


def _not_throttled(case: _Case, candidate: _Candidate) -> Reason | None:
    patient = all(_patient(case, holder) for holder in candidate.holders)
    return None if patient else Reason.THROTTLED


def _patient(case: _Case, holder: Holder) -> bool:
    until = case.state.throttled.get(holder)
    return case.leaving or until is None or case.now.utc >= until


def _in_time(case: _Case, candidate: _Candidate) -> Reason | None:
    permit, now = candidate.permit, case.now.utc
    always = permit.schedule is None and permit.valid_until is None
    if not case.state.clock_trusted and not always:
        return Reason.CLOCK_UNTRUSTED
    begun = permit.valid_from <= now
    ended = permit.valid_until is not None and not now < permit.valid_until
    open_now = permit.schedule is None or permit.schedule.covers(now)
    return None if begun and not ended and open_now else Reason.NOT_PERMITTED_AT_THIS_TIME


def _room_left(case: _Case, candidate: _Candidate) -> Reason | None:
    capacity = case.state.access_point.area.capacity
    fits = capacity is None or 0 <= case.state.occupancy < capacity
    return None if fits else Reason.AREA_FULL


def _not_inside(case: _Case, candidate: _Candidate) -> Reason | None:
    hard = case.state.access_point.area.passback is Passback.HARD
    return Reason.PASSBACK if hard and _entered_before(case, candidate) else None


def _entered_before(case: _Case, candidate: _Candidate) -> bool:
    area, inside = case.state.access_point.area, case.state.inside
    if area.passback is Passback.OFF:
        return False
    resets = area.passback_resets if case.state.clock_trusted else None
    entered = [inside[holder] for holder in candidate.holders if holder in inside]
    return any(resets is None or case.now.utc - since < resets for since in entered)


#: Who it is; nothing is said about anybody before all of these hold.
_IDENTITY: tuple[_Check, ...] = (
    _unambiguous, _sure_enough, _faultless, _fresh, _consented, _live
)  # fmt: skip
#: Whether they may pass here and now.
_PASSAGE: tuple[_Check, ...] = (
    _not_throttled, _not_locked_down, _in_time, _room_left, _not_inside
)  # fmt: skip
