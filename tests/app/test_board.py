"""What the board says of everything that has a state."""

from datetime import timedelta
from pathlib import Path

import pytest

from postern.app.board import AtAccessPoint, Board, Part, Standing
from postern.app.site import Site
from postern.app.wire import read_site
from postern.core.errors import invalid
from postern.core.ids import AccessPointId, CameraId
from postern.core.moment import Moment
from tests.cli.conftest import SITE
from tests.clocks import SteppedClock
from tests.media import write_picture

WITNESS = """
[witness.hub]
url = "https://witness.example/hub"
key = "witness.example/w1+37d9ed24+BEPNwCPSLV+eEH0aBpNFfTXR0Q630hxyEZL1b13kBmXT"
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_picture(tmp_path / "lane.png", 3)
    (tmp_path / "site.toml").write_text(SITE + WITNESS, "utf-8")
    return read_site(tmp_path / "site.toml")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def state(board: Board, part: Part, name: str) -> str:
    (found,) = (one for one in board.standings() if (one.part, one.name) == (part, name))
    return found.state


def test_everything_stands_there_before_anything_is_said(site: Site, clock: SteppedClock) -> None:
    """Cameras and witnesses have still to answer; the rest is well until it says otherwise."""
    found = [(str(one.part), one.name, one.state) for one in Board(site, clock).standings()]

    assert [
        ("camera", "corridor", "starting"),
        ("camera", "lane", "starting"),
        ("access_point", "barrier", "ok"),
        ("access_point", "door", "ok"),
        ("actuator", "boom", "ok"),
        ("actuator", "lock", "ok"),
        ("witness", "hub", "starting"),
        ("ledger", "ledger", "ok"),
        ("clock", "clock", "ok"),
    ] == found


@pytest.mark.parametrize(
    ("told", "part", "name"),
    [
        ("lane", Part.CAMERA, "lane"),
        ("door", Part.ACCESS_POINT, "door"),
        ("access_point door", Part.ACCESS_POINT, "door"),
        ("actuator boom", Part.ACTUATOR, "boom"),
        ("witness hub", Part.WITNESS, "hub"),
        ("input loop", Part.INPUT, "loop"),
        ("ledger", Part.LEDGER, "ledger"),
        ("clock", Part.CLOCK, "clock"),
        ("something else", Part.OTHER, "something else"),
    ],
)
def test_last_word_and_since_when(
    told: str, part: Part, name: str, site: Site, clock: SteppedClock
) -> None:
    """A new sentence in the same state changes nothing about since when."""
    board, begun = Board(site, clock), clock.now().utc
    board.health(CameraId(told), "red", "It failed.")
    clock.advance(60.0)
    board.health(CameraId(told), "red", "It failed otherwise.")

    assert Standing(part, name, "red", "It failed otherwise.", begun) in board.standings()
    board.health(CameraId(told), "ok", "It works.")
    later = begun + timedelta(seconds=60)
    assert Standing(part, name, "ok", "It works.", later) in board.standings()


def test_access_point_can_decide_once_all_that_it_needs_is_well(
    site: Site, clock: SteppedClock
) -> None:
    """Its cameras, its records and its actuator; nobody else's."""
    board = Board(site, clock)
    assert ["lane"] == [one.name for one in board.hindrances()["barrier"]]
    board.health(CameraId("lane"), "ok", "frames arrive")

    assert {"barrier": (), "door": ("corridor",)} == {
        point: tuple(one.name for one in found) for point, found in board.hindrances().items()
    }
    for needed in ("lane", "barrier", "actuator boom"):
        board.health(CameraId(needed), "red", "It failed.")
        assert [needed.removeprefix("actuator ")] == [
            one.name for one in board.hindrances()["barrier"]
        ]
        board.health(CameraId(needed), "ok", "It works.")
    for other in ("corridor", "door", "actuator lock", "ledger", "clock", "witness hub"):
        board.health(CameraId(other), "red", "It failed.")
    assert () == board.hindrances()["barrier"]
    assert board.summary() == (
        "1 of 2 access points can decide; red: camera corridor, access_point door, "
        "actuator lock, witness hub, ledger ledger, clock clock"
    )


@pytest.mark.parametrize("well", ["camera", "access point"])
def test_camera_and_access_point_of_one_name_hide_nothing_of_each_other(
    well: str, tmp_path: Path, clock: SteppedClock
) -> None:
    """What one of them says of itself is not said of the other: neither is called ready."""
    write_picture(tmp_path / "lane.png", 3)
    (tmp_path / "site.toml").write_text(SITE.replace("corridor", "door"), "utf-8")
    site = read_site(tmp_path / "site.toml")
    board, door = Board(site, clock), AccessPointId("door")
    tells = {
        "camera": board.health,
        "access point": AtAccessPoint(site, door, board).health,
    }
    for tell in tells.values():
        tell(CameraId("door"), "red", "It failed.")
    tells[well](CameraId("door"), "ok", "It works.")

    (hindrance,) = board.hindrances()["door"]
    assert (hindrance.part is Part.CAMERA) is (well == "access point")
    assert "red" == state(board, hindrance.part, "door")


def test_recording_that_ended_decides_nothing_any_more(site: Site, clock: SteppedClock) -> None:
    """Though nothing failed."""
    board = Board(site, clock)
    board.health(CameraId("lane"), "finished", "nothing more comes")

    assert ["finished"] == [one.state for one in board.hindrances()["barrier"]]
    assert not board.red(Part.CAMERA)


def test_calendar_that_cannot_be_read_keeps_no_state_from_the_board(site: Site) -> None:
    """A machine that wakes up before 1970 has cameras all the same."""

    class Lost:
        def now(self) -> Moment:
            raise invalid("A calendar shows a year from 1970 to 9998.")

    board = Board(site, Lost())
    board.health(CameraId("lane"), "red", "It failed.")

    assert "red" == state(board, Part.CAMERA, "lane")
    assert board.red(Part.CAMERA)
