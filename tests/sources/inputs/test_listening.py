"""Contacts bounce, and devices keep readers waiting: what is told of them, and when it ends."""

from collections.abc import Iterator
from threading import Event, enumerate
from time import monotonic, sleep

import pytest

from postern.core.errors import Code, PosternError
from postern.core.signal import Signal
from postern.sources.inputs.listening import MOST, Debounce, Hear, Listening, check_debounce
from tests.clocks import MachineClock
from tests.people import moment


def told(debounce: Debounce, *heard: tuple[float, bool]) -> list[tuple[bool, float]]:
    """What comes of states at so many seconds: the signals, each with when its state began."""
    found = (debounce.hear(level, True, moment(at)) for at, level in heard)
    return [(one.active, round(one.at.since(moment()), 3)) for one in found if one is not None]


def test_only_changes_are_told_after_the_present_state() -> None:
    """Without a wait at once."""
    found = told(Debounce(0.0, False), (0, False), (1, False), (2, True), (3, True), (4, False))

    assert [(False, 0.0), (True, 2.0), (False, 4.0)] == found


def test_inverted_contact_is_active_while_it_is_open() -> None:
    """A wire that is cut looks like an alarm, which is the point of it."""
    assert [(True, 0.0), (False, 1.0)] == told(Debounce(0.0, True), (0, False), (1, True))


def test_state_that_does_not_last_is_not_told() -> None:
    """Bounces before and after a change; the change counts from when it last began."""
    bounces = ((0, False), (1, False), (2, True), (2.02, False), (2.04, True), (2.1, True),
               (2.2, True), (3, False), (3.02, True), (4, True))  # fmt: skip

    found = told(Debounce(0.1, False), *bounces)
    assert [(False, 0.0), (True, 2.04)] == found


def test_first_state_is_no_news_and_what_follows_is() -> None:
    """Also where it changes before the first was told."""
    debounce = Debounce(0.1, False)
    heard = [(False, False, 0.0), (True, True, 0.05), (True, True, 0.2)]
    signals = [debounce.hear(level, live, moment(at)) for level, live, at in heard]

    assert [None, None, Signal(True, moment(0.05), True)] == signals


@pytest.mark.parametrize("seconds", [-0.1, 10.1, float("nan")])
def test_debounce_has_limits(seconds: float) -> None:
    """Longer is no bounce."""
    with pytest.raises(PosternError):
        check_debounce(seconds)


def listening(listen) -> Listening:
    """A device that is read as a test says."""
    return Listening("test-input", listen, lambda: Debounce(0.0, False), MachineClock())


def taken(signals: Iterator[Signal | None]) -> Signal:
    """The next signal."""
    found = next(signals)
    assert found is not None
    return found


def test_device_that_never_answers_is_closed_within_a_second() -> None:
    """Whoever iterates does not wait for it."""
    go = Event()
    source = listening(lambda hear, stop: _hang(go))
    begun_s = monotonic()
    source.close()
    assert [] == list(source.signals())

    assert monotonic() - begun_s < 1.0
    go.set()


def test_closing_from_another_thread_ends_it_and_leaves_no_thread() -> None:
    """Within a second; closing twice is fine."""
    before = set(enumerate())

    def listen(hear: Hear, stop: Event) -> None:
        hear(True, False)
        stop.wait()

    source = listening(listen)
    signals = source.signals()
    assert taken(signals).active
    source.close()
    source.close()
    begun_s = monotonic()
    assert [] == list(signals)

    assert monotonic() - begun_s < 1.0
    while set(enumerate()) - before:
        assert monotonic() - begun_s < 10.0
        sleep(0.01)


def test_failure_is_raised_where_it_is_iterated_and_it_may_be_called_again() -> None:
    """What came before the failure comes first."""
    starts: list[int] = []

    def listen(hear: Hear, stop: Event) -> None:
        starts.append(1)
        hear(True, False)
        raise PosternError(Code.UNAVAILABLE, "It is gone.")

    source = listening(listen)
    for count in (1, 2):
        signals = source.signals()
        assert taken(signals).active
        with pytest.raises(PosternError, match="gone"):
            next(signals)
        assert count == len(starts)


def test_what_nobody_takes_is_bounded_and_nothing_of_it_is_lost() -> None:
    """The reader waits for whoever is busy."""

    def listen(hear: Hear, stop: Event) -> None:
        for number in range(3 * MOST):
            hear(number % 2 == 1, True)
        stop.wait()

    source = listening(listen)
    signals = source.signals()
    found = [taken(signals)]
    sleep(0.3)
    found += [taken(signals) for _ in range(3 * MOST - 1)]
    source.close()

    assert [number % 2 == 1 for number in range(3 * MOST)] == [one.active for one in found]


def _hang(go: Event) -> None:
    assert go.wait(30)
