"""Threads that get on, wait for a disk, rest, or never move again."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from postern.engine.progress import Progress


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@contextmanager
def waiting_outside(progress: Progress, *, watched: bool = True) -> Iterator[None]:
    """Another thread waits outside meanwhile."""
    there, end = Event(), Event()

    def wait() -> None:
        if watched:
            progress.step()
        with progress.outside():
            there.set()
            end.wait(5.0)
        progress.rest()

    thread = Thread(target=wait)
    thread.start()
    assert there.wait(5.0)
    yield
    end.set()
    thread.join()


def test_thread_that_gets_on_is_not_stuck() -> None:
    """Its time begins anew at every step."""
    clock = Clock()
    progress = Progress(clock)
    for _ in range(5):
        progress.step()
        clock.s += 20.0

    assert 20.0 == progress.stuck_s()
    assert 0.0 == progress.outside_s()


def test_thread_that_nobody_heard_of_is_not_waited_for() -> None:
    """Nor one that rests, or has ended."""
    clock = Clock()
    progress = Progress(clock)
    progress.step()
    clock.s += 20.0

    assert 20.0 == progress.stuck_s()
    progress.rest()
    assert 0.0 == progress.stuck_s()


def test_wait_for_a_disk_is_told_apart() -> None:
    """And whoever waits for the one that waits is not stuck either."""
    clock = Clock()
    progress = Progress(clock)
    progress.step()
    with waiting_outside(progress):
        clock.s += 20.0
        assert (0.0, 20.0) == (progress.stuck_s(), progress.outside_s())

    assert (20.0, 0.0) == (progress.stuck_s(), progress.outside_s())


def test_end_of_a_wait_is_a_step() -> None:
    """However long it took; also where it failed."""
    clock = Clock()
    progress = Progress(clock)
    progress.step()
    try:
        with progress.outside():
            clock.s += 20.0
            raise OSError
    except OSError:
        pass

    assert (0.0, 0.0) == (progress.stuck_s(), progress.outside_s())


def test_thread_aside_that_waits_hides_nothing() -> None:
    """An exit's records are written by a thread that nobody waits for."""
    clock = Clock()
    progress = Progress(clock)
    progress.step()
    with waiting_outside(progress, watched=False):
        clock.s += 20.0
        assert (20.0, 0.0) == (progress.stuck_s(), progress.outside_s())
