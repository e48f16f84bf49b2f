"""`postern doctor`: in plain words what is to be mended, and what was not tried."""

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import pytest

from postern.actuators import KINDS as ACTUATORS
from postern.actuators import Timer
from postern.app.duty import on_duty
from postern.app.finding import Verdict
from postern.app.site import ActuatorEntry, Camera
from postern.app.wire import examination, look_at_actuator, try_camera
from postern.cli.demo.barrier import Visit, write_barrier_clip
from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources import KINDS
from postern.sources import Kind as Row
from postern.sources.file.config import Config as FileConfig
from tests.cli.terminal import postern
from tests.cli.test_run import garage
from tests.needs import missing

__all__ = ["garage"]


COLUMNS = ("how it is", "what was found", "what to do")


def rows(out: str) -> dict[str, list[str]]:
    """What was found, by what it is about: out of a table, or of lines where it had no room."""
    found: dict[str, list[str]] = {}
    subject = ""
    for line in out.splitlines():
        cells = [cell.strip() for cell in line.strip("\u2502").split("\u2502")]
        if len(cells) == 4:
            subject = cells[0] or subject
            row = found.setdefault(subject, [""] * 3)
            found[subject] = [f"{a} {b}".strip() for a, b in zip(row, cells[1:], strict=True)]
        elif named := re.match(rf"  ({'|'.join(COLUMNS)}) +(.*)", line):
            found[subject][COLUMNS.index(named[1])] = named[2]
        elif line[:1].isalpha():
            subject = line.strip()
            found[subject] = [""] * 3
    return found


@pytest.fixture
def sound(garage: Path) -> Path:
    """A site of which everything that a test can have is there."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    return garage


def test_sound_site_has_nothing_to_mend(sound: Path) -> None:
    """Each thing has its row, and what was not tried says so."""
    told = postern("doctor")
    found = rows(told.out)

    assert {"clock", "disk", "memory", "swap", "service", "camera lane", "actuator boom", "models",
            "keys", "permits"} == found.keys()  # fmt: skip
    assert 0 == told.code, told
    assert "Nothing has to be mended." in told.err
    assert ["well", "It gives pictures of 640 x 360."] == found["camera lane"][:2]
    assert ["not tried", "It was not driven; the device ends a pulse by itself."] == (
        found["actuator boom"][:2]
    )
    assert "well" == found["permits"][0]
    assert "site.key lies beside what it opens" in found["keys"][1]


def test_camera_that_gives_nothing_is_to_be_mended(sound: Path) -> None:
    """In its own sentence; all the other rows are there."""
    (sound / "barrier.mp4").write_bytes(b"no video")
    told = postern("doctor")
    found = rows(told.out)

    assert 3 == told.code
    assert "To mend: 1." in told.err
    assert ("mend", True) == (found["camera lane"][0], "neither a video" in found["camera lane"][1])
    assert "well" == found["permits"][0]


def test_model_that_was_changed_is_to_be_mended(sound: Path) -> None:
    """By its hash; one that is not there is not needed, or is fetched by who needs it."""
    changed = sound / "models" / "yunet_n_dynamic.onnx"
    changed.parent.mkdir(exist_ok=True)
    changed.write_bytes(b"another")
    told = postern("doctor")

    (found,) = [row for name, row in rows(told.out).items() if name.startswith("model ")]
    assert 3 == told.code
    assert ("mend", True) == (found[0], "another hash" in found[1])


def test_keys_that_others_may_read_are_to_be_mended(sound: Path) -> None:
    """The store is not opened then; what does not need it is looked at all the same."""
    (sound / "data/site.key").chmod(0o644)
    told = postern("doctor")
    found = rows(told.out)

    assert 3 == told.code
    assert "mend" == found["store"][0]
    assert re.search(r"site\.key|0644", " ".join(found["store"]))
    assert "well" == found["camera lane"][0]


def test_permit_that_nobody_can_meet_is_to_be_mended(sound: Path) -> None:
    """As `postern check` finds it."""
    postern("permit", "add", "--vehicle", "KAMP417", "--at", "barrier", "--liveness")
    told = postern("doctor")

    assert 3 == told.code
    assert "Nothing can ever meet" in rows(told.out)["permits"][1]
    assert postern("check").err.count("Nothing can ever meet") == 1


def test_port_is_tried_where_the_service_does_not_run(sound: Path) -> None:
    """Taken by somebody else; and by the service itself."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        file = sound / "site.toml"
        file.write_text(f'{file.read_text("utf-8")}\n[health]\nlisten = "{address}"\n', "utf-8")
        told = postern("doctor")
        assert 3 == told.code
        assert "mend" == rows(told.out)[f"port {address}"][0]
        with on_duty(sound / "data"):
            told = postern("doctor")
        assert 0 == told.code, told
        assert ["not tried", "The service has it."] == rows(told.out)[f"port {address}"][:2]
        assert ["well", "It runs."] == rows(told.out)["service"][:2]
    assert "well" == rows(postern("doctor").out)[f"port {address}"][0]


