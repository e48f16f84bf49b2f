"""One access point: tracks in, decisions out, in the order that keeps the promise.

1. Match against this access point's permits only; what does not match is forgotten. Where a pass is
   held up, match against what it claims and nothing else.
2. Decide. 3. Make the grant durable. 4. Check that it is still fresh. 5. Move the actuator.
6. Note what it answered, and who is inside now. 7. Tell whoever watches, who can spoil none of it.

If a grant cannot be made durable the access point stays shut. The way out opens whatever fails: the
register, the comparison or the record; and it waits for none of them longer than a second.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import TypeVar

from postern.core.access_point import AccessPoint, Direction
from postern.core.alarm import ALARMED, Alarm
from postern.core.attempt import Attempt, Liveness
from postern.core.decide import FRESH_S, State, decide
from postern.core.decision import Decision, Reason
from postern.core.event import Acted, Decided, Event
from postern.core.evidence import Evidence, Factor, band
from postern.core.ids import AttemptId, CameraId, Holder
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.core.ports import Actuator, Clock, Command, Ledger, Report
from postern.engine.aside import Aside
from postern.engine.health import Health
from postern.engine.passage import GO_S, Key, Passage, Spot
from postern.engine.ports import Claim, Claims, Known, Matchers, Observer, Outcome, Register
from postern.engine.progress import PATIENCE_S, STUCK_S, Progress
from postern.engine.release import Release
from postern.engine.supervise import shielded
from postern.frame import Reference, Track

#: Evidence kept of each track: the best candidate and its rivals. More can change no decision:
#: ambiguity needs one rival, and a permit for one vehicle and several drivers needs the best few.
_RIVALS = 8
#: Seconds that somebody on the way out is given to be recognised, so that they are known to have
#: left; then it opens for whoever it is.
_RECOGNISE_S = 1.0
#: Failures of a claim that the register cannot keep, and how long its holder then waits after each
#: (NIST SP 800-63B-4, section 3.2.3, as the register does it).
_UNKEPT, _WAIT = 5, timedelta(seconds=30)
_REGISTER, _RECORD, _PROGRESS, _HOLDING = "register", "record", "progress", "holding"
T = TypeVar("T")


class Lane:
    """Decides at one access point. `see` may be called from any camera's thread.

    Args:
        access_point: Which one.
        register: Who may be recognised there.
        matchers: How looks are compared.
        claims: What passes say.
        ledger: Where decisions become durable.
        actuator: What opens.
        clock: The two clocks.
        observer: Who watches; told while the lane waits.
        new_attempt: Gives every attempt its name.
    """

    def __init__(  # noqa: PLR0913 - the one place where everything meets
        self,
        access_point: AccessPoint,
        register: Register,
        matchers: Matchers,
        claims: Claims,
        ledger: Ledger,
        actuator: Actuator,
        clock: Clock,
        observer: Observer,
        new_attempt: Callable[[], AttemptId],
    ) -> None:
        self.access_point = access_point
        self._leaving = access_point.direction is Direction.EXIT
        self._register = register
        self._matchers = matchers
        self._claims = claims
        self._ledger = ledger
        self._actuator = actuator
        self._clock = clock
        self._observer = observer
        self._aside = Aside()
        #: Whether the threads that serve this lane get on; its cameras' say so, too.
        self.progress = Progress()
        self._new_attempt = new_attempt
        self._lock = Lock()  # Guards what follows.
        self._passage: Passage | None = None
        self._unkept: dict[Holder, int] = {}
        self._waits: dict[Holder, datetime] = {}
        name = CameraId(str(access_point.id))
        self._health = Health(
            (_REGISTER, _RECORD, _PROGRESS, _HOLDING, *Alarm),
            lambda state, why: observer.health(name, state, why),
            "ok",
        )
        self._release = Release(access_point, ledger, actuator, clock, self._recorded, new_attempt)

    def see(self, camera: CameraId, kind: Kind, tracks: tuple[Track, ...], now: Moment) -> None:
        """Takes the tracks that live after a frame of one of the cameras.

        Args:
            camera: Which camera.
            kind: What it looks for.
            tracks: Its living tracks; empty where nobody is there any more.
            now: When the frame was captured.

        Raises:
            PosternError: `unavailable` where who may enter cannot be read now. The looks are not
                lost: they are compared after the next frame.
        """
        with self._lock:
            passage = self._present(bool(tracks))
            if passage is None:
                return
            spot, at = (camera, kind), self._clock.now()
            passage.note(spot, tracks, now, at)
            self._count_failures(passage.failures())
            # Whoever stays about, or what hangs there, keeps no denial out of the record.
            for denial in passage.left(at):
                self._deny(passage, replace(denial, attempt=self._new_attempt()))
            # Nobody on the way out waits for anybody.
            if passage.overtaken(at, 0.0 if self._leaving else GO_S):
                before, passage = passage, passage.next(self._new_attempt())
                self._passage = passage
                self._end(before)
            if not passage.settled and not passage.waits(at):
                self._evaluate(passage, spot, now)
            if passage.empty:
                self._passage = None
                self._end(passage)

    def gets_on(self) -> bool:
        """Whether its threads get on, or wait for something outside; tells what they wait for."""
        stuck = self.progress.stuck_s() >= STUCK_S
        if stuck:
            why = "nothing moves here any more: only a start of the service helps"
            self._health.report(_PROGRESS, "red", why)
        elif self.progress.outside_s() >= PATIENCE_S:
            why = "the disk, or what else keeps the records, does not answer: who enters waits"
            self._health.report(_PROGRESS, "red", why)
        else:
            self._health.report(_PROGRESS, "ok", "it gets on again")
        return not stuck

    def release(self, by: str, why: str, *, leaving: bool = False) -> Report:
        """Opens without recognising anybody, beside whatever the lane does; as `Release.open`."""
        return self._release.open(by, why, leaving=leaving)

    def alarm(self, alarm: Alarm, *, over: bool) -> None:
        """Tells an alarm of the door itself, as the access point's state."""
        if over:
            self._health.report(alarm, "ok", f"{alarm} is over")
        else:
            self._health.report(alarm, "red", f"{alarm}: {ALARMED[alarm]}")

    def held(self, fault: str) -> None:
        """Tells why it cannot be held open; empty where it can, or need not be any more."""
        if fault:
            self._health.report(_HOLDING, "red", f"it cannot be held open: {fault}")
        else:
            self._health.report(_HOLDING, "ok", "nothing keeps it from being held open")

    def unrecorded(self, why: str) -> None:
        """Tells that something of the door itself could not be recorded."""
        self._health.report(_RECORD, "red", why)

    def close(self) -> None:
        """Lets go of the actuator; whatever it still drives is ended."""
        shielded(self._actuator.close, lambda _why: None)

    def _present(self, somebody: bool) -> Passage | None:
        """The passage that is under way; a new one where somebody has come."""
        if self._passage is not None:
            self._passage.hush(self._clock.now())
            if self._passage.empty:
                ended, self._passage = self._passage, None
                self._end(ended)
        if self._passage is None and somebody:
            self._passage = Passage(self._new_attempt())
        return self._passage

    def _evaluate(self, passage: Passage, spot: Spot, captured: Moment) -> None:
        """Compares whatever is new before this camera, and decides where anything is."""
        due = passage.due(spot, captured, self._clock.now())
        # On the way out whoever is there is let through, also where no look can be compared.
        there = passage.unspent(spot) if self._leaving else due
        if not there:
            return
        known = self._known()
        compare = self._hold_up if spot[1] is Kind.PASS else self._compare
        for track in due:
            found = compare(passage, known, spot, track)
            passage.compared(spot, track, found, self._clock.now())
        for track in there:
            if not passage.settled and passage.decidable((spot, track.number), self._leaving):
                self._decide(passage, known, spot, track)

    def _known(self) -> Known:
        now = self._clock.now()
        known = self._on_the_way_out(
            lambda: self._outside(lambda: self._register.known(self.access_point, now)),
            Known((), State(self.access_point), {}),
        )
        self._waits = {who: until for who, until in self._waits.items() if now.utc < until}
        if not self._waits:
            return known
        throttled = {**known.state.throttled, **self._waits}
        return replace(known, state=replace(known.state, throttled=throttled))

    def _hold_up(
        self, passage: Passage, known: Known, spot: Spot, track: Track
    ) -> tuple[Evidence, ...]:
        """What a pass is worth that is held up: nothing by itself, but it narrows the search."""
        now, text = self._clock.now(), track.probes[-1].values.tobytes()
        answer = self._on_the_way_out(
            lambda: self._outside(lambda: self._claims.claim(self.access_point, text, now)), None
        )
        claim = passage.claim((spot, track.number), answer, now)
        return () if claim is None else (_held_up(claim, track),)

    def _compare(
        self, passage: Passage, known: Known, spot: Spot, track: Track
    ) -> tuple[Evidence, ...]:
        kind, passes = spot[1], passage.passes
        claimed = kind is Kind.FACE and bool(passes.claims)
        references = passes.references() if claimed else known.references.get(kind, ())
        if claimed and not self._leaving:
            passes.try_on((spot, track.number), self._waiting(known))
        return self._match(kind, track, references)

    def _match(
        self, kind: Kind, track: Track, references: Sequence[Reference]
    ) -> tuple[Evidence, ...]:
        return self._on_the_way_out(
            lambda: self._matchers[kind].match(track.probes, references, track.last)[:_RIVALS], ()
        )

    def _waiting(self, known: Known) -> frozenset[Holder]:
        """Who failed too often, so that whatever they show counts for nothing yet."""
        now = self._clock.now().utc
        return frozenset(who for who, until in known.state.throttled.items() if not now >= until)

    def _on_the_way_out(self, work: Callable[[], T], otherwise: T) -> T:
        """What `work` gives; where it fails, `otherwise` on the way out and the failure itself on
        the way in."""
        if not self._leaving:
            return work()

        def failed(why: str) -> T:
            self._health.report(_REGISTER, "red", why)
            return otherwise

        return self._unhurried(lambda: shielded(work, failed), failed)

    def _unhurried(self, work: Callable[[], T], failed: Callable[[str], T]) -> T:
        """What `work` gives; nobody on the way out waits for a disk that does not answer."""
        if not self._leaving:
            return self._outside(work)
        return self._aside.do(work, lambda: failed("it takes longer than anybody can wait"))

    def _outside(self, work: Callable[[], T]) -> T:
        """What `work` gives, which may have to wait for a disk."""
        with self.progress.outside():
            return work()

    def _decide(self, passage: Passage, known: Known, spot: Spot, track: Track) -> None:
        """Decides on one passer-by before one camera, with what others of their car or company
        showed cameras that look for something else."""
        now, key = self._clock.now(), (spot, track.number)
        decision = self._decided(passage, known, track, passage.evidence(key))
        if not decision.holders and spot[1] is Kind.FACE:
            decision = self._never_left(passage, known, track) or decision
        passage.waited_s = now.since(track.last)
        passage.passes.recognised(decision.holders)
        if passage.never_left(decision.holders, now):
            passage.settle(decision.holders, key, now)
        elif not decision.granted:
            passage.refuse(decision, key)
        elif not self._may_yet_be_recognised(decision, track, now):
            self._grant(passage, decision, key, track.last)

    def _decided(
        self, passage: Passage, known: Known, track: Track, evidence: tuple[Evidence, ...]
    ) -> Decision:
        attempt = Attempt(
            passage.attempt, self.access_point.id, evidence, Liveness.NOT_CHECKED, track.last
        )
        return decide(attempt, known.permits, known.state, self._clock.now())

    def _never_left(self, passage: Passage, known: Known, track: Track) -> Decision | None:
        """The decision on somebody who was let through with a pass a moment ago, put it away and
        seems to arrive again; None where it is nobody of them."""
        for claim in passage.passes.going.values():
            found = self._match(Kind.FACE, track, [claim.reference])
            evidence = (_held_up(claim, track), *found)
            decision = self._decided(passage, known, track, evidence)
            if decision.holders:
                return decision
        return None

    def _may_yet_be_recognised(self, decision: Decision, track: Track, now: Moment) -> bool:
        early = now.since(track.first) < _RECOGNISE_S
        return self._leaving and not decision.holders and early

    def _grant(self, passage: Passage, decision: Decision, key: Key, newest: Moment) -> None:
        """Durable first, then fresh still, then open."""
        refusal = self._record(decision)
        if refusal is not None and not self._leaving:
            self._put_off(passage, replace(decision, reason=Reason.NOT_RECORDED), refusal, newest)
            return
        now = self._clock.now()
        if not 0.0 <= now.since(newest) <= FRESH_S and not self._leaving:
            late = "it was too late when it had been recorded"
            self._note(decision, Report(False, late))
            self._put_off(passage, replace(decision, reason=Reason.STALE), late, newest)
            return
        passage.settle(decision.holders, key, now)
        report = self._pulse(decision)
        waited_s = self._clock.now().since(newest)
        self._note(decision, report)
        if report.done:
            self._passed(decision)
        self._tell(passage, decision, report.detail, waited_s, driven=report.done)
        if self._leaving and not report.done:
            passage.not_let_out(self._new_attempt(), self._clock.now())

    def _put_off(self, passage: Passage, denial: Decision, detail: str, newest: Moment) -> None:
        """A grant that was not carried out. Whoever is still there then begins a new attempt: the
        record may hold the old one all the same."""
        passage.attempt, passage.last = self._new_attempt(), None
        passage.passes.refusal = None
        waited_s = self._clock.now().since(newest)
        self._tell(passage, replace(denial, bound=1.0, passback=False), detail, waited_s)

    def _pulse(self, decision: Decision) -> Report:
        place = self.access_point
        command = Command(str(decision.attempt), place.id, place.hold_s)
        return shielded(lambda: self._actuator.pulse(command), lambda why: Report(False, why))

    def _record(self, decision: Decision) -> str | None:
        """Makes the decision durable; gives what stands against it, if anything does."""
        return self._append(
            Decided(
                self._clock.now().utc,
                self.access_point.id,
                decision.attempt,
                decision.reason,
                decision.permit,
                decision.holders,
                band(decision.bound),
                decision.passback,
            )
        )

    def _note(self, decision: Decision, report: Report) -> None:
        # Where this fails, the grant without an answer is closed at the next start.
        now = self._clock.now().utc
        self._append(Acted(now, self.access_point.id, decision.attempt, report.done, report.detail))

    def _append(self, event: Event) -> str | None:
        def kept() -> str | None:
            self._ledger.append(event)
            self._recorded(None)
            return None

        def failed(why: str) -> str:
            self._recorded(why)
            return why

        return self._unhurried(lambda: shielded(kept, failed), failed)

    def _recorded(self, fault: str | None) -> None:
        """Tells whether something could be recorded; where not, why."""
        if fault is None:
            self._health.report(_RECORD, "ok", "decisions are recorded")
        else:
            self._health.report(_RECORD, "red", f"not recorded: {fault}")

    def _passed(self, decision: Decision) -> None:
        now = self._clock.now().utc
        for holder in decision.holders:
            self._unkept.pop(holder, None)
        self._note_there(
            lambda: self._register.passed(self.access_point, decision.holders, now),
            "who is inside",
        )

    def _count_failures(self, holders: Iterable[Holder]) -> None:
        """Notes whose passes were held up by somebody who was not recognised as them."""
        now = self._clock.now().utc
        for holder in holders:
            failed = partial(self._register.failed, self.access_point, holder, now)
            if self._note_there(failed, "who has to wait"):
                continue
            self._unkept[holder] = self._unkept.get(holder, 0) + 1
            if self._unkept[holder] >= _UNKEPT:
                self._waits[holder] = now + _WAIT

    def _note_there(self, note: Callable[[], None], what: str) -> bool:
        """Keeps something in the register; says whether that was possible."""

        def noted() -> bool:
            note()
            self._health.report(_REGISTER, "ok", f"{what} is kept")
            return True

        def failed(why: str) -> bool:
            self._health.report(_REGISTER, "red", f"{what} is not kept: {why}")
            return False

        return self._unhurried(lambda: shielded(noted, failed), failed)

    def _end(self, passage: Passage) -> None:
        """Everybody has gone. Who was recognised and denied is an event; a stranger is not."""
        self._count_failures(passage.over())
        taken = {passage.attempt} if passage.settled else set()
        for _, decision in passage.refused.values():
            if decision.attempt in taken:
                decision = replace(decision, attempt=self._new_attempt())
            taken.add(decision.attempt)
            self._deny(passage, decision)
        if taken or passage.vain:
            return
        if passage.passes.refusal is not None:
            refused = Decision(passage.attempt, passage.passes.refusal)
            self._tell(passage, refused, "", passage.waited_s)
        elif passage.last is not None:
            self._tell(passage, passage.last, "", passage.waited_s)
        elif passage.flaws and not passage.looks:
            self._tell(passage, Decision(passage.attempt, Reason.UNAUTHORIZED), "", 0.0)

    def _deny(self, passage: Passage, decision: Decision) -> None:
        self._tell(passage, decision, self._record(decision) or "", passage.waited_s)

    def _tell(
        self,
        passage: Passage,
        decision: Decision,
        detail: str,
        waited_s: float,
        *,
        driven: bool = False,
    ) -> None:
        advises = decision.reason is Reason.UNAUTHORIZED and not passage.looks
        outcome = Outcome(
            self.access_point.id,
            decision.attempt,
            decision,
            passage.looks,
            passage.flaws if advises else (),
            detail,
            waited_s,
            driven,
        )
        shielded(lambda: self._observer.ended(outcome), lambda _why: None)


def _held_up(claim: Claim, track: Track) -> Evidence:
    """What a valid pass proves by itself: nothing, but whom it is about."""
    return Evidence(Factor.PASS, claim.holder, claim.credential, 1.0, 1, 1, track.last)
