"""A folder with a site in it, as a newcomer has one."""

from pathlib import Path

import pytest

from tests.media import write_picture

SITE = """\
[site]
name = "Garage"
time_zone = "Europe/Bucharest"

[camera.lane]
kind = "file"
path = "lane.png"
sees = "plate"

[camera.corridor]
kind = "file"
path = "lane.png"
sees = "face"

[actuator.boom]
kind = "simulated"

[actuator.lock]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"

[access_point.door]
cameras = ["corridor"]
actuator = "lock"

[schedule.office]
weekdays = ["07:00-19:00"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: a site.toml, a picture for its cameras, and no model pack."""
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    write_picture(tmp_path / "lane.png", 3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("POSTERN_DATA", raising=False)
    return tmp_path
