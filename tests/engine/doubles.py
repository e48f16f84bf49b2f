"""What stands in for everything around the engine; each implements one port.

A probe says by its template's model whom it shows, so that a passer-by is told from another without
any pixels. Everything that matters is written into one list, in the order in which it happened.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from itertools import count
from threading import Condition, Event

import numpy as np
import pytest

from postern.core.access_point import AccessPoint
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Decided
from postern.core.event import Event as Kept
from postern.core.evidence import Evidence, Factor
from postern.core.ids import AttemptId, CameraId, EventId, Holder, PersonId
from postern.core.look import Box, Flaw, Kind, Look
from postern.core.mode import Mode
from postern.core.moment import Moment
from postern.core.permit import Permit
from postern.core.ports import Clock, Command, Ledger, Report
from postern.core.schedule import Schedule, Span
from postern.engine.lane import Lane
from postern.engine.ports import Claim, Known, Outcome
from postern.frame import Frame, Reference, Sighting, Template, Track
from tests.clocks import SteppedClock
from tests.people import (
    ALICE,
    COUPE,
    DOOR,
    ERIN,
    FACE,
    GOOD,
    PLATE,
    VAN,
    credential_id,
    permit,
    state,
)

MALLORY = "p-mallory"
#: Permits without liveness, which nobody establishes yet: Alice by her face, the van by its plate,
#: and the coupé with Erin in it.
PERMITS = (
    permit(ALICE, name="alice", liveness=False),
    permit(VAN, name="van", factors=(PLATE,), liveness=False),
    permit(COUPE, ERIN, name="coupe", factors=(PLATE, FACE), liveness=False),
)
Call = tuple[str, object]


def unavailable(what: str = "It cannot be reached now.") -> PosternError:
    """A failure that may go away by itself."""
    return PosternError(Code.UNAVAILABLE, what)


def template(who: str) -> Template:
    """A look at somebody."""
    return Template(np.zeros(1), who, 1)


def track(
    number: int,
    who: str,
    last: Moment,
    *,
    looks: int = 1,
    flaws: tuple[Flaw, ...] = (),
    age_s: float = 0.0,
) -> Track:
    """Somebody before a camera, with so many looks that differ."""
    box, probes = Box(0.0, 0.0, 60.0, 80.0), (template(who),) * looks
    return Track(number, last.plus(-age_s), last, box, flaws, probes, max(1, looks))


@dataclass
class FakeLedger:
    """Keeps events in memory, or fails as it is told."""

    calls: list[Call]
    before: Callable[[Kept], None] = lambda event: None
    after: Callable[[Kept], None] = lambda event: None
    kept: list[Kept] = field(default_factory=list)

    def append(self, event: Kept) -> EventId:
        self.before(event)
        self.kept.append(event)
        self.calls.append(("durable", event))
        self.after(event)
        return EventId(str(len(self.kept)))

    @property
    def decided(self) -> list[Decided]:
        return [event for event in self.kept if isinstance(event, Decided)]

    @property
    def acted(self) -> list[Acted]:
        return [event for event in self.kept if isinstance(event, Acted)]


@dataclass
class FakeActuator:
    """Notes every pulse; gives what it is told to give."""

    calls: list[Call]
    answer: Callable[[Command], Report] = lambda command: Report(True, "opened")
    closed: bool = False

    def close(self) -> None:
        self.closed = True

    def pulse(self, command: Command) -> Report:
        self.calls.append(("pulse", command))
        return self.answer(command)


@dataclass
class FakeRegister:
    """Knows the cast and some permits."""

    calls: list[Call]
    permits: tuple[Permit, ...] = PERMITS
    fault: Callable[[], None] = lambda: None
    passed_fault: Callable[[], None] = lambda: None
    failed_fault: Callable[[], None] = lambda: None
    occupancy: int = 0
    inside: dict[Holder, datetime] = field(default_factory=dict)
    failures: list[Holder] = field(default_factory=list)
    throttled: dict[Holder, datetime] = field(default_factory=dict)
    mode: Mode = Mode.NORMAL

    def known(self, access_point: AccessPoint, now: Moment) -> Known:
        self.fault()
        return Known(
            self.permits,
            replace(
                state(
                    access_point,
                    inside=self.inside,
                    occupancy=self.occupancy,
                    throttled=self.throttled,
                ),
                mode=self.mode,
            ),
            {
                Kind.FACE: tuple(reference(Factor.FACE, who) for who in (ALICE, ERIN)),
                Kind.PLATE: tuple(reference(Factor.PLATE, what) for what in (VAN, COUPE)),
            },
        )

    def failed(self, access_point: AccessPoint, holder: Holder, at: datetime) -> None:
        self.failed_fault()
        self.failures.append(holder)
        self.calls.append(("failed", holder))

    def passed(self, access_point: AccessPoint, holders: tuple[Holder, ...], at: datetime) -> None:
        self.calls.append(("passed", holders))
        self.passed_fault()
        self.inside |= dict.fromkeys(holders, at)


def reference(factor: Factor, holder: Holder) -> Reference:
    """What the site keeps of somebody."""
    return Reference(credential_id(factor, holder), holder, template(holder))


@dataclass
class FakeClaims:
    """Takes a pass's text for the name of its owner, or refuses it as it is told."""

    fault: Callable[[], None] = lambda: None
    refused: dict[str, Reason | None] = field(default_factory=dict)
    opened: list[Claim] = field(default_factory=list)

    def claim(self, access_point: AccessPoint, text: bytes, now: Moment) -> Claim | Reason | None:
        self.fault()
        whose = text.decode()
        if whose in self.refused:
            return self.refused[whose]
        face = Template(np.ones(1), whose, 1)
        holder = PersonId(whose)
        shown = Reference(credential_id(Factor.FACE, holder), holder, face)
        self.opened.append(Claim(credential_id(Factor.PASS, holder), shown))
        return self.opened[-1]

    @property
    def open(self) -> list[Holder]:
        """Whose references have not been overwritten."""
        return [one.holder for one in self.opened if one.reference.template.values.any()]


