"""A camera that gives one picture at a time over HTTP: old ones, intercoms, other programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Frame
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

_SCHEMES = (Scheme("http", 80, secure=False), Scheme("https", 443, secure=True))


@dataclass(frozen=True, slots=True)
class Config:
    """Which camera, as whom, and how often it is asked.

    Attributes:
        url: The address of its picture: http://HOST/PATH, or https://.
        user: As whom to ask; empty for nobody.
        password_file: The file with the password.
        certificate: For https: the certificate that the camera shows, or of who signed it; None for
            the authorities of this system.
        fps: Pictures per second that are asked for, at most.
        width: Pixels that its pictures have; None for whatever they have.
        height: Likewise.
    """

    url: str
    user: str = ""
    password_file: Path | None = None
    certificate: Path | None = None
    fps: float = 4.0
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        read_address(self.url, _SCHEMES)
        check_access(self.user, self.password_file)
        check_rate(self.fps)
        check_size(self.width, self.height)

    @property
    def address(self) -> Address:
        """Its address."""
        return read_address(self.url, _SCHEMES)


class SnapshotSource:
    """One camera. A picture counts as old as the question for it.

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
        self._stream = LiveStream(self._name, self._open, camera, clock)

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time, until `close`; after an error it may be called again.

        Raises:
            PosternError: `unavailable` where the camera cannot be reached, refuses, or gives no
                picture, or one of another size than it should.
        """
        return self._size.checked(self._stream.frames())

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        self._stream.close()

    def _open(self) -> Decoder:
        config, address = self._config, self._address
        pinned = address.pin()
        # A process is started only where somebody takes a connection.
        connect(pinned, self._name).close()
        return Decoder(
            Job(
                Means.SNAPSHOT,
                address.target,
                self._name,
                host=pinned.authority,
                secure=address.secure,
                authority=str(config.certificate or ""),
                user=config.user,
                password=password_of(config.password_file),
                most_fps=config.fps,
                address=str(pinned.number),
                port=pinned.port,
            )
        )
