"""The small server that says how the service is, beside its lanes."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from litestar import Litestar

from postern.app.board import Board, Standing
from postern.app.metrics import LogSize, Metrics
from postern.app.records import Records
from postern.app.screen import Screen
from postern.app.served import served
from postern.app.site import HealthPage, listening
from postern.core.moment import time_text
from postern.core.ports import Clock
from postern.engine.supervise import shielded
from postern.ledger.verify import CHECKPOINT
from postern.web.server import listen


class Watched:
    """Implements `postern.api.health.Watched`.

    Args:
        board: How everything stands.
        metrics: The numbers.
        screen: Hides addresses.
    """

    def __init__(self, board: Board, metrics: Metrics, screen: Screen) -> None:
        self._board = board
        self._metrics = metrics
        self._screen = screen

    def ready(self) -> tuple[bool, Mapping[str, object]]:
        """See `postern.api.health.Watched.ready`."""
        hindrances = self._board.hindrances()
        answer = {
            "ready": not any(hindrances.values()),
            "access_points": {
                point: {"ready": not found, "hindered_by": [self._shown(one) for one in found]}
                for point, found in hindrances.items()
            },
            "parts": [self._shown(one) for one in self._board.standings()],
        }
        return not any(hindrances.values()), answer

    def metrics(self) -> str:
        """See `postern.api.health.Watched.metrics`."""
        return self._metrics.text()

    def _shown(self, one: Standing) -> dict[str, str | None]:
        return {
            "part": str(one.part),
            "name": one.name,
            "state": one.state,
            "sentence": self._screen.clear(one.sentence),
            "since": None if one.since is None else time_text(one.since),
        }


@contextmanager
def answering(page: HealthPage, app: Litestar) -> Iterator[None]:
    """Serves an application meanwhile, where the site asks for it.

    Args:
        page: Where.
        app: The application.

    Raises:
        PosternError: `unavailable` where nothing can listen there.
    """
    if page.listen is None:
        yield
        return
    host, port = listening(page.listen)
    hint = "Choose another in [health] listen, or leave it out."
    with listen(host, port, hint) as taken, served(app, taken, "health"):
        yield


def log_size(records: Records, folder: Path, clock: Clock) -> Callable[[], LogSize | None]:
    """What tells how far a site's log is; None where it cannot be read now.

    Args:
        records: The site's.
        folder: The log's.
        clock: Says how long ago.
    """

    def measured() -> LogSize | None:
        written = os.stat(folder / CHECKPOINT).st_mtime
        age_s = max(0.0, clock.now().utc.timestamp() - written)
        return LogSize(records.log.size(), records.log.checkpoint().checkpoint.size, age_s)

    return lambda: shielded(measured, lambda _why: None)
