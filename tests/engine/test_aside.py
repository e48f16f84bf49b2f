"""Work aside: in order, and waited for no longer than is said."""

from functools import partial
from threading import Event
from time import monotonic

from postern.engine import aside
from postern.engine.aside import Aside


def test_what_is_done_in_time_is_answered() -> None:
    """One after the other."""
    done: list[int] = []
    worker = Aside(patience_s=10.0)

    answers = [worker.do(partial(_note, done, number), lambda: -1) for number in range(50)]

    assert list(range(50)) == answers == done


def test_what_takes_too_long_is_waited_for_once_and_done_all_the_same() -> None:
    """What comes behind it is not waited for; once it is through, things are as before."""
    worker, go, done = Aside(patience_s=0.2), Event(), list[int]()
    begun_s = monotonic()
    first = worker.do(partial(_note, done, 0, go), lambda: -1)
    behind = [worker.do(partial(_note, done, number), lambda: -1) for number in range(1, 101)]

    assert (-1, [-1] * 100) == (first, behind)
    assert 0.2 <= monotonic() - begun_s < 5.0
    go.set()
    while len(done) < 101:
        assert monotonic() - begun_s < 20.0
    assert list(range(101)) == done
    assert "in time" == worker.do(lambda: "in time", lambda: "late")


def test_no_more_waits_than_there_is_room_for() -> None:
    """A disk that hangs for days does not fill the memory."""
    worker, go = Aside(patience_s=0.0), Event()
    done: list[int] = []
    for number in range(aside.MOST + 50):
        worker.do(partial(_note, done, number, go), lambda: -1)
    go.set()

    begun_s = monotonic()
    while len(done) < aside.MOST:
        assert monotonic() - begun_s < 20.0
    assert list(range(aside.MOST)) == done[: aside.MOST]
    assert len(done) <= aside.MOST + 1


def _note(done: list[int], number: int, go: Event | None = None) -> int:
    assert go is None or go.wait(30)
    done.append(number)
    return number
