"""The same command is carried out once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest

from postern.actuators.once import REMEMBERED, Once
from postern.core.errors import Code, PosternError
from postern.core.ports import Command, Report
from tests.actuators.bench import command

DONE = Report(True, "It opened.")


class Driven:
    """Counts what it is asked to carry out."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def __call__(self, one: Command) -> Report:
        self.ids.append(one.id)
        return Report(True, f"It opened for {one.id}.")


def test_once_repeats_the_first_report() -> None:
    """Whatever came between."""
    driven = Driven()
    once = Once(driven)

    first = once.pulse(command("a"))
    once.pulse(command("b"))
    assert first == once.pulse(command("a"))
    assert ["a", "b"] == driven.ids


def test_once_remembers_a_bounded_number() -> None:
    """An id among the last ones drives nothing again; the oldest was forgotten."""
    driven = Driven()
    once = Once(driven)
    for number in range(REMEMBERED + 1):
        once.pulse(command(str(number)))

    once.pulse(command("1"))
    assert str(REMEMBERED) == driven.ids[-1]
    once.pulse(command("0"))
    assert "0" == driven.ids[-1]


def test_once_has_a_repetition_wait_for_the_first() -> None:
    """And another command waits for neither: the gates of one board do not hold up each other."""
    go, ids = Flag(), []

    def drive(one: Command) -> Report:
        ids.append(one.id)
        if one.id == "slow":
            assert go.wait(20)
        return DONE

    once = Once(drive)
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(once.pulse, command("slow")) for _ in range(2)]
        assert DONE == pool.submit(once.pulse, command("other")).result(20)
        assert not any(one.done() for one in slow)
        go.set()
        assert [DONE, DONE] == [one.result(20) for one in slow]
    assert ["other", "slow"] == sorted(ids)


def test_once_reports_an_error_of_ours() -> None:
    """In its own words; it stays the report of that command."""
    errors = iter([PosternError(Code.UNAVAILABLE, "The board is gone.", "Mend it.")])

    def drive(_one: Command) -> Report:
        raise next(errors)

    once = Once(drive)
    assert Report(False, "The board is gone.") == once.pulse(command())
    assert Report(False, "The board is gone.") == once.pulse(command())


def test_once_lets_nobody_wait_for_ever_for_an_error_of_another_kind() -> None:
    """Whoever repeats the command is told that it failed."""

    def drive(_one: Command) -> Report:
        raise ZeroDivisionError

    once = Once(drive)
    with pytest.raises(ZeroDivisionError):
        once.pulse(command())
    assert not once.pulse(command()).done


@pytest.mark.parametrize("hold_s", [0.0, -1.0, 60.1, float("nan"), float("inf")])
def test_once_drives_nothing_for_an_impossible_pulse(hold_s: float) -> None:
    """NaN included."""
    driven = Driven()

    assert not Once(driven).pulse(command(hold_s=hold_s)).done
    assert [] == driven.ids
