"""The demo's throw-away site, run as a site is run, for tests that need real people and cars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from postern.app.wire import Installation, open_service, open_site, read_site
from postern.cli.demo.scene import Cast, populate, write_site
from postern.core.ids import CameraId
from postern.engine.ports import Outcome


class Watcher:
    """Remembers what became of every attempt.

    Args:
        told: Called with each, before the lane goes on.
    """

    def __init__(self, told: Callable[[Outcome], None] = lambda _: None) -> None:
        self._told = told
        self._lock = Lock()
        self._outcomes: tuple[Outcome, ...] = ()
        self._red: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        with self._lock:
            return self._outcomes

    @property
    def red(self) -> tuple[str, ...]:
        """What failed."""
        with self._lock:
            return self._red

    def ended(self, outcome: Outcome) -> None:
        with self._lock:
            self._outcomes = (*self._outcomes, outcome)
        self._told(outcome)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        if state == "red":
            with self._lock:
                self._red = (*self._red, f"{camera}: {sentence}")


@contextmanager
def demo_site(
    folder: Path, cast: Cast, cut: Callable[[Path], None] = lambda _: None
) -> Iterator[Installation]:
    """The demo's site in that folder, with its car registered and its person enrolled.

    Args:
        folder: Where its clips, its file and its data go.
        cast: Who comes.
        cut: Changes the clips before they are played.
    """
    site = read_site(write_site(folder, cast))
    cut(folder)
    with open_site(site, throwaway=True) as installation:
        populate(installation, cast)
        yield installation


def played(installation: Installation, watcher: Watcher) -> None:
    """Runs the service until every clip has been played."""
    with open_service(installation, watcher) as service:
        service.start()
        assert service.wait(120.0)
    assert () == watcher.red
