"""One camera: a thread that takes frames in, and one that looks at the newest."""

from collections.abc import Callable
from threading import Event, Semaphore, Thread

from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.engine.mailbox import Mailbox
from postern.engine.ports import Eye
from postern.engine.supervise import BackOff, supervise
from postern.frame import Frame, Track

See = Callable[[CameraId, Kind, tuple[Track, ...], Moment], None]
Tell = Callable[[CameraId, str, str], None]

#: Seconds without a frame after which the analysis looks up to see whether it should end.
_PATIENCE_S = 0.5
#: Seconds that the end of a recording leaves for its last passer-by to count as gone.
_AFTERMATH_S = 1.5


class Watch:
    """Watches one camera from `start` until its source ends or `stop`.

    Args:
        eye: The camera and what makes tracks of its frames.
        see: Told the living tracks after every frame.
        tell: Told the camera's state.
        desks: How many cameras may be looked at at once; shared by all.
    """

    def __init__(self, eye: Eye, see: See, tell: Tell, desks: Semaphore) -> None:
        self._eye = eye
        self._see = see
        self._tell = tell
        self._desks = desks
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._stop = Event()
        self._drained = Event()
        self._ended = Event()
        self._last: Moment | None = None
        self._threads: tuple[Thread, ...] = ()

    @property
    def dropped(self) -> int:
        """How many frames were replaced by newer ones before they were looked at."""
        return self._mailbox.dropped

    def start(self) -> None:
        """Starts both threads."""
        self._threads = (
            Thread(target=self._supervised, args=(self._capture,), name=f"{self._eye.camera}-in"),
            Thread(target=self._supervised, args=(self._analyse,), name=f"{self._eye.camera}-look"),
        )
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self) -> None:
        """Ends both threads within about a second."""
        self._stop.set()
        self._eye.source.close()
        self._mailbox.close()
        for thread in self._threads:
            thread.join(timeout=3.0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until the last frame of the source was looked at; False if it was not in time."""
        return self._ended.wait(timeout_s)

    def _supervised(self, work: Callable[[], None]) -> None:
        camera = self._eye.camera
        supervise(work, lambda state, why: self._tell(camera, state, why), self._stop, BackOff())
        if work == self._capture:
            self._drained.set()
        else:
            self._ended.set()

    def _capture(self) -> None:
        for at, frame in enumerate(self._eye.source.frames()):
            if at == 0:
                self._tell(self._eye.camera, "ok", "frames arrive")
            self._mailbox.put(frame)

    def _analyse(self) -> None:
        while not self._stop.is_set():
            frame = self._mailbox.take(_PATIENCE_S)
            if frame is not None:
                self._look(frame)
            elif self._drained.is_set():
                self._leave()
                return

    def _look(self, frame: Frame) -> None:
        eye = self._eye
        with self._desks:
            sightings = eye.recogniser.sightings(frame) if eye.gate.moved(frame) else ()
            tracks = eye.tracker.update(sightings, frame.captured)
        self._last = frame.captured
        self._see(eye.camera, eye.kind, tracks, frame.captured)

    def _leave(self) -> None:
        """After the last frame nobody is there any more."""
        if self._last is not None:
            gone = self._last.plus(_AFTERMATH_S)
            self._see(self._eye.camera, self._eye.kind, self._eye.tracker.update((), gone), gone)
