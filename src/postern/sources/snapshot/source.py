"""A camera that gives one picture at a time over HTTP: old ones, intercoms, other programs."""

from collections.abc import Iterator

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources.live import LiveStream
from postern.sources.network import connect
from postern.sources.size import Size
from postern.sources.snapshot.config import Config
from postern.stream.decoder import Decoder
from postern.stream.job import Job, Means


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
                password=config.password(),
                in_clear=config.password_in_clear,
                most_fps=config.fps,
                address=str(pinned.number),
                port=pinned.port,
            )
        )
