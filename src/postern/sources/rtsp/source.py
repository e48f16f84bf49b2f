"""A camera that streams over RTSP: most network cameras do."""

from collections.abc import Iterator

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources.lag import Lag
from postern.sources.live import LiveStream
from postern.sources.network import connect
from postern.sources.rtsp.config import Config
from postern.sources.size import Size
from postern.stream.decoder import Decoder
from postern.stream.job import Job, Means


class RtspSource:
    """One camera. Frames are dated by the stream's own times.

    Args:
        config: Which camera.
        camera: What it is called.
        clock: The two clocks.
    """

    live = True

    def __init__(self, config: Config, camera: CameraId, clock: Clock) -> None:
        self._config = config
        self._address = config.address
        self._name = f"The camera at {self._address}"
        self._size = Size(self._name, config.width, config.height)
        self._stream = LiveStream(
            self._name, self._open, camera, clock, lambda: Lag(self._name).captured
        )

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time, until `close`; after an error it may be called again.

        Raises:
            PosternError: `unavailable` where the camera cannot be reached, refuses, stops, or gives
                pictures that are too large, or of another size than they should be.
        """
        return self._size.checked(self._stream.frames())

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        self._stream.close()

    def _open(self) -> Decoder:
        config, address = self._config, self._address
        job = Job(
            Means.RTSP,
            address.target,
            self._name,
            host=address.endpoint.host,
            secure=address.secure,
            authority=str(config.certificate or ""),
            user=config.user,
            password=config.password(),
            in_clear=config.password_in_clear,
            most_fps=config.fps,
            hardware=config.hardware,
        )
        return Decoder(job, connect(address.pin(), self._name))
