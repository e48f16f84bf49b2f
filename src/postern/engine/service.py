"""Every lane of a site, from start to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Semaphore
from time import monotonic

from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Decided, Interrupted, Released
from postern.core.ids import AccessPointId, CameraId
from postern.core.look import Kind
from postern.core.ports import Clock, Ledger, Report
from postern.engine.attendance import Attendance
from postern.engine.lane import Lane
from postern.engine.ports import Eye, Observer
from postern.engine.supervise import BackOff
from postern.engine.watch import STOP_S, Count, Watch


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
        workers: How many cameras are looked at at once, at least 1; one per core.
        back_off: How long to wait before a camera that failed is started again.
        attendance: Inputs, and who stands beside each door.

    Raises:
        PosternError: `invalid` where nobody could look, an access point has two lanes (each would
            open it for the same passer-by), or a lane has a camera twice or with one that looks
            for the same kind twice (their tracks would mix).
    """

    def __init__(
        self,
        posts: Sequence[Post],
        observer: Observer,
        workers: int,
        back_off: BackOff | None = None,
        attendance: Attendance | None = None,
    ) -> None:
        _check(posts, workers)
        self._attendance = attendance or Attendance()
        self._lanes = {post.lane.access_point.id: post.lane for post in posts}
        desks = Semaphore(workers)
        self._watches = tuple(
            Watch(eye, post.lane.see, observer.health, desks, back_off, post.lane.progress)
            for post in posts
            for eye in post.eyes
        )

    def start(self) -> None:
        """Starts every camera and input."""
        self._attendance.start()
        for watch in self._watches:
            watch.start()

    def release(self, access_point: AccessPointId, by: str, why: str) -> Report:
        """Opens an access point without recognising anybody; as `Lane.release`.

        Raises:
            PosternError: `not_found` where the site has none of that name.
        """
        lane = self._lanes.get(access_point)
        if lane is None:
            known = ", ".join(self._lanes)
            raise PosternError(
                Code.NOT_FOUND,
                f"There is no access point called {access_point!r}.",
                f"Known: {known}.",
            )
        return lane.release(by, why)

    def stop(self) -> None:
        """Stops every camera within about a second, and never waits longer than `STOP_S`.

        No frame is decided on that comes later; a grant that is being recorded is carried through.
        """
        for watch in self._watches:
            watch.halt()
        self._attendance.halt()
        deadline_s = monotonic() + STOP_S
        for watch in self._watches:
            watch.join(max(0.0, deadline_s - monotonic()))
        self._attendance.join(deadline_s)
        for lane in self._lanes.values():
            lane.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until every source has ended; False where one has not in time."""
        deadline_s = None if timeout_s is None else monotonic() + timeout_s
        for watch in self._watches:
            left_s = None if deadline_s is None else max(0.0, deadline_s - monotonic())
            if not watch.wait(left_s):
                return False
        return True

    @property
    def holding(self) -> bool:
        """Whether any access point is held open now, by order or by fire."""
        return self._attendance.holding

    def alive(self) -> bool:
        """Whether every lane gets on, or is known to be down; tells whose does not.

        While it is not, nothing but a start will help.
        """
        return all([lane.gets_on() for lane in self._lanes.values()])

    @property
    def counts(self) -> tuple[Count, ...]:
        """What has been done so far, by camera; one that two lanes share is there twice."""
        return tuple(watch.count for watch in self._watches)

    @property
    def dropped(self) -> int:
        """How many frames were replaced by newer ones before they were looked at."""
        return sum(watch.dropped for watch in self._watches)


def _check(posts: Sequence[Post], workers: int) -> None:
    if workers < 1:
        raise invalid("At least one camera must be looked at at a time.")
    places = [post.lane.access_point.id for post in posts]
    if len(set(places)) != len(places):
        raise invalid("An access point has one lane.", "Give each access point a name of its own.")
    if any(_repeats(spots) for spots in map(_spots, posts)):
        raise invalid("A lane has a camera twice.", "Give each camera a name of its own.")


def _spots(post: Post) -> list[tuple[CameraId, Kind]]:
    """Every camera of a lane with each kind that it looks for."""
    return [(eye.camera, reader.kind) for eye in post.eyes for reader in eye.readers]


def _repeats(spots: list[tuple[CameraId, Kind]]) -> bool:
    return len(set(spots)) != len(spots)


def close_interrupted(
    unfinished: Sequence[Decided | Released], ledger: Ledger, clock: Clock
) -> int:
    """Closes grants and releases whose actuator's answer was never seen; gives how many.

    Raises:
        PosternError: `unavailable` where the ledger cannot be written now.
    """
    for grant in unfinished:
        ledger.append(Interrupted(clock.now().utc, grant.access_point, grant.attempt))
    return len(unfinished)
