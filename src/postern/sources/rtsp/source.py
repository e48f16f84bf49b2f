"""A camera that streams over RTSP: most network cameras do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources.lag import Lag
from postern.sources.live import LiveStream
from postern.sources.network import (
    Address,
    Scheme,
    check_access,
    check_rate,
    connect,
    password_of,
    read_address,
)
from postern.sources.size import Size, check_size
from postern.stream.decoder import Decoder
from postern.stream.job import Job, Means

#: RFC 2326, section 3.2; the second is TLS on port 322 (RFC 7826, section 4.2).
_SCHEMES = (Scheme("rtsp", 554, secure=False), Scheme("rtsps", 322, secure=True))


@dataclass(frozen=True, slots=True)
class Config:
    """Which camera, as whom, and what is asked of it.

    Attributes:
        url: Its address: rtsp://HOST/PATH, or rtsps:// for an encrypted connection.
        user: As whom to ask; empty for nobody.
        password_file: The file with the password.
        certificate: For rtsps: the certificate that the camera shows, or of who signed it; None for
            the authorities of this system.
        fps: Pictures per second that are looked at, at most.
        width: Pixels that its pictures have; None for whatever they have.
        height: Likewise.
        hardware: Whether to decode in hardware where there is such.
    """

    url: str
    user: str = ""
    password_file: Path | None = None
    certificate: Path | None = None
    fps: float = 10.0
    width: int | None = None
    height: int | None = None
    hardware: bool = True

    def __post_init__(self) -> None:
        read_address(self.url, _SCHEMES)
        check_access(self.user, self.password_file)
        check_rate(self.fps)
        check_size(self.width, self.height)

    @property
    def address(self) -> Address:
        """Its address."""
        return read_address(self.url, _SCHEMES)


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
        self._stream = LiveStream(self._name, self._open, camera, clock, lambda: Lag().captured)

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
            password=password_of(config.password_file),
            most_fps=config.fps,
            hardware=config.hardware,
        )
        return Decoder(job, connect(address.pin(), self._name))
