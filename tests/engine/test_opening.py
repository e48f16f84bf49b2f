"""What a door itself tells: every alarm has its cause, and every one is over some time."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.alarm import Alarm
from postern.core.errors import PosternError
from postern.core.signal import Means, Signal
from postern.engine.opening import GAP_S, GRACE_S, LASTS_S, Limits, Opening
from tests.people import moment

LIMITS = Limits(hold_s=1.0, opens_within_s=5.0, held_open_s=30.0)
#: One thing that happens, at so many seconds: what, and to what.
Step = tuple[float, str]


def signal(at: float, active: bool, live: bool = True) -> Signal:
    return Signal(active, moment(at), live)


def play(steps: Iterable[Step], until: float = 0.0) -> list[tuple[float, str]]:
    """What is told when: each alarm by its name, and with "..." in front when it is over.

    Words: shut, open (of the door), found-open, found-shut, lost, in and out (of the loop), beam-in
    and beam-out, button, pulse, hold, let-go. Time passes in steps of a quarter of a second.
    """
    opening, told = Opening(LIMITS), list[tuple[float, str]]()
    steps = sorted(steps, key=lambda step: step[0])
    end = max([until, *(at for at, _ in steps)])
    now = 0.0
    while now <= end:
        for at, what in [step for step in steps if now <= step[0] < now + 0.25]:
            told += _told(at, do(opening, at, what))
        now += 0.25
        told += _told(now, opening.tick(moment(now)))
    return told


def do(opening: Opening, at: float, what: str):
    """One step."""
    contact, loop, beam = Means.DOOR_CONTACT, Means.LOOP, Means.BEAM
    heard = {
        "shut": ("contact", contact, False, True),
        "open": ("contact", contact, True, True),
        "found-open": ("contact", contact, True, False),
        "found-shut": ("contact", contact, False, False),
        "in": ("loop", loop, True, True),
        "out": ("loop", loop, False, True),
        "beam-in": ("beam", beam, True, True),
        "beam-out": ("beam", beam, False, True),
        "button": ("button", Means.REQUEST_TO_EXIT, True, True),
        "found-button": ("button", Means.REQUEST_TO_EXIT, True, False),
    }
    if what in heard:
        name, means, active, live = heard[what]
        return opening.heard(name, means, signal(at, active, live), moment(at))
    if what == "lost":
        return opening.lost("contact", contact, moment(at))
    if what == "lost-loop":
        return opening.lost("loop", loop, moment(at))
    if what in ("hold", "let-go"):
        return opening.held(what == "hold", moment(at))
    opening.allowed(moment(at))
    if what == "pulse":
        opening.driven()
    return ()


def _told(at: float, changes) -> list[tuple[float, str]]:
    return [(at, f"...{one.alarm}" if one.over else str(one.alarm)) for one in changes]


def names(told: list[tuple[float, str]]) -> list[str]:
    return [what for _, what in told]


USUAL = [(0.0, "found-shut"), (1.0, "pulse"), (2.0, "open"), (6.0, "shut")]
CAR = [(0.0, "found-shut"), (1.0, "pulse"), (1.5, "open"), (3.0, "in"), (5.0, "out"), (8.0, "shut")]


@pytest.mark.parametrize(
    ("steps", "until", "expected"),
    [
        # Nothing is wrong.
        (USUAL, 100, []),
        (CAR, 100, []),
        ([(0, "found-shut"), (1, "button"), (2, "open"), (6, "shut")], 100, []),
        ([(0, "found-shut"), (2, "open"), (2.5, "button"), (6, "shut")], 100, []),
        ([(0, "found-shut"), (1, "pulse"), (6.9, "open"), (8, "shut")], 100, []),
        ([(0, "found-shut"), (1, "pulse"), (2, "open"), (31.5, "shut")], 100, []),
        ([(0, "found-shut"), (1, "allowed"), (3, "pulse"), (8.5, "open"), (9, "shut")], 100, []),
        # Forced.
        ([(0, "found-shut"), (2, "open"), (20, "shut")], 100, ["forced", "...forced"]),
        ([(0, "found-shut"), (2, "open"), (2.25, "shut")], 100, ["forced", "...forced"]),
        ([(0, "found-shut"), (1, "pulse"), (7.5, "open"), (9, "shut")], 100,
         ["relay_unconfirmed", "forced", "...relay_unconfirmed", "...forced"]),
        ([(0, "found-shut"), (2, "open"), (4, "button"), (9, "shut")], 100,
         ["forced", "...forced"]),
        ([(0, "found-shut"), (1, "found-button"), (2, "open"), (9, "shut")], 100,
         ["forced", "...forced"]),
        # Not known is not forced.
        ([(2, "open"), (9, "shut")], 100, []),
        ([(2, "found-open"), (9, "shut")], 100, []),
        ([(0, "found-shut"), (1, "lost"), (2, "found-open"), (9, "shut")], 100, []),
        ([(0, "found-shut"), (1, "lost"), (2, "open"), (9, "shut")], 100, []),
        # Held open.
        (USUAL[:3], 100, ["held_open"]),
        ([*USUAL[:3], (50, "shut")], 100, ["held_open", "...held_open"]),
        ([*USUAL[:3], (33, "shut")], 100, ["held_open", "...held_open"]),
        ([(0, "found-open")], 29.5, []),
        ([(0, "found-open")], 100, ["held_open"]),
        ([*USUAL[:3], (20, "lost"), (25, "found-open"), (50, "shut")], 100, []),
        ([*USUAL[:3], (50, "lost")], 100, ["held_open", "...held_open"]),
        # A gate: something in the way, or it does not close after what was.
        ([*CAR[:-1], (30, "shut")], 100, []),
        (CAR[:-1], 100, ["not_closed"]),
        ([*CAR[:-1], (60, "shut")], 100, ["not_closed", "...not_closed"]),
        ([*CAR[:4], (20, "shut")], 100, ["not_closed"]),
        ([*CAR[:4], (25, "out"), (50, "shut")], 100, []),
        ([*CAR[:4], (50, "lost-loop")], 70, ["not_closed"]),
        ([*CAR[:4], (40, "shut"), (50, "lost-loop")], 70, ["not_closed", "...not_closed"]),
        # Tail-gating.
        ([*CAR[:5], (6.5, "in"), (7.5, "out"), (20, "shut")], 100,
         ["tail_gating", "...tail_gating"]),
        ([*CAR[:5], (6.5, "in"), (7.5, "out"), (7.75, "shut")], 100,
         ["tail_gating", "...tail_gating"]),
        ([*CAR[:5], (5 + GAP_S / 2, "in"), (7.5, "out"), (9, "shut")], 100, []),
        ([*CAR[:5], (5.5, "pulse"), (6.5, "in"), (7.5, "out"), (9, "shut")], 100, []),
        ([(0, "in"), (1, "out"), (5, "in"), (6, "out")], 100, []),
        ([(0, "pulse"), (1, "in"), (2, "out"), (4, "in"), (5, "out")], 100,
         ["tail_gating", "...tail_gating"]),
        ([(0, "pulse"), (1, "in"), (1, "beam-in"), (2, "out"), (2.5, "beam-out")], 100, []),
        ([(0, "pulse"), (1, "in"), (2, "out"), (30, "in"), (31, "out")], 100, []),
        # Unconfirmed.
        ([(0, "found-shut"), (1, "pulse")], 100, ["relay_unconfirmed"]),
        ([(0, "found-shut"), (1, "pulse"), (20, "pulse"), (21, "open"), (22, "shut")], 100,
         ["relay_unconfirmed", "...relay_unconfirmed"]),
        ([(0, "found-shut"), (1, "allowed")], 100, []),
        ([(1, "pulse")], 100, []),
        ([(0, "found-open"), (1, "pulse"), (20, "shut")], 100, []),
        ([(0, "found-shut"), (1, "pulse"), (3, "lost")], 100, []),
        # By order or by fire everything may stand open, and time counts from its end.
        ([(0, "found-shut"), (1, "hold"), (2, "open"), (100, "let-go"), (120, "shut")], 200, []),
        ([(0, "found-shut"), (1, "hold"), (2, "open"), (100, "let-go")], 129, []),
        ([(0, "found-shut"), (1, "hold"), (2, "open"), (100, "let-go")], 140, ["held_open"]),
        ([(0, "hold"), (1, "in"), (2, "out"), (3, "pulse"), (4, "in"), (5, "out"), (7, "in"),
          (8, "out"), (10, "let-go")], 100, []),
        ([(0, "found-shut"), (1, "hold"), (2, "let-go"), (5, "open"), (9, "shut")], 100, []),
    ],
)  # fmt: skip
def test_alarms_of_a_story(steps: list[Step], until: float, expected: list[str]) -> None:
    """What happens, until when time passes, and what is told, in order."""
    assert expected == names(play(steps, until))


def test_alarm_is_told_when_it_is_due_and_lasts_for_a_while() -> None:
    """Somebody has to see it."""
    told = play([(0, "found-shut"), (2, "open"), (2.25, "shut")], 50)
    assert [2 + GRACE_S, 2 + GRACE_S + LASTS_S] == [at for at, _ in told]

    told = play([*USUAL[:3], (60, "shut")], 100)
    assert [2 + LIMITS.held_open_s, 60] == [at for at, _ in told]


@pytest.mark.parametrize("wrong", [{"hold_s": 0.0}, {"held_open_s": float("nan")},
                                   {"opens_within_s": -1.0}], ids=str)  # fmt: skip
def test_limits_are_positive(wrong: dict[str, float]) -> None:
    """Else everything would be an alarm, or nothing."""
    with pytest.raises(PosternError):
        Limits(**wrong)


WORDS = st.sampled_from(
    ["shut", "open", "found-open", "found-shut", "lost", "in", "out", "beam-in", "beam-out",
     "lost-loop", "button", "found-button", "pulse", "allowed", "hold", "let-go"]
)  # fmt: skip
STORIES = st.lists(st.tuples(st.integers(0, 480).map(lambda n: n / 4), WORDS), max_size=25)


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_no_alarm_without_a_cause(steps: list[Step]) -> None:
    """Each of them needs something to have happened, in any story whatever."""
    told = play(steps, 200)
    said = sorted(steps)

    def before(at: float, *whats: str) -> bool:
        return any(when <= at and what in whats for when, what in said)

    for at, what in told:
        if what == Alarm.FORCED:
            assert before(at, "shut", "found-shut")
            assert before(at - GRACE_S, "open")
        elif what == Alarm.HELD_OPEN:
            assert before(at - LIMITS.held_open_s, "open", "found-open")
            # What comes at the very moment comes after it.
            ways = ("in", "beam-in", "out", "beam-out")
            assert not any(when < at and what in ways for when, what in said)
        elif what == Alarm.NOT_CLOSED:
            assert before(at - LIMITS.held_open_s, "open", "found-open", "in", "beam-in")
        elif what == Alarm.TAIL_GATING:
            assert before(at, "pulse", "allowed")
            assert any(
                len([s for s in said if s[0] <= at and s[1] == out]) >= 2
                for out in ("out", "beam-out")
            )
        elif what == Alarm.RELAY_UNCONFIRMED:
            assert before(at, "shut", "found-shut")
            assert before(at - LIMITS.hold_s - LIMITS.opens_within_s, "pulse")


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_alarms_begin_and_end_by_turns(steps: list[Step]) -> None:
    """None begins twice without having been over, and none is over that had not begun."""
    raised: set[str] = set()
    for _, what in play(steps, 200):
        alarm = what.removeprefix("...")
        assert what.startswith("...") is (alarm in raised)
        raised ^= {alarm}


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_every_alarm_is_over_once_the_door_works_and_is_shut(steps: list[Step]) -> None:
    """Whatever happened before: let somebody through, and wait."""
    usual = [(130.0, "let-go"), (131.0, "shut"), (131.0, "out"), (131.0, "beam-out"),
             (140.0, "pulse"), (141.0, "open"), (143.0, "shut")]  # fmt: skip
    raised: set[str] = set()
    for _, what in play([*steps, *usual], 300):
        raised ^= {what.removeprefix("...")}

    assert set() == raised


@settings(max_examples=200, deadline=None)
@given(STORIES)
def test_nothing_is_told_of_a_door_that_is_held_open_all_the_time(steps: list[Step]) -> None:
    """By fire everybody goes."""
    kept = [step for step in steps if step[1] not in ("hold", "let-go")]

    assert [] == play([(0.0, "hold"), *((at + 0.25, what) for at, what in kept)], 200)
