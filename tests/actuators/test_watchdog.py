"""What a watchdog does with its relay, step by step on a clock that is moved."""

from itertools import groupby

import pytest

from postern.actuators.orders import Answer, Condition, Hello, Message, Off, Order, decode, encode
from postern.actuators.watchdog import LOOK_S, Watchdog, serve
from postern.core.errors import Code, PosternError


class Contact:
    """A relay that can be stuck, gone, or deaf after it took effect."""

    def __init__(self, on: bool = False) -> None:
        self.on = on
        self.gone = self.stuck = self.mute = self.dead = False
        self.switched: list[bool] = []

    def switch(self, on: bool) -> None:
        self._reach()
        self.switched.append(on)
        if not (self.stuck and not on) and not (self.dead and on):
            self.on = on
        if self.mute:
            raise PosternError(Code.UNAVAILABLE, "The answer is lost.")

    def is_on(self) -> bool:
        self._reach()
        return self.on

    def _reach(self) -> None:
        if self.gone:
            raise PosternError(Code.UNAVAILABLE, "The board is gone.")


class Yard:
    """A watchdog, its relay, its clock, and what it said."""

    def __init__(self, on: bool = False) -> None:
        self.contact = Contact(on)
        self.now = 100.0
        self.said: list[Message] = []
        self.watchdog = Watchdog(self.contact, self.said.append, lambda: self.now)

    def started(self) -> "Yard":
        self.watchdog.work()
        self.said.clear()
        return self

    def order(self, name: str = "a", hold_s: float = 1.0, until_s: float = 1e9) -> Answer:
        self.watchdog.order(Order(name, hold_s, until_s))
        answer = self.said[-1]
        assert isinstance(answer, Answer)
        return answer

    def sleep(self, seconds: float) -> None:
        """Works whenever the watchdog says that something is due."""
        end = self.now + seconds
        while self.now + self.watchdog.due_in() <= end:
            self.now += self.watchdog.due_in()
            self.watchdog.work()
        self.now = end

    def conditions(self) -> list[str]:
        """The state of each condition that is not the one before."""
        told = (one for one in self.said if isinstance(one, Condition))
        return [one.state for one, _ in groupby(told)]


def test_relay_that_is_off_at_the_start_is_not_touched() -> None:
    """It is asked, and told to be well."""
    yard = Yard()
    yard.watchdog.work()

    assert [] == yard.contact.switched
    assert ["ok"] == yard.conditions()
    assert yard.watchdog.is_off


def test_relay_that_is_on_at_the_start_is_switched_off_and_told() -> None:
    """Both processes died, or the power was cut, in the middle of a pulse."""
    yard = Yard(on=True)
    yard.watchdog.work()

    assert not yard.contact.on
    assert ["red", "ok"] == yard.conditions()
    assert "found on at the start" in str(yard.said[0])


def test_relay_that_cannot_be_asked_at_the_start_is_asked_again() -> None:
    """And is switched off once it answers; it is told at each try that it does not."""
    yard = Yard(on=True)
    yard.contact.gone = True
    yard.sleep(30.0)
    assert ["red"] == yard.conditions()
    assert len(yard.said) > 10
    assert not yard.watchdog.is_off

    yard.contact.gone = False
    yard.sleep(3.0)
    assert not yard.contact.on
    assert ["red", "red", "ok"] == yard.conditions()


def test_pulse_is_held_and_ended() -> None:
    """Not a moment longer."""
    yard = Yard().started()

    assert Answer("a", True, "The relay is on for 2 s.") == yard.order(hold_s=2.0)
    yard.sleep(1.9)
    assert yard.contact.on
    yard.sleep(0.1)
    assert not yard.contact.on
    assert Off() == yard.said[-1]
    assert [] == yard.conditions()


def test_longest_pulse_counts() -> None:
    """A shorter one within it ends nothing."""
    yard = Yard().started()
    yard.order("a", 5.0)
    yard.order("b", 1.0)

    yard.sleep(4.9)
    assert yard.contact.on
    yard.sleep(0.2)
    assert not yard.contact.on


