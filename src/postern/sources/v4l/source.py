"""A camera at one of this machine's own ports, through FFmpeg's Video4Linux input.

Not tried on hardware so far (quality.toml): what is tested is everything behind the driver.
"""

from collections.abc import Iterator
from pathlib import Path

import av

from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources.live import LiveStream
from postern.sources.v4l.config import Config
from postern.stream.decoder import Decoder
from postern.stream.job import Job, Means
from postern.stream.taken import Taken

#: Seconds. A first picture that claims to be older was not stamped by this machine's monotonic
#: clock; a later one is too old for anything.
MAX_LAG_S = 10.0


class V4lSource:
    """One camera. Frames carry the kernel's time of capture where the driver gives one.

    Args:
        config: Which camera.
        camera: What it is called.
        clock: The two clocks.
    """

    live = True

    def __init__(self, config: Config, camera: CameraId, clock: Clock) -> None:
        self._config = config
        self._name = f"The camera {config.path}"
        self._stream = LiveStream(
            self._name, self._open, camera, clock, lambda: KernelTime().captured
        )

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time, until `close`; after an error it may be called again.

        Raises:
            PosternError: `unavailable` where the camera is absent, in use, or stops, or its
                pictures are too large; `invalid` where PyAV cannot read cameras here.
        """
        try:
            yield from self._stream.frames()
        except PosternError as error:
            if not error.retry_helps:
                raise
            raise _with_cameras(error) from None

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        self._stream.close()

    def _open(self) -> Decoder:
        config = self._config
        if not config.path.exists():
            raise PosternError(Code.UNAVAILABLE, f"{self._name} is not there.")
        if not any("v4l2" in name.split(",") for name in av.formats_available):
            raise invalid("This build of PyAV cannot read cameras; it needs Linux.")
        options = {"video_size": f"{config.width}x{config.height}", "framerate": f"{config.fps:g}"}
        return Decoder(
            Job(Means.DEVICE, str(config.path), self._name, format="v4l2", options=options)
        )


class KernelTime:
    """When the kernel captured the pictures of one stream, from its beginning.

    Drivers stamp buffers with the monotonic clock (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), the very
    clock of `Moment.monotonic_s`. Without it, a picture that waited in the driver would pass as
    fresh. Some old drivers stamp with the calendar's time: the first stamp is off by years then,
    and moments of arrival are taken instead.
    """

    def __init__(self) -> None:
        self._is_monotonic: bool | None = None  # Not known before the first stamp.

    def captured(self, taken: Taken, arrived: Moment) -> Moment:
        """When a picture was captured; at most `MAX_LAG_S` ago.

        Args:
            taken: The picture.
            arrived: When it came.
        """
        if taken.time_s is None:
            return arrived
        lag_s = arrived.monotonic_s - taken.time_s
        if self._is_monotonic is None:
            self._is_monotonic = 0.0 <= lag_s <= MAX_LAG_S
        # A later one that is older has waited while this machine, or its service, stood still.
        return arrived.plus(-min(max(0.0, lag_s), MAX_LAG_S)) if self._is_monotonic else arrived


def cameras(
    devices: Path = Path("/dev"), names: Path = Path("/sys/class/video4linux")
) -> tuple[str, ...]:
    """The cameras of this machine, each as its path and, in brackets, its name.

    Args:
        devices: Where device files are.
        names: Where the kernel tells their names.
    """
    return tuple(_described(node, names) for node in sorted(devices.glob("video[0-9]*")))


def _described(node: Path, names: Path) -> str:
    try:
        name = (names / node.name / "name").read_text("utf-8", "replace").strip()
    except OSError:
        return str(node)
    return f"{node} ({name})"


def _with_cameras(error: PosternError) -> PosternError:
    """A failure, with the cameras that there are."""
    present = ", ".join(cameras()) or "none"
    return PosternError(
        error.code, f"{error.message.rstrip('.')}; cameras present: {present}.", error.hint
    )
