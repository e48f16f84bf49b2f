"""Every lane of a site, from start to stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Semaphore
from time import monotonic

from postern.core.event import Decided, Interrupted
from postern.core.ids import AccessPointId
from postern.core.ports import Clock, Ledger
from postern.engine.lane import Lane
from postern.engine.ports import Eye, Observer
from postern.engine.watch import Watch


@dataclass(frozen=True, slots=True)
class Post:
    """An access point's lane with its cameras."""

    lane: Lane
    eyes: tuple[Eye, ...]


class Service:
    """Runs the lanes of a site.

    Args:
        posts: Its access points.
        observer: Who watches.
        workers: How many cameras are looked at at once; one per core.
    """

    def __init__(self, posts: Sequence[Post], observer: Observer, workers: int) -> None:
        desks = Semaphore(workers)
        self._watches: Mapping[AccessPointId, tuple[Watch, ...]] = {
            post.lane.access_point.id: tuple(
                Watch(eye, post.lane.see, observer.health, desks) for eye in post.eyes
            )
            for post in posts
        }

    def start(self) -> None:
        """Starts every camera."""
        for watch in self._all():
            watch.start()

    def stop(self) -> None:
        """Stops every camera; what is under way is not granted any more."""
        for watch in self._all():
            watch.stop()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until every source has ended; False where one has not in time."""
        deadline = None if timeout_s is None else monotonic() + timeout_s
        for watch in self._all():
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not watch.wait(left):
                return False
        return True

    @property
    def dropped(self) -> int:
        """How many frames were replaced by newer ones before they were looked at."""
        return sum(watch.dropped for watch in self._all())

    def _all(self) -> tuple[Watch, ...]:
        return tuple(watch for watches in self._watches.values() for watch in watches)


def close_interrupted(unfinished: Sequence[Decided], ledger: Ledger, clock: Clock) -> int:
    """Closes the grants whose actuator's answer was never seen; gives how many there were.

    Raises:
        PosternError: `unavailable` where the ledger cannot be written now.
    """
    for grant in unfinished:
        ledger.append(Interrupted(clock.now().utc, grant.access_point, grant.attempt))
    return len(unfinished)