def test_order_that_comes_too_late_opens_nothing() -> None:
    """Whoever it was for has been told that it failed; a time that is no number is too late."""
    for until_s in (99.9, 100.0, float("nan")):
        yard = Yard().started()
        assert not yard.order(until_s=until_s).done
        assert [] == yard.contact.switched


def test_relay_that_does_not_come_on_is_a_failure() -> None:
    """It says so itself when it is asked; it is switched off all the same."""
    yard = Yard().started()
    yard.contact.dead = True

    assert not yard.order().done
    yard.sleep(1.0)
    assert [True, False] == yard.contact.switched
    assert ["red", "ok"] == yard.conditions()


def test_relay_whose_answer_is_lost_is_a_failure_and_is_ended_in_time() -> None:
    """It took effect; what counts at the end is what it says when it is asked."""
    yard = Yard().started()
    yard.contact.mute = True

    assert Answer("a", False, "The answer is lost.") == yard.order()
    yard.sleep(0.9)
    assert yard.contact.on
    yard.sleep(0.1)
    assert not yard.contact.on
    assert ["red", "ok"] == yard.conditions()


@pytest.mark.parametrize("trouble", ["stuck", "gone"])
def test_relay_that_does_not_go_off_is_told_and_tried_again(trouble: str) -> None:
    """Often at first, then every two seconds; told at each try, and when it is off."""
    yard = Yard().started()
    yard.order()
    setattr(yard.contact, trouble, True)
    yard.sleep(61.0)

    assert ["red"] == yard.conditions()
    assert "stuck" in str(yard.said[-1])
    if trouble == "stuck":
        assert 30 < len(yard.contact.switched) < 60
    setattr(yard.contact, trouble, False)
    yard.sleep(2.0)
    assert not yard.contact.on
    assert ["red", "ok"] == yard.conditions()
    assert yard.watchdog.is_off


def test_device_that_goes_away_while_nothing_is_driven_is_told() -> None:
    """Within ten seconds, and when it is back."""
    yard = Yard().started()
    yard.contact.gone = True
    yard.sleep(LOOK_S)
    assert ["red"] == yard.conditions()
    yard.contact.gone = False
    yard.sleep(LOOK_S)
    assert ["red", "ok"] == yard.conditions()


def test_relay_that_somebody_switched_on_by_hand_is_told_and_left() -> None:
    """They mean it."""
    yard = Yard().started()
    yard.contact.on = True
    yard.sleep(3 * LOOK_S)

    assert ["red"] == yard.conditions()
    assert [] == yard.contact.switched


def test_watchdog_without_orders_switches_off_before_it_ends() -> None:
    """Its input has ended in the middle of a pulse."""
    yard = Yard().started()
    serve(yard.watchdog, iter([encode(Order("a", 60.0, 1e9)), None]))

    assert [True, False] == yard.contact.switched
    assert yard.watchdog.is_off


def test_watchdog_that_fails_in_a_way_nobody_foresaw_switches_off_before_it_ends() -> None:
    """A line that is no order, in the middle of a pulse."""
    yard = Yard().started()
    with pytest.raises(ValueError, match="Expecting value"):
        serve(yard.watchdog, iter([encode(Order("a", 60.0, 1e9)), b"nonsense"]))

    assert [True, False] == yard.contact.switched


@pytest.mark.parametrize(
    "message",
    [
        Hello("modbus", {"address": "192.0.2.7", "coil": 3, "password": 'x"\n'}, 17),
        Order("a", 1.5, 1234.5),
        Answer("a", False, "It failed."),
        Condition("red", "It is stuck."),
        Off(),
    ],
)
def test_messages_are_one_line_each(message: Message) -> None:
    """And come out as they went in."""
    line = encode(message)

    assert 1 == line.count(b"\n")
    assert line.endswith(b"\n")
    assert message == decode(line)