def test_whoever_can_be_reached_by_others_is_told(sound: Path) -> None:
    """By `doctor` and by `check`; it is no fault."""
    file = sound / "site.toml"
    file.write_text(f'{file.read_text("utf-8")}\n[health]\nlisten = "192.0.2.1:9463"\n', "utf-8")

    assert "Whoever reaches 192.0.2.1:9463 can ask" in postern("check").err
    assert "heed" == rows(postern("doctor").out)["health"][0]


def test_site_that_keeps_nothing_yet_gets_no_file(folder: Path) -> None:
    """Looking makes none."""
    told = postern("doctor")

    assert "Nothing is kept yet" in told.out
    assert not (folder / "data").exists()


def test_data_of_another_user_is_left_alone(sound: Path) -> None:
    """What root opens there, the service cannot open any more."""
    if os.geteuid() != 0:
        missing("root, who alone can give a folder away")
    os.chown(sound / "data", 12345, -1)
    before = {path: path.stat().st_mtime_ns for path in (sound / "data").iterdir()}
    told = postern("doctor")

    assert 3 == told.code
    assert "belongs to the user 12345" in rows(told.out)["user"][1]
    assert before == {path: path.stat().st_mtime_ns for path in (sound / "data").iterdir()}


def test_model_that_the_site_needs_and_lacks_is_to_be_mended(sound: Path) -> None:
    """It names the detector that is not here."""
    file = sound / "site.toml"
    door = '\n[camera.door]\nkind = "file"\npath = "barrier.mp4"\nsees = "face"\n'
    faces = '\n[faces]\ndetector = "yunet"\n'
    file.write_text(f"{file.read_text('utf-8')}{door}{faces}", "utf-8")
    told = postern("doctor")

    assert 3 == told.code
    assert re.search(r"mend.*yunet|yunet.*mend", told.out), told.out


@pytest.mark.parametrize("timer", Timer)
def test_pulse_that_nobody_ends_is_told(timer: Timer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that stays on when the service dies is a gate that stays open."""
    row = replace(ACTUATORS["simulated"], timer=lambda _config: timer)
    monkeypatch.setitem(ACTUATORS, "simulated", row)
    found = look_at_actuator(ActuatorEntry("boom", "simulated", None))

    expected = Verdict.HEED if timer is Timer.NOBODY else Verdict.UNTRIED
    assert (expected, True) == (found.verdict, "It was not driven" in found.sentence)


@dataclass
class Silent:
    """A live camera that gives nothing until it is closed."""

    closed: Event = field(default_factory=Event)
    live = True

    def frames(self) -> Iterator[Frame]:
        self.closed.wait(30.0)
        return iter(())

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("served", [False, True])
def test_webcam_is_left_to_the_service_that_has_it(served: bool) -> None:
    """Two programs cannot have it; without a service it is tried."""
    row = KINDS["v4l"]
    found = try_camera(
        Camera(CameraId("c"), Kind.FACE, "v4l", row.config("/dev/video99")), served=served
    )

    assert (Verdict.UNTRIED if served else Verdict.MEND) is found.verdict


def test_camera_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed after a while, and that is told."""
    opened = Silent()

    def open_it(config: FileConfig, camera: CameraId, clock: Clock) -> Silent:
        return opened

    monkeypatch.setattr(examination, "PATIENCE_S", 0.2)
    monkeypatch.setitem(KINDS, "file", Row(FileConfig, open_it))
    camera = Camera(CameraId("c"), Kind.FACE, "file", FileConfig(Path("x")))
    found = try_camera(camera, served=False)

    assert opened.closed.is_set()
    assert (Verdict.MEND, True) == (found.verdict, "no picture" in found.sentence)


def test_file_with_mistakes_is_told_as_check_tells_it(folder: Path) -> None:
    """Nothing is looked at then."""
    (folder / "site.toml").write_text("[site]\nnam = 1\n", "utf-8")
    told = postern("doctor")

    assert 3 == told.code
    assert "is not a known key" in told.err
    assert "" == told.out
