"""One access point: tracks in, decisions out, in the order that keeps the promise.

1. Match against this access point's permits only; what does not match is forgotten.
2. Decide. 3. Make the grant durable. 4. Check that it is still fresh. 5. Move the actuator.
6. Note what it answered.

If a grant cannot be made durable the access point stays shut, except on the way out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from postern.core.access_point import AccessPoint, Direction
from postern.core.attempt import Attempt, Liveness
from postern.core.decide import ATTEMPT_S, FRESH_S, decide
from postern.core.decision import Decision, Reason
from postern.core.errors import PosternError
from postern.core.event import Acted, Decided
from postern.core.evidence import Evidence, band
from postern.core.ids import AttemptId, CameraId
from postern.core.look import Flaw, Kind
from postern.core.moment import Moment
from postern.core.ports import Actuator, Clock, Command, Ledger
from postern.engine.ports import Known, Matchers, Observer, Outcome, Register
from postern.frame import Track

#: Evidence kept of each track: the best candidate and its rivals. More can change no decision:
#: ambiguity needs one rival, and a permit for one vehicle and several drivers needs the best few.
_RIVALS = 8


@dataclass(slots=True)
class _Passage:
    """The attempt that is under way; guarded by the lane's lock."""

    attempt: AttemptId
    evidence: dict[tuple[CameraId, int], tuple[Evidence, ...]] = field(default_factory=dict)
    alive: dict[CameraId, tuple[Track, ...]] = field(default_factory=dict)
    last: Decision | None = None
    looks: int = 0
    flaws: tuple[Flaw, ...] = ()
    granted: bool = False
    newest: Moment | None = None


