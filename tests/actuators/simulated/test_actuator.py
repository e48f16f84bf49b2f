"""The actuator without a device; what every kind must do is in contracts/test_actuator.py."""

import pytest

from postern.actuators.once import REMEMBERED
from postern.actuators.simulated.actuator import Fault, SimulatedActuator
from postern.core.ids import AccessPointId
from postern.core.ports import Command
from tests.clocks import SteppedClock


def command(name: str, hold_s: float = 1.0) -> Command:
    """An order to the one door of these tests."""
    return Command(name, AccessPointId("door"), hold_s)


def test_simulated_is_closed_before_it_is_driven() -> None:
    """Nothing opens by itself."""
    assert SimulatedActuator(SteppedClock()).opened_until is None


def test_simulated_closes_when_the_pulse_ends() -> None:
    """Open up to the end of the pulse, and not at it."""
    clock = SteppedClock()
    actuator = SimulatedActuator(clock)
    actuator.pulse(command("a", 2.0))
    end = clock.now().plus(2.0)

    clock.advance(1.9)
    assert end == actuator.opened_until
    clock.advance(0.1)
    assert actuator.opened_until is None


def test_simulated_stays_open_for_the_longest_of_several_pulses() -> None:
    """A shorter pulse within a longer one does not close early."""
    clock = SteppedClock()
    actuator = SimulatedActuator(clock)
    actuator.pulse(command("a", 5.0))
    actuator.pulse(command("b", 1.0))

    assert clock.now().plus(5.0) == actuator.opened_until


def test_simulated_keeps_a_bounded_history() -> None:
    """The oldest pulses are forgotten."""
    actuator = SimulatedActuator(SteppedClock())
    for number in range(REMEMBERED + 5):
        actuator.pulse(command(str(number)))

    assert REMEMBERED == len(actuator.pulses)
    assert "5" == actuator.pulses[0].command.id


def test_simulated_knows_the_last_ids_only() -> None:
    """An id among the last ones opens nothing again; the oldest was forgotten."""
    actuator = SimulatedActuator(SteppedClock())
    for number in range(REMEMBERED + 1):
        actuator.pulse(command(str(number)))

    actuator.pulse(command("1"))
    assert str(REMEMBERED) == actuator.pulses[-1].command.id
    actuator.pulse(command("0"))
    assert "0" == actuator.pulses[-1].command.id


@pytest.mark.parametrize(("fault", "opens"), [(Fault.FAILED, 0), (Fault.FAILED_AFTER_EFFECT, 1)])
def test_simulated_fails_as_told(fault: Fault, opens: int) -> None:
    """Both failures report the same, and only one of them moved anything."""
    actuator = SimulatedActuator(SteppedClock(), lambda c: fault if c.id == "bad" else None)

    report = actuator.pulse(command("bad"))
    assert not report.done
    assert "The simulated actuator did not answer." == report.detail
    assert opens == len(actuator.pulses)
    assert actuator.pulse(command("good")).done
