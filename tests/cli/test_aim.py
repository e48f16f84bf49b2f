"""`postern aim`: what is told in the terminal, what is written, and what is never touched."""

import io
import os
import re
import shutil
import signal
import time
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from postern.app.duty import on_duty
from postern.cli import aim as command
from postern.cli.demo.barrier import Visit
from postern.cli.demo.clip import still, write
from postern.cli.demo.door import Portrait
from postern.cli.demo.scene import Cast, write_site
from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.picture import decode
from postern.sources import KINDS
from postern.sources import Kind as Row
from postern.sources.file.config import Config as FileConfig
from postern.sources.file.source import FileSource
from postern.sources.v4l.config import Config as V4lConfig
from tests.cli.terminal import postern, started
from tests.media import write_picture

CAMERA = """
[camera.porch]
sees = "face"
kind = "v4l"   # the one above the bell
device = "/dev/video9"
"""


class Porch(FileSource):
    """A webcam that shows the demo's door."""

    live = True


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's site, where one person and one car come, and a webcam. Beside its
    own clips there is `glance.mp4`, which is too short for anything to be good; models are derived
    here once."""
    folder = tmp_path_factory.mktemp("made")
    cast = Cast(at_door=(Portrait.COLLINS,), at_barrier=(Visit("KA MP 417"),))
    file = write_site(folder, cast)
    file.write_text(file.read_text("utf-8") + CAMERA, "utf-8")
    near = decode(still(folder / "door.mp4", 2.2))
    write(folder / "glance.mp4", iter([near] * 4))
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: a copy of that site."""
    shutil.copy(made / "site.toml", tmp_path)
    for clip in made.glob("*.mp4"):
        os.link(clip, tmp_path / clip.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTERN_MODELS", str(made / "models"))
    monkeypatch.delenv("POSTERN_DATA", raising=False)
    show(tmp_path / "door.mp4", monkeypatch)
    return tmp_path


def show(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the webcam show that."""

    def porch(_config: V4lConfig, camera: CameraId, clock: Clock) -> Porch:
        return Porch(FileConfig(clip), camera, clock)

    monkeypatch.setitem(KINDS, "v4l", Row(V4lConfig, porch))


def test_face_camera_is_good_and_says_what_was_needed(site: Path) -> None:
    """A row for each thing with its value and what is needed; and that it is a recording."""
    told = postern("aim", "corridor")

    assert 0 == told.code, told
    assert re.search(r"between the eyes +│ \d+ pixels +│ at least 20 pixels +│ well", told.out)
    assert "The camera corridor is a recording" in told.err
    assert re.search(r"The smallest face seen had \d+ pixels between the eyes\.", told.err)
    assert "Good: the camera corridor can stay as it is." in told.err
    assert "Its pictures are 640 x 360; a camera of the kind file is given no size." in told.err


def test_plate_camera_is_good_and_says_no_plate(site: Path) -> None:
    """It is read, to tell it from other writing, and shown nowhere."""
    told = postern("aim", "lane")

    assert 0 == told.code, told
    assert re.search(r"height of characters +│ \d+ pixels +│ at least 9 pixels +│ well", told.out)
    assert not re.search(r"MP|417", told.out + told.err)


def test_nothing_is_compared_kept_or_written(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither embedder, matcher, store nor keys are reached, and no file is made."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    for name in (
        "postern.vision.faces.embed.Embedder.__init__",
        "postern.vision.faces.embed.Embedder.vectors",
        "postern.vision.faces.load.load_embedder",
        "postern.vision.faces.match.FaceMatcher.match",
        "postern.vision.plates.match.PlateMatcher.match",
        "postern.app.wire.installation.open_store",
        "postern.app.wire.installation.open_vault",
        "postern.app.wire.installation.open_ledger",
        "postern.frame.Template.__post_init__",
    ):
        monkeypatch.setattr(name, never)
    before = set(site.rglob("*"))
    for camera in ("corridor", "lane"):
        told = postern("aim", camera, "--port", "0")
        assert 0 == told.code, told

    assert before == set(site.rglob("*"))
    assert not (site / "data").exists()


def test_size_is_written_once_it_is_good(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked first, written with every comment kept, and said where it is there already."""
    asked: list[str] = []
    file = site / "site.toml"
    before = file.read_text("utf-8")
    monkeypatch.setattr(command, "confirmed", lambda question: asked.append(question))
    told = postern("aim", "porch")
    assert (0, before) == (told.code, file.read_text("utf-8"))
    assert "Write to site.toml that its pictures are 640 x 360" in asked[0]
    assert "recording" not in told.err

    monkeypatch.setattr(command, "confirmed", lambda _question: True)
    told = postern("aim", "porch")
    assert "site.toml says now that its pictures are 640 x 360" in told.err
    assert before + "width = 640\nheight = 360\n" == file.read_text("utf-8")

    show(site / "glance.mp4", monkeypatch)
    told = postern("aim", "porch", "--write")
    assert "site.toml says already that its pictures are 640 x 360." in told.err
    assert before + "width = 640\nheight = 360\n" == file.read_text("utf-8")


def test_camera_that_is_not_good_says_so(site: Path) -> None:
    """With the code of something to mend; the writing on a jacket is no plate."""
    file = site / "site.toml"
    file.write_text(file.read_text("utf-8").replace("barrier.mp4", "door.mp4"), "utf-8")
    told = postern("aim", "lane")

    assert 3 == told.code
    assert "Not good yet: no plate was good for 3 seconds." in told.err
    assert "Good:" not in told.err


def test_wrong_input_is_one_sentence(site: Path) -> None:
    """And what to do."""
    passes = '\n[camera.passes]\nsees = "pass"\nkind = "file"\npath = "door.mp4"\n'
    (site / "site.toml").write_text((site / "site.toml").read_text("utf-8") + passes, "utf-8")
    wrong = (
        (("nowhere",), 4, "There is no camera called 'nowhere'."),
        (("passes",), 3, "The camera passes sees passes only, which need no aiming."),
        (("corridor", "--port", "70000"), 2, "65535"),
        (("corridor", "--site", "elsewhere.toml"), 4, "There is no file"),
    )
    for arguments, code, said in wrong:
        told = postern("aim", *arguments)

        assert (code, "") == (told.code, told.out), arguments
        assert said in told.err, arguments
        assert "Traceback" not in told.err, arguments


def test_camera_that_the_service_has_is_left_to_it(site: Path) -> None:
    """A local one, which one program at a time may have; others may be aimed beside it."""
    file = site / "site.toml"
    file.write_text(file.read_text("utf-8").replace("door.mp4", "glance.mp4"), "utf-8")
    (site / "data").mkdir()
    with on_duty(site / "data"):
        told = postern("aim", "porch")
        assert (5, True) == (told.code, "The service has the camera porch." in told.err)
        assert "systemctl stop postern" in told.err
        assert "The smallest face seen had " in postern("aim", "corridor").err


def test_recording_without_a_target_says_what_to_do(site: Path) -> None:
    """Nobody comes to the lane."""
    write_picture(site / "empty.png", 3)
    file = site / "site.toml"
    file.write_text(file.read_text("utf-8").replace("barrier.mp4", "empty.png"), "utf-8")
    told = postern("aim", "lane")

    assert 7 == told.code
    assert "The camera has shown no plate in all of its pictures." in told.err
    assert "Have a car stop where it is to be recognised" in told.err


def test_page_is_there_for_as_long_as_the_command_runs(site: Path) -> None:
    """In a process of its own; Ctrl-C ends both with a verdict."""
    text = (site / "site.toml").read_text("utf-8")
    blurred = text.replace('path = "door.mp4"', 'path = "door.mp4"\nloop = true')
    (site / "site.toml").write_text(blurred.replace('sees = "face"', 'sees = "plate"'), "utf-8")
    process = started("aim", "corridor", "--page", cwd=site)
    address, lines = "", ""
    assert process.stderr is not None
    while not address:
        line = process.stderr.readline()
        assert line, lines
        lines += line
        address = "".join(re.findall(r"http://127\.0\.0\.1:\d+/\S+", line))
    with httpx.Client(trust_env=False, timeout=30) as asks:
        until = time.monotonic() + 60
        while "base64" not in asks.get(address).text and time.monotonic() < until:
            time.sleep(0.2)
        assert "data:image/jpeg;base64," in asks.get(address).text
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        with pytest.raises(httpx.ConnectError):
            asks.get(address)

    assert 130 == process.returncode, err
    assert "Not good yet: no plate was good for 3 seconds." in err
    assert "Traceback" not in err


def test_terminal_shows_the_table_as_it_changes(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody can see it: what to do at first, how long it has been good, and its end. A
    busy machine may need a second visit for that."""
    text = (site / "site.toml").read_text("utf-8")
    looped = text.replace('path = "door.mp4"', 'path = "door.mp4"\nloop = true')
    (site / "site.toml").write_text(looped, "utf-8")
    shown = io.StringIO()
    terminal = Console(
        stderr=True, file=shown, force_terminal=True, width=100, markup=False, highlight=False
    )
    monkeypatch.setattr(command, "ERR", terminal)
    told = postern("aim", "corridor")

    assert 0 == told.code, told
    assert "No face is found: come closer, look at the camera" in shown.getvalue()
    assert re.search(r"Good for [0-2]\.\d of 3 seconds\.", shown.getvalue())
    assert "between the eyes" in shown.getvalue()
