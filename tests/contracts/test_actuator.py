"""What every kind of actuator must do, run over every row of KINDS.

A kind needs a bench here: how to make a sound one, and one that fails in either way, and how to
see from outside how often its relay was driven and whether it is driven now.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from postern.actuators import KINDS
from postern.actuators.simulated.actuator import Fault, SimulatedActuator
from postern.core.ids import AccessPointId
from postern.core.ports import Actuator, Command
from tests.clocks import SteppedClock


@dataclass(frozen=True, slots=True)
class Bench:
    """One actuator and a view of its relay.

    Attributes:
        actuator: What is tested.
        driven: How often the relay was driven.
        is_open: Whether it is driven now.
        wait: Lets so many seconds pass.
    """

    actuator: Actuator
    driven: Callable[[], int]
    is_open: Callable[[], bool]
    wait: Callable[[float], None]


def simulated(fault: Fault | None) -> Bench:
    """The simulated kind, made by its row of KINDS unless it shall fail."""
    clock = SteppedClock()
    kind = KINDS["simulated"]
    made = kind.open(kind.config(), clock, lambda _state, _why: None)
    actuator = made if fault is None else SimulatedActuator(clock, lambda _command: fault)
    assert isinstance(actuator, SimulatedActuator)
    return Bench(
        actuator,
        lambda: len(actuator.pulses),
        lambda: actuator.opened_until is not None,
        clock.advance,
    )


BENCHES: dict[str, Callable[[Fault | None], Bench]] = {"simulated": simulated}

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def command(name: str = "c-1", hold_s: float = 1.0) -> Command:
    """One order."""
    return Command(name, AccessPointId("door"), hold_s)


def test_every_kind_has_a_bench() -> None:
    """A new kind cannot be left out of this suite."""
    assert set(BENCHES) == set(KINDS)


@every_kind
def test_actuator_opens_for_a_command(kind: str) -> None:
    """A command is carried out and reported so, in one sentence."""
    bench = BENCHES[kind](None)

    report = bench.actuator.pulse(command())

    assert report.done
    assert report.detail
    assert bench.is_open()
    assert 1 == bench.driven()


@every_kind
def test_actuator_opens_once_for_the_same_command_id(kind: str) -> None:
    """A repeated command gives the same report and drives nothing, also after it closed."""
    bench = BENCHES[kind](None)
    first = bench.actuator.pulse(command())
    again = bench.actuator.pulse(command())
    bench.wait(1.5)
    later = bench.actuator.pulse(command())

    assert first == again == later
    assert 1 == bench.driven()
    assert not bench.is_open()


@every_kind
def test_actuator_opens_once_when_threads_race_with_one_id(kind: str) -> None:
    """The same command from eight threads is one pulse."""
    bench = BENCHES[kind](None)
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(bench.actuator.pulse, [command()] * 8))

    assert 1 == bench.driven()
    assert 1 == len(set(reports))


@every_kind
def test_actuator_opens_again_for_another_command(kind: str) -> None:
    """Two ids are two pulses."""
    bench = BENCHES[kind](None)
    bench.actuator.pulse(command("c-1"))
    bench.actuator.pulse(command("c-2"))

    assert 2 == bench.driven()


@every_kind
def test_actuator_closes_by_itself(kind: str) -> None:
    """Nobody has to come back to close it: the process that opened it may be dead."""
    bench = BENCHES[kind](None)
    bench.actuator.pulse(command(hold_s=2.0))

    bench.wait(1.5)
    assert bench.is_open()
    bench.wait(1.0)
    assert not bench.is_open()


@every_kind
def test_actuator_reports_a_failure(kind: str) -> None:
    """A device that does nothing is a report, not an exception, and is not tried again unasked."""
    bench = BENCHES[kind](Fault.FAILED)

    report = bench.actuator.pulse(command())

    assert not report.done
    assert report.detail
    assert not bench.is_open()
    assert report == bench.actuator.pulse(command())
    assert 0 == bench.driven()


@every_kind
def test_actuator_reports_a_failure_after_it_took_effect(kind: str) -> None:
    """The answer is lost after the relay moved: reported as failed, driven once, closes."""
    bench = BENCHES[kind](Fault.FAILED_AFTER_EFFECT)

    report = bench.actuator.pulse(command())

    assert not report.done
    assert report == bench.actuator.pulse(command())
    assert 1 == bench.driven()
    bench.wait(1.5)
    assert not bench.is_open()


@every_kind
@pytest.mark.parametrize("hold_s", [0.0, -1.0, 61.0, float("nan"), float("inf")])
def test_actuator_refuses_an_impossible_pulse(kind: str, hold_s: float) -> None:
    """A pulse that would never end, or never begin, is a failure and opens nothing."""
    bench = BENCHES[kind](None)

    assert not bench.actuator.pulse(command(hold_s=hold_s)).done
    assert not bench.is_open()
