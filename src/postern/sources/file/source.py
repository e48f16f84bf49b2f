"""A video, a picture or a folder of pictures, given as a camera would give them."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import av
from av.container import InputContainer

from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.frame import Frame, Image, image_of
from postern.picture import MAX_BYTES, decode, is_picture
from postern.sources.file.config import Config
from postern.stream.video import frame_step_s, open_container, pictures

#: Seconds. A longer gap between two pictures of a video is shortened to this: recorders that write
#: only while something moves leave hours, and damaged times would stop a lane for good.
MAX_GAP_S = 5.0
#: Containers that recordings come in. Playlists are left out on purpose: they name other files and
#: addresses, and FFmpeg would open them.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,mjpeg,m4v,flv,asf,ogg,ivf,nut"
#: A bare Motion-JPEG stream begins like a picture, so that here alone the name decides.
BARE_MJPEG = (".mjpeg", ".mjpg")


class FileSource:
    """Plays a file. Frames carry the moment at which they are given, not that of the recording.

    A frame that is late is given at once. Every call of `frames` plays from the beginning.

    Args:
        config: Which file.
        camera: Which camera it stands in for.
        clock: The two clocks.
    """

    live = False

    def __init__(self, config: Config, camera: CameraId, clock: Clock) -> None:
        self._config = config
        self._camera = camera
        self._clock = clock
        self._closed = Event()

    def frames(self) -> Iterator[Frame]:
        """Frames until the end of the file (never, where it loops) or until `close`.

        Raises:
            PosternError: `not_found` without the file; `unavailable` where it cannot be read now;
                `invalid` where it is neither video nor picture, is too large, or is damaged: then
                the frames before the damage have been given.
        """
        start = self._clock.now()
        for sequence, (due_s, image) in enumerate(self._playing()):
            if self._config.realtime:
                self._wait_until(start.plus(due_s))
            if self._closed.is_set():
                return
            yield Frame(self._camera, image, self._clock.now(), sequence)

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        self._closed.set()

    def _wait_until(self, due: Moment) -> None:
        left_s = due.since(self._clock.now())
        if left_s > 0.0:
            self._closed.wait(left_s)

    def _playing(self) -> Iterator[tuple[float, Image]]:
        """Every picture with the seconds after the start at which it is due."""
        timeline = Timeline()
        while not self._closed.is_set():
            for step_s, time_s, image in self._once():
                yield timeline.due(time_s, step_s), image
            if not self._config.loop:
                return
            timeline.rewind()

    def _once(self) -> Iterator[tuple[float, float | None, Image]]:
        """One pass over the file: the usual step from one picture to the next, and each with its
        own time where it has one."""
        path, step_s = self._config.path, 1.0 / self._config.fps
        files = _pictures_at(path)
        if files is not None:
            for file in files:
                yield step_s, None, _read_picture(file)
            return
        with _open_video(path) as container:
            step_s = frame_step_s(container, step_s)
            for picture in pictures(container, f"The video {path}", tolerant=False):
                yield step_s, picture.time_s, image_of(picture.pixels)


class Timeline:
    """When pictures are due, in seconds after the first, whatever times their file states.

    Times never run backwards and never leave a gap over `MAX_GAP_S`.
    """

    def __init__(self) -> None:
        self._due_s = 0.0
        self._stated_s: float | None = None
        self._begun = False

    def due(self, stated_s: float | None, step_s: float) -> float:
        """When the next picture is due.

        Args:
            stated_s: Its time in the file's own count; None where the file does not say.
            step_s: The step to take where two neighbours do not both say.
        """
        if stated_s is not None and self._stated_s is not None:
            step_s = stated_s - self._stated_s
        if self._begun:
            self._due_s += min(max(step_s, 0.0), MAX_GAP_S)
        self._begun, self._stated_s = True, stated_s
        return self._due_s

    def rewind(self) -> None:
        """The file begins again: its times do, and the due times go on."""
        self._stated_s = None


def _pictures_at(path: Path) -> list[Path] | None:
    """The picture files that `path` names; None where it must be a video."""
    try:
        if path.is_dir():
            return _pictures_in(path)
        if not path.exists():
            raise PosternError(Code.NOT_FOUND, f"There is no file {path}.")
        if not path.is_file():
            raise invalid(f"{path} is neither a file nor a folder.")
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise _unreadable(path, error) from None
    return [path] if is_picture(head) and path.suffix.lower() not in BARE_MJPEG else None


def _pictures_in(folder: Path) -> list[Path]:
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise invalid(f"The folder {folder} holds no pictures.")
    return files


def _read_picture(path: Path) -> Image:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # One more than allowed, and `decode` says so.
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        return decode(data)
    except PosternError as error:
        raise PosternError(error.code, f"{path}: {error.message}", error.hint) from None


def _open_video(path: Path) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        # The prefix keeps a name with a colon from being read as an address.
        return open_container(f"file:{path}", options=options)
    except av.FFmpegError:  # The file was read a moment ago; it is what it holds.
        raise invalid(
            f"{path} is neither a video nor a picture, or its beginning or end is damaged.",
            "It takes videos (MP4, Matroska, AVI, MPEG-TS ...) and JPEG, PNG, BMP, PGM and PPM.",
        ) from None


def _unreadable(path: Path, error: OSError) -> PosternError:
    return PosternError(Code.UNAVAILABLE, f"{path} cannot be read ({error.strerror}).")