class Lane:
    """Decides at one access point. `see` may be called from any camera's thread.

    Args:
        access_point: Which one.
        register: Who may be recognised there.
        matchers: How looks are compared.
        ledger: Where decisions become durable.
        actuator: What opens.
        clock: The two clocks.
        observer: Who watches.
        new_attempt: Gives every attempt its name.
    """

    def __init__(  # noqa: PLR0913 - the one place where everything meets
        self,
        access_point: AccessPoint,
        register: Register,
        matchers: Matchers,
        ledger: Ledger,
        actuator: Actuator,
        clock: Clock,
        observer: Observer,
        new_attempt: Callable[[], AttemptId],
    ) -> None:
        self.access_point = access_point
        self._register = register
        self._matchers = matchers
        self._ledger = ledger
        self._actuator = actuator
        self._clock = clock
        self._observer = observer
        self._new_attempt = new_attempt
        self._lock = Lock()
        self._passage: _Passage | None = None

    def see(self, camera: CameraId, kind: Kind, tracks: tuple[Track, ...], now: Moment) -> None:
        """Takes the tracks that live after a frame of one of the cameras.

        Args:
            camera: Which camera.
            kind: What it looks for.
            tracks: Its living tracks; empty where nobody is there any more.
            now: When the frame was captured.

        Raises:
            PosternError: `unavailable` where who may pass cannot be read now.
        """
        with self._lock:
            passage = self._passage
            if passage is None:
                if not tracks:
                    return
                passage = self._passage = _Passage(self._new_attempt())
            fresh = self._take(passage, camera, tracks, now)
            if fresh and not passage.granted:
                self._evaluate(passage, camera, kind, fresh)
            if not any(passage.alive.values()):
                self._passage = None
                self._end(passage)

    def _take(
        self, passage: _Passage, camera: CameraId, tracks: tuple[Track, ...], now: Moment
    ) -> tuple[Track, ...]:
        """Notes a camera's tracks; gives those with a look more than before."""
        before = {track.number: len(track.probes) for track in passage.alive.get(camera, ())}
        passage.alive[camera] = tracks
        living = {track.number for track in tracks}
        for key in [key for key in passage.evidence if key[0] == camera]:
            # Whoever comes next before this camera does not inherit what the last one showed.
            if tracks and key[1] not in living:
                del passage.evidence[key]
        if tracks and tracks[0].last == now:
            passage.flaws = tracks[0].flaws
        return tuple(t for t in tracks if len(t.probes) > before.get(t.number, 0))

    def _evaluate(
        self, passage: _Passage, camera: CameraId, kind: Kind, tracks: tuple[Track, ...]
    ) -> None:
        known = self._register.known(self.access_point, self._clock.now())
        for track in tracks:
            matcher, references = self._matchers[kind], known.references.get(kind, ())
            found = matcher.match(track.probes, references, track.last)
            passage.evidence[camera, track.number] = found[:_RIVALS]
            passage.looks = max(passage.looks, len(track.probes))
            passage.newest = track.last
        self._decide(passage, known)

    def _decide(self, passage: _Passage, known: Known) -> None:
        if passage.newest is None:
            return
        now = self._clock.now()
        evidence = tuple(
            item
            for found in passage.evidence.values()
            for item in found
            if now.since(item.seen) <= ATTEMPT_S
        )
        attempt = Attempt(
            passage.attempt, self.access_point.id, evidence, Liveness.NOT_CHECKED, passage.newest
        )
        decision = decide(attempt, known.permits, known.state, now)
        passage.last = decision
        if decision.granted:
            passage.granted = True
            self._grant(passage, decision, passage.newest)

    def _grant(self, passage: _Passage, decision: Decision, newest: Moment) -> None:
        """Durable first, then fresh still, then open."""
        refusal = self._record(decision)
        way_out = self.access_point.direction is Direction.EXIT
        if refusal is not None and not way_out:
            self._report(passage, replace(decision, reason=Reason.OTHER), refusal, newest)
            return
        if not self._clock.now().since(newest) <= FRESH_S and not way_out:
            self._note(decision, False, "it was too late when it had been recorded")
            self._report(passage, replace(decision, reason=Reason.STALE), "recorded late", newest)
            return
        command = Command(str(decision.attempt), self.access_point.id, self.access_point.hold_s)
        report = self._actuator.pulse(command)
        self._report(passage, decision, report.detail, newest)
        self._note(decision, report.done, report.detail)
        if report.done and decision.holders:
            self._register.passed(self.access_point, decision.holders, self._clock.now().utc)

    def _record(self, decision: Decision) -> str | None:
        """Makes the decision durable; gives what stands against it, if anything."""
        event = Decided(
            self._clock.now().utc,
            self.access_point.id,
            decision.attempt,
            decision.reason,
            decision.permit,
            decision.holders,
            band(decision.bound),
            decision.passback,
        )
        try:
            self._ledger.append(event)
        except PosternError as error:
            return error.message
        return None

    def _note(self, decision: Decision, done: bool, detail: str) -> None:
        event = Acted(self._clock.now().utc, self.access_point.id, decision.attempt, done, detail)
        try:
            self._ledger.append(event)
        except PosternError as error:
            # The pulse is over; the grant without an answer is closed at the next start.
            self._observer.health(
                CameraId(str(self.access_point.id)), "red", f"not recorded: {error.message}"
            )

    def _end(self, passage: _Passage) -> None:
        """Everybody has gone. Who was recognised and denied is an event; a stranger is not."""
        decision = passage.last
        if passage.granted or decision is None or passage.newest is None:
            if decision is None and passage.flaws:
                unseen = Decision(passage.attempt, Reason.UNAUTHORIZED)
                self._report(passage, unseen, "", self._clock.now())
            return
        refusal = self._record(decision) if decision.holders else None
        self._report(passage, decision, refusal or "", passage.newest, waited=False)

    def _report(
        self,
        passage: _Passage,
        decision: Decision,
        detail: str,
        newest: Moment,
        *,
        waited: bool = True,
    ) -> None:
        latency_s = self._clock.now().since(newest) if waited else 0.0
        flaws = () if decision.granted or passage.looks else passage.flaws
        self._observer.ended(
            Outcome(
                self.access_point.id, passage.attempt, decision, passage.looks, flaws, detail,
                latency_s,
            )
        )  # fmt: skip
