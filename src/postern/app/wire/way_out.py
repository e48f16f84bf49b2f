"""The way out where a site's store, keys or log cannot be opened: on a full disk, say.

Nobody is recognised, nothing is recorded, and every entry stays shut; but whoever stands before an
exit is let out, as they are when the disk fails while the service runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Never
from uuid import uuid4

from postern.app.board import AtAccessPoint, told_as
from postern.app.clock import SystemClock
from postern.app.machine import is_served
from postern.app.site import Site
from postern.app.wire.installation import Installation, open_models
from postern.app.wire.parts import Parts
from postern.app.wire.service import build_actuators, build_eye, workers
from postern.core.access_point import AccessPoint, Direction
from postern.core.errors import PosternError
from postern.core.ids import AttemptId, CameraId
from postern.engine.lane import Lane
from postern.engine.ports import Observer
from postern.engine.service import Post, Service


@contextmanager
def open_way_out(site: Site, observer: Observer, error: PosternError) -> Iterator[Service]:
    """A service of the site's exits, not started yet; stopped at the end.

    Args:
        site: What `site.toml` says.
        observer: Who watches.
        error: Why nothing else can be opened.

    Raises:
        PosternError: `error` where the site has no exit, or is served already; where a model is
            missing or wrong.
    """
    exits = [p for p in site.access_points.values() if p.direction is Direction.EXIT]
    if not exits or is_served(site.data):
        raise error
    gone: Any = _Unopened(error)
    installation = Installation(
        site, gone, gone, gone, b"", open_models(site.models), SystemClock()
    )
    parts, actuators = Parts(installation), build_actuators(installation, observer)

    def post(point: AccessPoint) -> Post:
        eyes = tuple(build_eye(installation, camera, parts) for camera in point.cameras)
        actuator = actuators[site.actuator_of[point.id]]
        matchers = {reader.kind: gone for eye in eyes for reader in eye.readers}
        lane = Lane(
            point, gone, matchers, gone, gone, actuator, installation.clock,
            AtAccessPoint(site, point.id, observer), lambda: AttemptId(uuid4().hex),
        )  # fmt: skip
        return Post(lane, eyes)

    service = Service([post(point) for point in exits], observer, workers())
    for point in site.access_points.values():
        if point.direction is Direction.ENTRY:
            observer.health(CameraId(told_as(site, point.id)), "red", f"it stays shut: {error}")
    try:
        yield service
    finally:
        service.stop()


class _Unopened:
    """Stands for what could not be opened: whatever is asked of it fails for the same reason."""

    def __init__(self, error: PosternError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Never:
        # A new one each time: one that is raised again and again grows.
        raise PosternError(self._error.code, self._error.message, self._error.hint)
