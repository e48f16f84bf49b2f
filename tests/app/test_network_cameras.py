"""A whole service whose cameras are on the network, and go away in one way or the other."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

from postern.app.wire import open_service, open_site, read_site
from postern.core.ids import CameraId
from postern.engine.ports import Outcome
from tests.rtsp_camera import RtspCamera, rtsp_camera
from tests.sources.rtsp.test_source import children

#: Seconds within which a fault is noticed, and a camera that returns is live again.
PROMISED_S = 5.0


class Board:
    """The last word on each camera, with when it was said."""

    def __init__(self) -> None:
        self._news = Condition()
        self.said: list[tuple[str, str, str]] = []

    def ended(self, outcome: Outcome) -> None:
        """Nobody comes."""

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        with self._news:
            self.said.append((camera, state, sentence))
            self._news.notify_all()

    def of(self, camera: str) -> list[str]:
        """Every state of a camera so far."""
        return [state for name, state, _ in self.said if name == camera]

    def why(self, camera: str) -> str:
        """The last sentence on a camera."""
        return [sentence for name, _, sentence in self.said if name == camera][-1]

    def seconds_until(self, true: Callable[[], bool]) -> float:
        """How long it takes until something holds."""
        begun_s = time.monotonic()
        with self._news:
            assert self._news.wait_for(true, 30.0), self.said
        return time.monotonic() - begun_s


@contextmanager
def site(folder: Path, *cameras: RtspCamera) -> Iterator[Board]:
    """A service with a lane for each camera: a, b, ...; all of them are live when it is there."""
    text = '[site]\nname = "Field"\n'
    for name, camera in zip("ab", cameras, strict=False):
        text += f'[camera.{name}]\nkind = "rtsp"\nsees = "plate"\nurl = "{camera.url}"\n'
        text += f'[actuator.{name}]\nkind = "simulated"\n'
        text += f'[access_point.at-{name}]\ncameras = ["{name}"]\nactuator = "{name}"\n'
    (folder / "site.toml").write_text(text, "utf-8")
    board = Board()
    with (
        open_site(read_site(folder / "site.toml")) as installation,
        open_service(installation, board) as service,
    ):
        service.start()
        for name, _ in zip("ab", cameras, strict=False):
            board.seconds_until(lambda name=name: board.of(name)[-1:] == ["ok"])  # type: ignore[misc]
        yield board


def test_decoder_that_is_killed_holds_up_nobody_else(tmp_path: Path) -> None:
    """Its own camera is red for a moment, and back."""
    with rtsp_camera() as first, rtsp_camera() as second, site(tmp_path, first, second) as board:
        victim, _ = sorted(children(os.getpid(), "postern.stream"))
        os.kill(victim, 9)
        board.seconds_until(lambda: "red" in board.of("a") + board.of("b"))
        hit = "a" if "red" in board.of("a") else "b"
        back_s = board.seconds_until(lambda: board.of(hit)[-1] == "ok")
        other = "b" if hit == "a" else "a"

        assert ["ok"] == board.of(other)
        assert ["ok", "red", "ok"] == board.of(hit)
        assert back_s <= PROMISED_S


def test_camera_that_returns_is_live_again(tmp_path: Path) -> None:
    """However long it was away: by then it is asked as seldom as it ever is."""
    with rtsp_camera() as camera, site(tmp_path, camera) as board:
        camera.kill()
        noticed_s = board.seconds_until(lambda: board.of("a")[-1] == "red")
        time.sleep(6.0)
        camera.start()
        back_s = board.seconds_until(lambda: board.of("a")[-1] == "ok")

    assert noticed_s <= PROMISED_S
    assert back_s <= PROMISED_S


def test_camera_that_shows_nothing_is_red_with_its_reason(tmp_path: Path) -> None:
    """Covered, then free, then without a signal."""
    with rtsp_camera() as camera, site(tmp_path, camera) as board:
        camera.tell("pattern black")
        dark_s = board.seconds_until(lambda: board.of("a")[-1] == "red")
        assert "black" in board.why("a")
        camera.tell("pattern snow")
        board.seconds_until(lambda: board.of("a")[-1] == "ok")
        camera.tell("stall")
        stalled_s = board.seconds_until(lambda: board.of("a")[-1] == "red")
        assert "no picture" in board.why("a")

    assert dark_s <= PROMISED_S
    assert stalled_s <= PROMISED_S
