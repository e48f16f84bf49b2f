"""An actuator whose device times its pulses, and what is said where it does not."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from postern.actuators import device_timed
from postern.actuators.device_timed import DeviceTimed
from postern.core.errors import Code, PosternError
from tests.actuators.bench import command, until


class Relay:
    """A relay with a timer that may fail, and a device that may be gone."""

    def __init__(self) -> None:
        self.until = 0.0
        self.stuck = self.gone = False
        self.takes_s = 0.0
        self.switched: list[bool] = []
        self.pulses: list[float] = []

    def pulse(self, hold_s: float, within_s: float) -> None:
        self._reach()
        time.sleep(min(self.takes_s, within_s))
        self.pulses.append(hold_s)
        self.until = time.monotonic() + hold_s

    def switch(self, on: bool) -> None:
        self._reach()
        self.switched.append(on)
        self.until = time.monotonic() + 1e9 if on else 0.0
        self.stuck = False

    def is_on(self) -> bool:
        self._reach()
        return self.stuck or time.monotonic() < self.until

    def _reach(self) -> None:
        if self.gone:
            raise PosternError(Code.UNAVAILABLE, "The device is gone.")


class Made:
    """The actuator, its relay, and what it said."""

    def __init__(self) -> None:
        self.relay = Relay()
        self.told: list[tuple[str, str]] = []
        self.actuator = DeviceTimed(self.relay, lambda *news: self.told.append(news))

    def last(self) -> str:
        return self.told[-1][0] if self.told else ""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """One that looks often."""
    monkeypatch.setattr(device_timed, "LOOK_S", 0.1)
    monkeypatch.setattr(device_timed, "GRACE_S", 0.1)
    made = Made()
    assert until(lambda: made.last() == "ok")
    yield made
    made.actuator.close()


def test_pulse_that_ends_is_told_of_no_more(made: Made) -> None:
    """It was well before, and is."""
    assert made.actuator.pulse(command(hold_s=0.2)).done
    time.sleep(0.6)

    assert [("ok", "The relay is off and answers.")] == made.told
    assert [] == made.relay.switched


def test_relay_that_is_on_after_its_pulse_is_told_and_switched_off(made: Made) -> None:
    """Until it is off."""
    made.relay.stuck = True
    made.actuator.pulse(command(hold_s=0.2))

    assert until(
        lambda: made.told[-1] == ("ok", "The relay is off and answers.") and len(made.told) > 1
    )
    assert any("stuck" in why for state, why in made.told if state == "red")
    assert False in made.relay.switched


def test_device_that_is_gone_after_its_pulse_is_told_until_it_is_back(made: Made) -> None:
    """Nobody can tell meanwhile whether it is off."""
    made.actuator.pulse(command(hold_s=0.2))
    made.relay.gone = True

    assert until(lambda: "whether the relay is off: The device is gone." in made.told[-1][1])
    made.relay.gone = False
    assert until(lambda: made.last() == "ok")
    assert [] == made.relay.switched


def test_device_that_is_gone_while_nothing_is_driven_is_told(made: Made) -> None:
    """And when it is back."""
    made.relay.gone = True
    assert until(lambda: made.last() == "red")
    made.relay.gone = False
    assert until(lambda: made.last() == "ok")


def test_relay_that_somebody_switched_on_by_hand_is_told_and_left(made: Made) -> None:
    """They mean it."""
    made.relay.until = time.monotonic() + 1e9

    assert until(lambda: made.last() == "red")
    time.sleep(0.3)
    assert "not by an order of Postern's" in made.told[-1][1]
    assert [] == made.relay.switched


def test_shorter_pulse_within_a_longer_one_asks_for_what_is_left(made: Made) -> None:
    """The device's timer would begin anew."""
    made.actuator.pulse(command("a", 5.0))
    made.actuator.pulse(command("b", 1.0))

    assert 5.0 == made.relay.pulses[0]
    assert 4.0 < made.relay.pulses[1] <= 5.0


def test_pulse_that_failed_is_looked_after_all_the_same(made: Made) -> None:
    """It may have taken effect."""
    made.relay.gone = True
    assert not made.actuator.pulse(command(hold_s=0.2)).done
    assert until(lambda: "whether the relay is off" in made.told[-1][1])
    made.relay.stuck, made.relay.gone = True, False

    assert until(lambda: made.last() == "ok")
    assert [False] == made.relay.switched


def test_order_that_would_be_late_is_not_sent(made: Made) -> None:
    """Five at once at a device that is slow: nobody stands there any more for the last of them."""
    made.relay.takes_s = 0.8
    with ThreadPoolExecutor(5) as pool:
        began_s = time.monotonic()
        reports = list(pool.map(made.actuator.pulse, [command(str(n)) for n in range(5)]))
        took_s = time.monotonic() - began_s

    assert [True, False, False, False, False] == sorted((r.done for r in reports), reverse=True)
    assert 1 == len(made.relay.pulses)
    assert took_s < 2.0


def test_closing_switches_off_what_is_driven_and_nothing_else(made: Made, tmp_path: Path) -> None:
    """Twice does no harm."""
    made.actuator.pulse(command(hold_s=30.0))
    made.actuator.close()
    made.actuator.close()

    assert [False] == made.relay.switched
