"""Whatever happens before an access point, in whatever order: what a lane never does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.access_point import AccessPoint
from postern.core.decide import ATTEMPT_S, FRESH_S
from postern.core.decision import Reason
from postern.core.errors import PosternError
from postern.core.event import Acted, Decided, Event
from postern.core.ids import AttemptId
from postern.core.ports import Command, Report
from tests.engine.doubles import MALLORY, Stage, track, unavailable
from tests.people import ALICE, BARRIER, COUPE, ERIN, VAN, WAY_OUT

FACES, PLATES = (ALICE, ERIN, MALLORY), (VAN, COUPE, MALLORY)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("face", "plate")),
            st.lists(st.integers(0, 2), max_size=2, unique=True),
            st.integers(0, 3),
        ),
        st.tuples(st.just("later"), st.sampled_from((0.1, 0.6, 1.0, 2.1, 15.0)), st.just(0)),
        st.tuples(
            st.just("fault"),
            st.sampled_from(("none", "ledger", "ledger late", "slow", "register", "actuator")),
            st.just(0),
        ),
    ),
    max_size=40,
)
Step = tuple[str, object, int]


@dataclass(frozen=True)
class Opened:
    """A pulse: how long ago everybody was seen, and who was before each camera."""

    attempt: str
    ago_s: dict[str, float]
    there: dict[str, set[str]]


@dataclass
class Play:
    """Plays steps before a lane and remembers who was where when."""

    stage: Stage
    fault: str = "none"
    seen: dict[str, float] = field(default_factory=dict)
    there: dict[str, set[str]] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage.ledger.before = self._before
        self.stage.ledger.after = self._after
        self.stage.register.fault = self._register
        self.stage.actuator.answer = self._answer

    def _before(self, event: Event) -> None:
        if self.fault == "ledger":
            raise unavailable()

    def _after(self, event: Event) -> None:
        if self.fault == "ledger late":
            raise RuntimeError
        if self.fault == "slow":
            self.stage.later(1.1)

    def _register(self) -> None:
        if self.fault == "register":
            raise unavailable()

    def _answer(self, command: Command) -> Report:
        now_s = self.stage.now().monotonic_s
        ago_s = {who: now_s - seen_s for who, seen_s in self.seen.items()}
        self.opened.append(Opened(command.id, ago_s, dict(self.there)))
        return Report(self.fault != "actuator", "as it is told")

    def run(self, steps: Sequence[Step]) -> None:
        for name, what, looks in steps:
            if name == "later":
                assert isinstance(what, float)
                self.stage.later(what)
            elif name == "fault":
                self.fault = str(what)
            else:
                assert isinstance(what, list)
                self._show(name, what, looks)

    def _show(self, camera: str, numbers: list[int], looks: int) -> None:
        cast = FACES if camera == "face" else PLATES
        now = self.stage.now()
        tracks = tuple(track(number, cast[number], now, looks=looks) for number in numbers)
        self.seen |= {cast[number]: now.monotonic_s for number in numbers}
        self.there[camera] = {cast[number] for number in numbers}
        try:
            (self.stage.face if camera == "face" else self.stage.plate)(*tracks)
        except PosternError:
            assert self.fault == "register"


def played(at: AccessPoint, steps: Sequence[Step]) -> Play:
    play = Play(Stage(at))
    play.run(steps)
    return play


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_entry_opens_without_a_record_or_twice_for_one(steps: list[Step]) -> None:
    """Every pulse has a durable grant of its own, written before it."""
    stage = played(BARRIER, steps).stage
    durable: set[str] = set()
    for name, what in stage.calls:
        if name == "durable" and isinstance(what, Decided) and what.reason is Reason.PERMITTED:
            durable.add(what.attempt)
        if isinstance(what, Command):
            assert what.id in durable
            durable.remove(what.id)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_entry_opens_for_somebody_who_is_not_there(steps: list[Step]) -> None:
    """When it opens, one of the holders was seen a moment ago, all of them in this attempt, and
    nobody else has taken the place of any of them."""
    play = played(BARRIER, steps)
    holders = {decided.attempt: decided.holders for decided in play.stage.ledger.decided}
    for opened in play.opened:
        ago_s = [opened.ago_s[holder] for holder in holders[AttemptId(opened.attempt)]]
        assert min(ago_s) <= FRESH_S
        assert max(ago_s) <= ATTEMPT_S
        for holder in holders[AttemptId(opened.attempt)]:
            now_there = opened.there["face" if holder in FACES else "plate"]
            assert not now_there or holder in now_there


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_no_event_names_nobody_and_no_attempt_is_decided_twice(steps: list[Step]) -> None:
    """A stranger leaves no trace; every attempt has one decision and at most one answer."""
    kept = played(BARRIER, steps).stage.ledger.kept
    decided = [event.attempt for event in kept if isinstance(event, Decided)]
    acted = [event.attempt for event in kept if isinstance(event, Acted)]

    assert all(event.holders for event in kept if isinstance(event, Decided))
    assert len(set(decided)) == len(decided)
    assert len(set(acted)) == len(acted)
    assert set(acted) <= set(decided)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_way_out_opens_for_whoever_stays_whatever_failed(steps: list[Step]) -> None:
    """After any history everybody goes; then somebody comes and is let out within two seconds."""
    play = played(WAY_OUT, steps)
    stage = play.stage
    stage.face()
    stage.plate()
    stage.later(15.0)
    before = len(stage.pulses)
    for step in range(12):
        stage.face(track(99, MALLORY, stage.now(), looks=0, age_s=step / 10))
        stage.later(0.1)

    assert before + 1 == len(stage.pulses)
