"""The size of a camera's pictures, written into `site.toml` and nothing else changed."""

import os
import tomllib
from pathlib import Path

import pytest

from postern.app.camera_size import said_size, with_size, write_size
from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId

LANE = CameraId("lane")
FILE = """\
# The garage, by the north gate.
[site]
name = "Garage"   # as on the sign

[camera.corridor]
kind = "v4l"
width = 320
height = 240

[camera.lane]  # on the mast
sees = "plate"
kind = "rtsp"
url = "rtsp://192.0.2.7/main"  # the main stream

# What opens.
[actuator.boom]
kind = "simulated"
"""


def test_only_two_lines_are_put_in() -> None:
    """Behind the table's last key; every other line stays as it is, comments included."""
    changed = with_size(FILE, LANE, 1280, 720)

    former, now = FILE.splitlines(), changed.splitlines()
    assert ["width = 1280", "height = 720"] == [line for line in now if line not in former]
    assert former == [line for line in now if line not in ("width = 1280", "height = 720")]
    assert former[12].startswith("url =")
    assert now[12:15] == [former[12], "width = 1280", "height = 720"]
    assert {"width": 1280, "height": 720} == {
        key: tomllib.loads(changed)["camera"]["lane"][key] for key in ("width", "height")
    }


def test_size_that_is_there_is_changed_where_it_stands() -> None:
    """With the comment behind it; that of another camera stays."""
    before = FILE.replace('kind = "rtsp"', 'height=480 # as sold\nkind = "rtsp"\nwidth =  640')
    changed = with_size(before, LANE, 1280, 720)

    assert before.replace("height=480", "height=720").replace("width =  640", "width =  1280") == (
        changed
    )
    assert with_size(changed, LANE, 1280, 720) == changed
    assert 320 == tomllib.loads(changed)["camera"]["corridor"]["width"]


def test_line_ends_and_the_mark_of_an_editor_stay() -> None:
    """As on the system where the file was written."""
    before = "\ufeff" + FILE.replace("\n", "\r\n")
    changed = with_size(before, LANE, 1280, 720)

    assert changed.startswith("\ufeff# The garage")
    assert changed.count("\r\n") == changed.count("\n") == before.count("\n") + 2


@pytest.mark.parametrize(
    "table",
    [
        '[camera.lane]\nsees = "plate"\nkind = "rtsp"\n[camera.lane.more]\na = 1',
        '[camera.lane]\nsees = "plate"\nlist = [\n  1,\n  { a = 1 },\n]\n[other]',
        "[camera.lane]\n[site]",
    ],
)
def test_other_ways_of_writing_are_followed(table: str) -> None:
    """What comes out says what the file said, and the size."""
    wanted = tomllib.loads(table)
    wanted["camera"]["lane"] |= {"width": 1280, "height": 720}

    assert wanted == tomllib.loads(with_size(table, LANE, 1280, 720))


@pytest.mark.parametrize(
    "table",
    [
        'camera = { lane = { sees = "plate", kind = "rtsp", url = "rtsp://192.0.2.7/" } }',
        '[camera]\nlane = { sees = "plate", kind = "rtsp", url = "rtsp://192.0.2.7/" }',
        '[camera]\nlane.sees = "plate"\nlane.kind = "rtsp"',
        '[camera.lane]\nsees = "plate"\nurl = """\nrtsp://192.0.2.7/\n"""',
    ],
)
def test_what_has_no_line_of_its_own_is_refused(table: str) -> None:
    """With the two settings to write by hand; nothing is half changed."""
    with pytest.raises(PosternError) as refused:
        with_size(table, LANE, 1280, 720)

    assert Code.INVALID is refused.value.code
    assert "Write into it by hand: width = 1280 and height = 720" == refused.value.hint


def test_file_is_replaced_at_once_with_its_mode(tmp_path: Path) -> None:
    """No part of a file is ever there, and nothing is left beside it; a link stays a link."""
    real, link = tmp_path / "real.toml", tmp_path / "site.toml"
    real.write_text(FILE, "utf-8")
    os.chmod(real, 0o640)
    link.symlink_to(real)
    before = real.stat().st_ino
    assert said_size(link, LANE) is None
    write_size(link, LANE, 1280, 720)

    assert link.is_symlink()
    assert (0o640, True) == (real.stat().st_mode & 0o777, real.stat().st_ino != before)
    assert {"real.toml", "site.toml"} == set(os.listdir(tmp_path))
    assert (1280, 720) == said_size(link, LANE)


def test_file_that_somebody_changed_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they wrote counts."""
    file = tmp_path / "site.toml"
    file.write_text(FILE, "utf-8")
    theirs = FILE.replace("Garage", "Car park")
    monkeypatch.setattr(os, "fsync", lambda _handle: file.write_text(theirs, "utf-8"))

    with pytest.raises(PosternError) as refused:
        write_size(file, LANE, 1280, 720)
    assert Code.CONFLICT is refused.value.code
    assert theirs == file.read_text("utf-8")
    assert ["site.toml"] == os.listdir(tmp_path)


def test_file_that_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says so."""
    file = tmp_path / "site.toml"
    file.write_text(FILE, "utf-8")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PosternError, match="No space left on device") as refused:
        write_size(file, LANE, 1280, 720)
    assert Code.UNAVAILABLE is refused.value.code
    assert FILE == file.read_text("utf-8")
    assert ["site.toml"] == os.listdir(tmp_path)
