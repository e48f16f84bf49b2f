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
from postern.engine.passage import AGAIN_S, PUT_AWAY_S
from tests.engine import doubles
from tests.engine.doubles import MALLORY, Stage, track, unavailable
from tests.people import (
    ALICE,
    BARRIER,
    CAROL,
    COUPE,
    ERIN,
    FACE,
    PASS,
    VAN,
    WAY_OUT,
    permit,
)

REVOKED = "revoked"
PERMITS = (*doubles.PERMITS, permit(CAROL, name="carol", factors=(PASS, FACE), liveness=False))

FACES, PLATES = (ALICE, ERIN, CAROL), (VAN, COUPE, MALLORY)
#: Carol's and Erin's, and one that was revoked. Carol is a stranger without hers.
PASSES = (CAROL, ERIN, REVOKED)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("face", "plate", "pass")),
            st.lists(st.integers(0, 2), max_size=2, unique=True),
            st.integers(0, 3),
        ),
        st.tuples(st.just("later"), st.sampled_from((0.1, 0.6, 1.0, 2.1, 15.0)), st.just(0)),
        st.tuples(
            st.just("fault"),
            st.sampled_from(
                ("none", "ledger", "ledger late", "slow", "register", "claims", "actuator")
            ),
            st.just(0),
        ),
    ),
    max_size=40,
)
#: The same with nothing but passes and faces, most of them Carol's.
WITH_PASSES = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from(([0], [], [1], [0, 1], [2])), st.just(1)),
        st.tuples(st.just("face"), st.sampled_from(([2], [], [1], [0, 2])), st.integers(0, 3)),
        st.tuples(st.just("later"), st.sampled_from((0.1, 0.6, 2.1, 8.0, 15.0)), st.just(0)),
    ),
    min_size=4,
    max_size=40,
)
Step = tuple[str, object, int]


@dataclass(frozen=True)
class Opened:
    """A pulse: how long ago everybody was seen, who was before each camera, and how long ago each
    pass was held up."""

    attempt: str
    ago_s: dict[str, float]
    there: dict[str, set[str]]
    shown_s: dict[str, float]


@dataclass
class Play:
    """Plays steps before a lane and remembers who was where when."""

    stage: Stage
    fault: str = "none"
    seen: dict[str, float] = field(default_factory=dict)
    there: dict[str, set[str]] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)
    shown: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stage.ledger.before = self._before
        self.stage.ledger.after = self._after
        self.stage.register.fault = self._register
        self.stage.claims.fault = self._claims
        self.stage.claims.refused[REVOKED] = Reason.CREDENTIAL_NOT_ENABLED
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

    def _claims(self) -> None:
        if self.fault == "claims":
            raise unavailable()

    def _answer(self, command: Command) -> Report:
        now_s = self.stage.now().monotonic_s
        ago_s = {who: now_s - seen_s for who, seen_s in self.seen.items()}
        shown_s = {who: now_s - seen_s for who, seen_s in self.shown.items()}
        self.opened.append(Opened(command.id, ago_s, dict(self.there), shown_s))
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
        now = self.stage.now()
        if camera == "pass":
            self.shown |= {PASSES[number]: now.monotonic_s for number in numbers}
            see, tracks = self.stage.held_up, [self.stage.text(n, PASSES[n]) for n in numbers]
        else:
            cast = FACES if camera == "face" else PLATES
            see = self.stage.face if camera == "face" else self.stage.plate
            tracks = [track(number, cast[number], now, looks=looks) for number in numbers]
            self.seen |= {cast[number]: now.monotonic_s for number in numbers}
            self.there[camera] = {cast[number] for number in numbers}
        try:
            see(*tracks)
        except PosternError:
            assert self.fault in ("register", "claims")


def played(at: AccessPoint, steps: Sequence[Step]) -> Play:
    play = Play(Stage(at, PERMITS))
    play.run(steps)
    return play


@settings(max_examples=150)
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


@settings(max_examples=150)
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


@settings(max_examples=300)
@given(WITH_PASSES)
def test_nobody_who_needs_a_pass_comes_in_without_it(steps: list[Step]) -> None:
    """Carol and her pass were there a moment ago; no reference that it opened outlives them."""
    play = played(BARRIER, steps)
    holders = {decided.attempt: decided.holders for decided in play.stage.ledger.decided}
    for opened in play.opened:
        if CAROL in holders[AttemptId(opened.attempt)]:
            assert opened.shown_s[CAROL] <= PUT_AWAY_S + AGAIN_S
            assert opened.ago_s[CAROL] <= FRESH_S
    play.fault = "none"
    for see in (play.stage.held_up, play.stage.face, play.stage.plate):
        see()

    assert [] == play.stage.claims.open


@settings(max_examples=150)
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


@settings(max_examples=150)
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
