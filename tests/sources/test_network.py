"""Addresses of cameras on the network."""

from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.sources.network import Scheme, read_address
from postern.sources.rtsp.config import Config as RtspConfig
from postern.sources.snapshot.config import Config as SnapshotConfig

SCHEMES = (Scheme("rtsp", 554, secure=False), Scheme("rtsps", 322, secure=True))


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "secure"),
    [
        ("rtsp://cam.lan/stream1", "cam.lan", 554, "/stream1", False),
        ("rtsps://192.168.1.20", "192.168.1.20", 322, "/", True),
        ("rtsp://[fd00::20]:8554/a/b?c=1&d=2", "fd00::20", 8554, "/a/b?c=1&d=2", False),
    ],
)
def test_address_is_taken_apart(url: str, host: str, port: int, target: str, secure: bool) -> None:
    """With the scheme's port where it names none."""
    found = read_address(url, SCHEMES)

    assert (host, port) == (found.endpoint.host, found.endpoint.port)
    assert (target, secure) == (found.target, found.secure)


@pytest.mark.parametrize(
    "url",
    [
        "http://cam.lan/", "cam.lan/stream1", "file:///dev/video0", "rtsp://", "rtsp:///x",
        "rtsp://cam.lan:0/", "rtsp://cam.lan:70000/", "rtsp://cam.lan/a b", "rtsp://cam.lan/\n",
        "rtsp://cam.lan/#x", "rtsp://käm.lan/", "rtsp://[::1/", "",
    ],
)  # fmt: skip
def test_text_that_is_no_cameras_address_is_refused(url: str) -> None:
    """Where it is read, in one sentence."""
    with pytest.raises(PosternError) as caught:
        RtspConfig(url)

    assert Code.INVALID is caught.value.code


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - refused
        "169.254.169.254", "[fe80::1]", "224.0.0.1", "[::ffff:169.254.169.254]",
        "2852039166", "0xa9.0xfe.0xa9.0xfe", "100.100.100.200", "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_attack_camera_at_an_address_that_no_camera_has(host: str) -> None:
    """A cloud's own services are no cameras, in whatever spelling."""
    with pytest.raises(PosternError):
        RtspConfig(f"rtsp://{host}/latest/meta-data")
    with pytest.raises(PosternError):
        SnapshotConfig(f"http://{host}/latest/meta-data")


def test_password_in_an_address_is_refused_and_not_repeated() -> None:
    """It would stand in the file, in logs and on screens."""
    with pytest.raises(PosternError) as caught:
        RtspConfig("rtsp://admin:hunter2@cam.lan/stream1")

    assert "hunter2" not in str(caught.value)
    assert "password_file" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"user": "admin"}, {"password_file": Path("x")}, {"fps": 0.0}, {"fps": float("nan")},
        {"width": 640}, {"width": 0, "height": 0}, {"width": 9000, "height": 9000},
        {"width": 20000, "height": 100},
        {"user": "a:b", "password_file": Path("x")},
    ],
)  # fmt: skip
def test_config_refuses_the_impossible(settings: dict[str, object]) -> None:
    """Each value is checked where it is made, of both kinds."""
    with pytest.raises(PosternError):
        RtspConfig("rtsp://cam.lan/", **settings)  # type: ignore[arg-type]
    with pytest.raises(PosternError):
        SnapshotConfig("http://cam.lan/", **settings)  # type: ignore[arg-type]
