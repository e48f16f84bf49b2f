"""A site with a door, its feed and its board."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.app.board import Board
from postern.app.live.answering import answering
from postern.app.live.feed import Feed
from postern.app.site import Site
from postern.app.wire import read_site
from postern.core.decision import Decision, Reason
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, AttemptId, CameraId, PermitId
from postern.core.ports import Report
from postern.engine.observers import Observers
from postern.engine.ports import Outcome
from tests.clocks import SteppedClock
from tests.people import ALICE

TEXT = """
[site]
name = "Garage"

[camera.lane]
kind = "file"
path = "clip.mp4"
sees = "plate"

[actuator.gate]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "gate"
"""
BARRIER, LANE = AccessPointId("barrier"), CameraId("lane")
GRANT = Outcome(
    BARRIER,
    AttemptId("a1"),
    Decision(AttemptId("a1"), Reason.PERMITTED, PermitId("permit-1"), (ALICE,), None, 1e-5),
    3,
    (),
    "The simulated actuator opened for 1 s.",
    0.1,
    driven=True,
)
STRANGER = Outcome(
    BARRIER,
    AttemptId("a2"),
    Decision(AttemptId("a2"), Reason.UNAUTHORIZED),
    1,
    (),
    "",
    0.1,
    driven=False,
)


class Gate:
    """Opens what it knows, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def release(self, access_point: AccessPointId, by: str, why: str) -> Report:
        if access_point != BARRIER:
            raise PosternError(Code.NOT_FOUND, "There is no access point of that name.", "Known: -")
        self.asked.append((access_point, by, why))
        return Report(True, "It opened.")


class Served:
    """A site whose service answers on its socket."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "site.toml").write_text(TEXT, "utf-8")
        self.site: Site = read_site(folder / "site.toml")
        self.site.data.mkdir(mode=0o700, exist_ok=True)
        clock = SteppedClock()
        board = Board(self.site, clock)
        self.feed = Feed(self.site, board, clock)
        self.observer = Observers(board, self.feed)
        self.gate = Gate()
        self.told: list[tuple[str, str, str]] = []

    @contextmanager
    def answers(self) -> Iterator[None]:
        """Meanwhile."""

        def tell(name: CameraId, state: str, sentence: str) -> None:
            self.told.append((name, state, sentence))

        with answering(self.site.data, self.feed, self.gate, tell):
            yield