@dataclass
class FakeMatcher:
    """Sees at a glance whom the last look shows."""

    factor: Factor
    fault: Callable[[], None] = lambda: None
    twins: bool = False
    compared: list[str] = field(default_factory=list)
    against: list[set[Holder]] = field(default_factory=list)
    searched: list[int] = field(default_factory=list)

    def match(
        self, probes: Sequence[Template], references: Sequence[Reference], seen: Moment
    ) -> tuple[Evidence, ...]:
        self.fault()
        shown = probes[-1].model
        self.compared.append(shown)
        self.against.append({one.holder for one in references})
        self.searched.append(len(references))
        found = [
            Evidence(
                self.factor,
                one.holder,
                one.credential,
                GOOD[self.factor] if self.twins or one.template.model == shown else 0.5,
                len(references),
                len(probes),
                seen,
            )
            for one in references
        ]
        return tuple(sorted(found, key=lambda evidence: evidence.p))


@dataclass
class FakeObserver:
    """Remembers what it is told, and lets a test wait for it."""

    calls: list[Call]
    outcomes: list[Outcome] = field(default_factory=list)
    states: list[tuple[str, str, str]] = field(default_factory=list)
    fault: Callable[[], None] = lambda: None
    _news: Condition = field(default_factory=Condition)

    def ended(self, outcome: Outcome) -> None:
        with self._news:
            self.calls.append(("told", outcome))
            self.outcomes.append(outcome)
            self._news.notify_all()
        self.fault()

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        with self._news:
            self.states.append((camera, state, sentence))
            self._news.notify_all()
        self.fault()

    def until(self, true: Callable[[], bool], timeout_s: float = 5.0) -> bool:
        """Waits until something holds that changes with what is told."""
        with self._news:
            return self._news.wait_for(true, timeout_s)

    def of(self, camera: CameraId) -> list[str]:
        """A camera's states, in order."""
        with self._news:
            return [state for who, state, _ in self.states if who == camera]


