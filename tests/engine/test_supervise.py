"""What becomes of work that fails."""

import time
from collections.abc import Callable
from threading import Event, Timer

import pytest

from postern.core.errors import invalid
from postern.engine.supervise import BackOff, each, sentence, shielded, supervise
from tests.engine.doubles import unavailable

SHORT = BackOff(0.01, 0.02)


class Work:
    """Does one thing after another, one for each start; afterwards it succeeds."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.steps = list(steps)
        self.starts_s: list[float] = []

    def __call__(self) -> None:
        self.starts_s.append(time.monotonic())
        if len(self.starts_s) <= len(self.steps):
            self.steps[len(self.starts_s) - 1]()


def raises(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


def run(work: Work, back_off: BackOff = SHORT, stop: Event | None = None) -> list[tuple[str, str]]:
    """Supervises it to its end; gives what was told."""
    told: list[tuple[str, str]] = []
    supervise(work, lambda state, why: told.append((state, why)), stop or Event(), back_off)
    return told


def test_supervise_is_done_when_the_work_is() -> None:
    """Work that returns is not started again."""
    work = Work()

    assert ["finished"] == [state for state, _ in run(work)]
    assert 1 == len(work.starts_s)


@pytest.mark.parametrize("error", [unavailable("The camera is away."), RuntimeError("boom")])
def test_supervise_starts_again_what_may_succeed_later(error: Exception) -> None:
    """A passing failure and one that nobody foresaw are told and tried again."""
    work = Work(raises(error), raises(error))

    assert ["red", "red", "finished"] == [state for state, _ in run(work)]
    assert 3 == len(work.starts_s)


def test_supervise_ends_with_what_never_succeeds() -> None:
    """An error that retrying does not help is told once, with its hint, and stays the last word."""
    work = Work(raises(invalid("The file is damaged.", "Choose another.")))

    assert [("red", "The file is damaged. Choose another.")] == run(work)
    assert 1 == len(work.starts_s)


def test_supervise_does_not_tell_what_an_internal_fault_says() -> None:
    """Its text may hold anything: a path, a name, a plate."""
    told = run(Work(raises(RuntimeError("the plate B AB 123"))))

    assert ("red", "an internal fault (RuntimeError)") == told[0]


def test_supervise_waits_longer_after_each_failure() -> None:
    """The second wait is twice the first."""
    work = Work(*[raises(unavailable())] * 3)
    run(work, BackOff(0.1, 10.0))
    first, second, third = (
        later - earlier for earlier, later in zip(work.starts_s, work.starts_s[1:], strict=False)
    )

    assert first >= 0.1
    assert second >= 0.2
    assert third >= 0.4


def test_supervise_begins_anew_after_a_good_while() -> None:
    """What failed often long ago and ran well since is started again as fast as the first time."""

    def works_for_a_while() -> None:
        time.sleep(0.3)
        raise unavailable()

    fails = raises(unavailable())
    work = Work(fails, fails, fails, works_for_a_while)
    run(work, BackOff(0.05, 0.2))

    assert work.starts_s[4] - work.starts_s[3] < 0.3 + 0.15


def test_supervise_stops_while_it_waits() -> None:
    """Nobody waits for a back-off to pass."""
    stop = Event()
    Timer(0.1, stop.set).start()
    began_s = time.monotonic()
    work = Work(raises(unavailable()))
    run(work, BackOff(60.0, 60.0), stop)

    assert time.monotonic() - began_s < 5.0
    assert 1 == len(work.starts_s)


def test_supervise_starts_nothing_after_the_end() -> None:
    """Stopped before it began, it does not begin."""
    stop = Event()
    stop.set()
    work = Work()

    assert [] == run(work, stop=stop)
    assert [] == work.starts_s


def test_back_off_doubles_up_to_its_limit() -> None:
    """Also after so many failures that doubling on would overflow."""
    back_off = BackOff(1.0, 30.0)

    assert [1.0, 2.0, 4.0, 8.0, 16.0, 30.0] == [back_off.wait_s(n) for n in range(1, 7)]
    assert 30.0 == back_off.wait_s(100_000)


def test_shielded_gives_the_result_or_what_is_made_of_the_failure() -> None:
    """Whatever is raised, the caller goes on with something."""

    def fails(error: Exception) -> Callable[[], str]:
        def work() -> str:
            raise error

        return work

    assert "done" == shielded(lambda: "done", lambda why: why)
    assert "It is away." == shielded(fails(unavailable("It is away.")), lambda why: why)
    assert sentence(KeyError("x")) == shielded(fails(KeyError("x")), lambda why: why)


def test_each_step_is_taken_and_the_first_failure_is_told() -> None:
    """None of them waits for another to succeed."""
    taken: list[int] = []
    each(())
    with pytest.raises(ZeroDivisionError):
        each(
            (
                lambda: taken.append(1),
                lambda: 1 // 0,
                raises(unavailable()),
                lambda: taken.append(2),
            )
        )
    assert [1, 2] == taken
