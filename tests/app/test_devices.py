"""Devices in `site.toml`: their settings, and their secrets."""

from pathlib import Path

import pytest

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import load
from postern.app.problem import ConfigError
from postern.app.site import Site
from postern.sources import KINDS as SOURCES

SITE = """\
[site]
name = "Garage"

[camera.lane]
kind = "file"
path = "lane.mp4"
sees = "plate"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
hold_s = {hold_s}

[actuator.boom]
"""
OSDP = 'kind = "osdp"\nrole = "panel"\nport = "/dev/ttyUSB0"\nkey_file = "secret"\n'
MQTT = 'kind = "mqtt"\naddress = "broker"\ntopic = "a/b"\noff = "OFF"\nuser = "x"\n'
MQTT += 'password_file = "secret"\n'

every_device = pytest.mark.parametrize("device", [OSDP, MQTT], ids=["osdp", "mqtt"])


def loaded(folder: Path, device: str, mode: int = 0o600, *, hold_s: float = 5.0) -> Site:
    """The site with that device."""
    (folder / "secret").write_text("not shown", "utf-8")
    (folder / "secret").chmod(mode)
    (folder / "site.toml").write_text(SITE.format(hold_s=hold_s) + device, "utf-8")
    return load(folder / "site.toml", SOURCES, ACTUATORS, {})


@every_device
def test_device_is_read_from_the_site_file(device: str, tmp_path: Path) -> None:
    """As its kind's own settings, and without its secret."""
    entry = loaded(tmp_path, device).actuators["boom"]

    assert entry.kind in device
    assert "not shown" not in repr(entry)


@every_device
def test_secret_that_others_may_read_is_a_mistake(device: str, tmp_path: Path) -> None:
    """Told with its line, before anything runs."""
    with pytest.raises(ConfigError, match="chmod 600"):
        loaded(tmp_path, device, 0o644)


@every_device
def test_what_cannot_work_is_a_mistake(device: str, tmp_path: Path) -> None:
    """So is what is misspelt, or makes no sense together."""
    with pytest.raises(ConfigError):
        loaded(tmp_path, device + "outptu = 1\n")
    with pytest.raises(ConfigError):
        loaded(tmp_path, device.replace("/dev/ttyUSB0", "COM1").replace("a/b", "a/#"))


def test_output_is_asked_for_no_longer_than_it_can_be_driven(tmp_path: Path) -> None:
    """A panel's device; a reader's panel times its own door."""
    reader = OSDP.replace("panel", "reader") + "facility = 1\ncard = 2\n"

    assert loaded(tmp_path, OSDP, hold_s=25.5).access_points
    assert loaded(tmp_path, reader, hold_s=60.0).access_points
    with pytest.raises(ConfigError, match=r"access_point.barrier.hold_s is longer .* 25.5 s"):
        loaded(tmp_path, OSDP, hold_s=25.6)
