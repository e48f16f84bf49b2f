"""Several observers at once."""

from collections.abc import Callable

import pytest

from postern.core.decision import Decision, Reason
from postern.core.ids import AttemptId, CameraId
from postern.engine.observers import Observers
from postern.engine.ports import Outcome
from tests.engine.doubles import FakeObserver, Stage, every_fault
from tests.people import ALICE, DOOR

OUTCOME = Outcome(
    DOOR.id, AttemptId("a"), Decision(AttemptId("a"), Reason.PERMITTED), 3, (), "opened", 0.1, True
)


def test_everybody_is_told_in_order() -> None:
    """Of every attempt and every change."""
    calls: list[tuple[str, object]] = []
    first, second = FakeObserver(calls), FakeObserver([])
    both = Observers(first, second)
    both.ended(OUTCOME)
    both.health(CameraId("lane"), "red", "It failed.")

    assert [OUTCOME] == first.outcomes == second.outcomes
    assert [("lane", "red", "It failed.")] == first.states == second.states


@every_fault
def test_one_that_fails_is_nothing_to_the_others(fault: Callable[[], None]) -> None:
    """Wherever it stands among them."""
    for place in range(3):
        three = [FakeObserver([]) for _ in range(3)]
        three[place].fault = fault
        several = Observers(*three)
        several.ended(OUTCOME)
        several.health(CameraId("lane"), "ok", "frames arrive")
        assert all([OUTCOME] == one.outcomes and one.states for one in three)


@pytest.mark.parametrize("broken", [0, 1])
def test_lane_goes_on_whoever_fails(broken: int) -> None:
    """She is let in, and the record is as ever."""
    stage = Stage()
    two = [FakeObserver([]), FakeObserver([])]

    def breaks() -> None:
        raise RuntimeError

    two[broken].fault = breaks
    stage.lane._observer = Observers(*two)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)
    assert [Reason.PERMITTED] == [one.decision.reason for one in two[1 - broken].outcomes]
