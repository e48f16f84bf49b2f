"""The way out: nothing that fails keeps anybody in."""

from collections.abc import Callable
from threading import Event
from time import monotonic, sleep

import pytest

from postern.core.decision import Reason
from postern.core.ids import CameraId
from postern.core.look import Flaw
from postern.core.ports import Report
from tests.engine.doubles import (
    MALLORY,
    PERMITS,
    Stage,
    every_fault,
    raising,
    track,
)
from tests.people import ALICE, ERIN, WAY_OUT, permit


@every_fault
def test_ledger_that_fails_never_blocks_the_way_out(fault: Callable[[], None]) -> None:
    """Whoever leaves gets out, recorded or not, and is no longer inside."""
    stage = Stage(WAY_OUT)
    stage.ledger.before = raising(fault)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)
    assert [Reason.EXIT] == stage.reasons
    assert ("passed", (ALICE,)) in stage.calls


@every_fault
def test_register_or_matcher_that_fails_never_blocks_the_way_out(
    fault: Callable[[], None],
) -> None:
    """Who it is cannot be told then; the way out opens for whoever it is."""
    for part in ("register", "faces"):
        stage = Stage(WAY_OUT)
        getattr(stage, part).fault = fault
        stage.face(stage.seen(1, ALICE))
        stage.later(1.1)
        stage.face(track(1, ALICE, stage.now(), age_s=1.1))

        assert 1 == len(stage.pulses)
        assert "red" in stage.observer.of(CameraId(WAY_OUT.id))


def test_way_out_opens_after_a_slow_record() -> None:
    """A record that takes too long for an entry does not hold anybody in."""
    stage = Stage(WAY_OUT)
    stage.ledger.after = lambda event: stage.later(3.0)
    stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)


def test_way_out_opens_for_a_stranger_once() -> None:
    """A stranger is given a second to be recognised, then let out, and counted without a name."""
    stage = Stage(WAY_OUT)
    began = stage.now()
    for step in range(30):
        stage.face(track(1, MALLORY, stage.now(), looks=min(3, 1 + step), age_s=step / 10))
        stage.later(0.1)

    assert 1 == len(stage.pulses)
    assert ("passed", ()) in stage.calls
    assert [()] == [decided.holders for decided in stage.ledger.decided]
    assert 1.0 == pytest.approx((stage.ledger.decided[0].at - began.utc).total_seconds())


def test_way_out_is_tried_again_while_somebody_stands_before_it() -> None:
    """A relay that did not answer once keeps nobody in who does not think of stepping back."""
    stage = Stage(WAY_OUT)
    stage.actuator.answer = lambda _command: Report(False, "no route")
    tried = list[float]()
    for step in range(200):
        if step == 50:
            stage.actuator.answer = lambda _command: Report(True, "opened")
        stage.face(track(1, MALLORY, stage.now(), looks=3, age_s=step / 2))
        tried += [step / 2] * (len(stage.ledger.decided) - len(tried))
        stage.later(0.5)

    assert [1.0, 6.0, 16.0, 36.0] == tried
    assert len(tried) == len({decided.attempt for decided in stage.ledger.decided})
    assert [False, False, False, True] == [acted.done for acted in stage.ledger.acted]


def test_entry_is_not_tried_again_unasked() -> None:
    """Whoever may come in steps back and comes again; a gate that opens later opens for nobody."""
    stage = Stage()
    stage.actuator.answer = lambda _command: Report(False, "no route")
    stage.face(stage.seen(1, ALICE))
    stage.actuator.answer = lambda _command: Report(True, "opened")
    for _ in range(40):
        stage.later(0.5)
        stage.face(stage.seen(1, ALICE))

    assert 1 == len(stage.pulses)


def test_way_out_opens_for_somebody_whom_no_picture_shows_well() -> None:
    """Too dark, too small: there is nothing to compare, and still nobody is held."""
    stage = Stage(WAY_OUT)
    for step in range(12):
        dark = track(1, ALICE, stage.now(), looks=0, flaws=(Flaw.TOO_DARK,), age_s=step / 10)
        stage.face(dark)
        stage.later(0.1)

    assert 1 == len(stage.pulses)


def test_way_out_waits_a_moment_to_recognise_who_leaves() -> None:
    """Alice's first picture is too dark; she is known to have left by her second."""
    stage = Stage(WAY_OUT)
    stage.face(track(1, ALICE, stage.now(), looks=0, flaws=(Flaw.TOO_DARK,)))
    stage.later(0.5)
    stage.face(track(1, ALICE, stage.now(), looks=1, age_s=0.5))

    assert [("passed", (ALICE,))] == [call for call in stage.calls if call[0] == "passed"]


def test_way_out_opens_for_each_of_two_at_once() -> None:
    """Nobody waits for the other to be gone."""
    stage = Stage(WAY_OUT, (*PERMITS, permit(ERIN, name="erin", liveness=False)))
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    stage.later(0.1)
    stage.face(stage.seen(1, ALICE), stage.seen(2, ERIN))
    stage.face()

    assert [(ALICE,), (ERIN,)] == [decided.holders for decided in stage.ledger.decided]
    assert 2 == len(stage.pulses)


@pytest.mark.parametrize("part", ["register", "faces", "ledger"])
def test_whatever_hangs_nobody_on_the_way_out_waits_for_it(part: str) -> None:
    """A disk that does not answer: it opens within seconds, and once it answers all is recorded."""
    stage, answer = Stage(WAY_OUT), Event()

    def hang(*_: object) -> None:
        assert answer.wait(30)

    if part == "ledger":
        stage.ledger.before = hang
    else:
        getattr(stage, part).fault = hang
    begun_s = monotonic()
    for number in (1, 2):
        stage.face(stage.seen(number, ALICE if number == 1 else ERIN))
        stage.later(1.1)
        stage.face(track(number, ALICE if number == 1 else ERIN, stage.now(), age_s=1.1))
        stage.face()
        stage.later(20.0)
    waited_s = monotonic() - begun_s

    assert 2 == len(stage.pulses)
    assert waited_s < 3.0
    assert "red" in stage.observer.of(CameraId(WAY_OUT.id))
    answer.set()
    assert until(lambda: 4 == len(stage.ledger.kept))
    kinds = [type(event).__name__ for event in stage.ledger.kept]
    assert ["Decided", "Acted", "Decided", "Acted"] == kinds


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether something comes to hold in time."""
    end_s = monotonic() + timeout_s
    while not holds() and monotonic() < end_s:
        sleep(0.01)
    return holds()
