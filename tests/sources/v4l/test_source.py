"""Cameras at the machine's own ports; there is none here, so only what comes before and after."""

from pathlib import Path

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.sources.v4l.config import Config
from postern.sources.v4l.source import KernelTime, V4lSource, cameras
from postern.stream.taken import Taken
from tests.clocks import MachineClock, SteppedClock

IMAGE = np.zeros((4, 4, 3), np.uint8)


def refusal(device: Path) -> PosternError:
    """The error that reading the device gives."""
    source = V4lSource(Config(str(device)), CameraId("gate"), MachineClock())
    with pytest.raises(PosternError) as caught:
        next(source.frames())
    return caught.value


def test_v4l_says_which_cameras_there_are_when_one_is_missing(tmp_path: Path) -> None:
    """A camera that is not plugged in is unavailable, not wrong."""
    error = refusal(tmp_path / "video7")

    assert Code.UNAVAILABLE is error.code
    assert "video7 is not there; cameras present: " in error.message


def test_v4l_refuses_a_device_that_is_no_camera() -> None:
    """Another kind of device is told apart by the driver."""
    error = refusal(Path("/dev/null"))

    assert "/dev/null is no camera; cameras present: " in error.message


def test_v4l_refuses_a_file(tmp_path: Path) -> None:
    """A recording in the place of a camera is not played: this source counts as live."""
    path = tmp_path / "video0"
    path.write_bytes(b"anything")

    assert Code.UNAVAILABLE is refusal(path).code


@pytest.mark.parametrize(
    ("device", "path"),
    [(0, "/dev/video0"), ("2", "/dev/video2"), ("/dev/v4l/by-id/usb-x", "/dev/v4l/by-id/usb-x")],
)
def test_config_takes_a_number_or_a_path(device: str | int, path: str) -> None:
    """Camera N is /dev/videoN."""
    assert Path(path) == Config(device).path


@pytest.mark.parametrize(
    "config",
    [
        {"device": -1},
        {"width": 0},
        {"width": 8000, "height": 8000},
        {"fps": 0.0},
        {"fps": float("nan")},
    ],
)
def test_config_refuses_the_impossible(config: dict[str, float]) -> None:
    """Each value is checked where it is made."""
    with pytest.raises(PosternError):
        Config(**config)  # type: ignore[arg-type]


def test_cameras_lists_devices_with_their_names(tmp_path: Path) -> None:
    """What the kernel calls a camera stands beside its path."""
    devices, names = tmp_path / "dev", tmp_path / "names"
    devices.mkdir()
    (names / "video0").mkdir(parents=True)
    (names / "video0" / "name").write_text("HD Webcam\n")
    for name in ("video0", "video1", "vcs", "videoish"):
        (devices / name).touch()

    listed = cameras(devices, names)

    assert (f"{devices}/video0 (HD Webcam)", f"{devices}/video1") == listed


def test_kernel_time_dates_a_picture_back_to_its_capture() -> None:
    """A picture that waited 0.4 s in the driver is 0.4 s old on both clocks."""
    arrived = SteppedClock().now()

    captured = KernelTime().captured(
        Taken(IMAGE, arrived.monotonic_s, arrived.monotonic_s - 0.4), arrived
    )

    assert 0.4 == pytest.approx(arrived.since(captured))
    assert 0.4 == pytest.approx((arrived.utc - captured.utc).total_seconds())


def test_kernel_time_of_a_picture_that_waited_too_long_is_too_old() -> None:
    """Its driver has shown which clock it stamps with: nothing makes such a picture look new."""
    stamp, clock = KernelTime(), SteppedClock()
    first = clock.now()
    stamp.captured(Taken(IMAGE, first.monotonic_s, first.monotonic_s), first)
    clock.advance(3600.0)
    arrived = clock.now()

    waited = stamp.captured(Taken(IMAGE, arrived.monotonic_s, first.monotonic_s + 0.2), arrived)

    assert arrived.since(waited) >= 10.0


@pytest.mark.parametrize("offset_s", [None, 5.0, -3600.0, 1_700_000_000.0])
def test_kernel_time_is_the_arrival_when_the_stamp_is_of_another_clock(
    offset_s: float | None,
) -> None:
    """A stamp that is missing, in the future or long past is not of the monotonic clock."""
    arrived = SteppedClock().now()
    time_s = None if offset_s is None else arrived.monotonic_s + offset_s

    assert arrived == KernelTime().captured(Taken(IMAGE, arrived.monotonic_s, time_s), arrived)