class Stage:
    """One lane with all its doubles, seen from in front of its cameras."""

    def __init__(
        self,
        at: AccessPoint = DOOR,
        permits: tuple[Permit, ...] = PERMITS,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.stepped = SteppedClock()
        self.clock: Clock = clock or self.stepped
        self.calls: list[Call] = []
        self.ledger = FakeLedger(self.calls)
        self.actuator = FakeActuator(self.calls)
        self.register = FakeRegister(self.calls, permits)
        self.observer = FakeObserver(self.calls)
        self.faces, self.plates = FakeMatcher(Factor.FACE), FakeMatcher(Factor.PLATE)
        self.claims = FakeClaims()
        names = count(1)
        self.lane = Lane(
            at,
            self.register,
            {Kind.FACE: self.faces, Kind.PLATE: self.plates},
            self.claims,
            ledger or self.ledger,
            self.actuator,
            self.clock,
            self.observer,
            lambda: AttemptId(f"a-{next(names)}"),
        )

    def now(self, ago_s: float = 0.0) -> Moment:
        """The present moment, or so many seconds before it."""
        return self.clock.now().plus(-ago_s)

    def later(self, seconds: float) -> None:
        """Lets time pass."""
        self.stepped.advance(seconds)

    def face(self, *tracks: Track, camera: str = "face-camera") -> None:
        """A camera that looks for faces has taken a frame."""
        self.lane.see(CameraId(camera), Kind.FACE, tracks, self.now())

    def plate(self, *tracks: Track, camera: str = "plate-camera") -> None:
        """A camera that looks for plates has taken a frame."""
        self.lane.see(CameraId(camera), Kind.PLATE, tracks, self.now())

    def held_up(self, *tracks: Track, camera: str = "face-camera") -> None:
        """A camera that reads passes has taken a frame."""
        self.lane.see(CameraId(camera), Kind.PASS, tracks, self.now())

    def both(self, passes: Sequence[Track], faces: Sequence[Track]) -> None:
        """A camera that sees faces, and passes on the way, has taken a frame."""
        self.held_up(*passes)
        self.face(*faces)

    def text(self, number: int, text: str) -> Track:
        """A pass with that text that is held up in the present frame."""
        now, read = self.now(), Template(np.frombuffer(text.encode(), np.uint8), "qr", 1)
        return Track(number, now, now, Box(0.0, 100.0, 60.0, 160.0), (), (read,), 1)

    def seen(self, number: int, who: str, looks: int = 1) -> Track:
        """Somebody who shows themselves in the present frame."""
        return track(number, who, self.now(), looks=looks)

    @property
    def steps(self) -> list[str]:
        """The names of everything that happened."""
        return [name for name, _ in self.calls]

    @property
    def pulses(self) -> list[Command]:
        """Every command that reached the actuator."""
        return [command for _, command in self.calls if isinstance(command, Command)]

    @property
    def reasons(self) -> list[str]:
        """The reasons of everything that the observer was told."""
        return [outcome.decision.reason for outcome in self.observer.outcomes]


class FakeSource:
    """Gives frames as its scripts say, one script for every time it is started.

    After its scripts it waits for `close`, unless it is a recording, which ends.
    """

    def __init__(self, *scripts: Iterator[Frame], recording: bool = False) -> None:
        self._scripts = iter(scripts)
        self._recording = recording
        self.closed = Event()
        self.starts = 0

    @property
    def live(self) -> bool:
        return not self._recording

    def frames(self) -> Iterator[Frame]:
        self.starts += 1
        for frame in next(self._scripts, iter(())):
            if self.closed.is_set():
                return
            yield frame
        if not self._recording:
            self.closed.wait()

    def close(self) -> None:
        self.closed.set()


def frame(camera: str, captured: Moment, sequence: int, who: str = "") -> Frame:
    """A picture whose brightness says whom it shows: 0 nobody, 1 Alice, 2 Mallory, 3 Erin."""
    grey = SHOWN.index(who)
    return Frame(CameraId(camera), np.full((4, 4, 3), grey, np.uint8), captured, sequence)


SHOWN = ("", ALICE, MALLORY, ERIN)


@dataclass
class FakeRecogniser:
    """Reads a frame's brightness."""

    fault: Callable[[Frame], None] = lambda frame: None
    frames: list[int] = field(default_factory=list)

    def sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        self.frames.append(frame.sequence)
        self.fault(frame)
        who = SHOWN[int(frame.image[0, 0, 0])]
        box = Box(0.0, 0.0, 60.0, 80.0)
        look = Look(Kind.FACE, box, 1.0, (), frame.captured)
        return (Sighting(look, template(who)),) if who else ()


@dataclass
class FakeGate:
    """Opens for the frames it is told to."""

    opens: Callable[[Frame], bool] = lambda frame: True

    def moved(self, frame: Frame) -> bool:
        return self.opens(frame)


@dataclass
class FakeTracker:
    """One passer-by at a time, gone after a second; notes every moment it was told of."""

    updates: list[tuple[int, Moment]] = field(default_factory=list)
    _track: Track | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def update(self, sightings: Sequence[Sighting], now: Moment) -> tuple[Track, ...]:
        self.updates.append((len(sightings), now))
        if self._track is not None and now.since(self._track.last) > 1.0:
            self._track = None
        for sighting in sightings:
            assert sighting.template is not None
            who, before = sighting.template.model, self._track
            if before is None or before.probes[0].model != who:
                before = track(next(self._numbers), who, now, looks=0)
            looks = min(3, len(before.probes) + 1)
            self._track = track(before.number, who, now, looks=looks, age_s=now.since(before.first))
        return () if self._track is None else (self._track,)


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


def fails_without_a_word() -> None:
    """Raises an error that says nothing."""
    raise unavailable("")


def raising(fault: Callable[[], None]) -> Callable[[Kept], None]:
    """The same for a ledger."""
    return lambda event: fault()


every_fault = pytest.mark.parametrize("fault", [fails, breaks, fails_without_a_word])
