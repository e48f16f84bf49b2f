"""The way out where a site's store, keys or log cannot be opened: on a full disk, say.

Nobody is recognised, nothing is recorded, and no entry opens for whoever comes; but whoever stands
before an exit is let out, whoever presses a button too, and by fire it opens what opens by fire, as
when the disk fails while the service runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Never
from uuid import uuid4

from postern.app.board import AtAccessPoint
from postern.app.clock import SystemClock
from postern.app.machine import is_served
from postern.app.site import Site
from postern.app.wire.installation import Installation, open_models
from postern.app.wire.parts import Parts
from postern.app.wire.service import build_actuators, build_attendance, build_eye, workers
from postern.core.access_point import AccessPoint, Direction
from postern.core.errors import PosternError
from postern.core.ids import AttemptId
from postern.core.signal import Means
from postern.engine.lane import Lane
from postern.engine.ports import Observer
from postern.engine.service import Post, Service


@contextmanager
def open_way_out(site: Site, observer: Observer, error: PosternError) -> Iterator[Service]:
    """A service of the site's exits, buttons and fire panels, not started yet; stopped at the end.

    Args:
        site: What `site.toml` says.
        observer: Who watches.
        error: Why nothing else can be opened.

    Raises:
        PosternError: `error` where the site has nothing by which anybody could be let out, or is
            served already; where a model is missing or wrong.
    """
    if not _lets_out(site) or is_served(site.data):
        raise error
    gone: Any = _Unopened(error)
    installation = Installation(
        site, gone, gone, gone, b"", open_models(site.models), SystemClock()
    )
    parts, actuators = Parts(installation), build_actuators(installation, observer)

    def post(point: AccessPoint) -> Post:
        cameras = point.cameras if point.direction is Direction.EXIT else ()
        eyes = tuple(build_eye(installation, camera, parts) for camera in cameras)
        matchers = {reader.kind: gone for eye in eyes for reader in eye.readers}
        lane = Lane(
            point, gone, matchers, gone, gone, actuators[point.id], installation.clock,
            AtAccessPoint(site, point.id, observer), lambda: AttemptId(uuid4().hex),
        )  # fmt: skip
        return Post(lane, eyes)

    posts = [post(point) for point in site.access_points.values()]
    attendance = build_attendance(installation, [one.lane for one in posts], actuators, observer)
    service = Service(posts, observer, workers(), attendance=attendance)
    for one in posts:
        if one.lane.access_point.direction is Direction.ENTRY:
            one.lane.unrecorded(f"it stays shut: {error}")
    try:
        yield service
    finally:
        service.stop()


def _lets_out(site: Site) -> bool:
    """Whether there is anything by which somebody could be let out without the site's data."""
    points, means = site.access_points.values(), {one.means for one in site.inputs.values()}
    return (
        any(point.direction is Direction.EXIT for point in points)
        or Means.REQUEST_TO_EXIT in means
        or (Means.FIRE in means and any(point.opens_in_evacuation for point in points))
    )


class _Unopened:
    """Stands for what could not be opened: whatever is asked of it fails for the same reason."""

    def __init__(self, error: PosternError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Never:
        # A new one each time: one that is raised again and again grows.
        raise PosternError(self._error.code, self._error.message, self._error.hint)
