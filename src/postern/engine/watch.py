"""One camera: a thread that takes frames in, and one that looks at the newest."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Semaphore, Thread
from time import monotonic

from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.engine.health import Health
from postern.engine.mailbox import Mailbox
from postern.engine.ports import Eye, Reader
from postern.engine.progress import Progress
from postern.engine.supervise import BackOff, shielded, supervise
from postern.frame import Frame, Track

See = Callable[[CameraId, Kind, tuple[Track, ...], Moment], None]
Tell = Callable[[CameraId, str, str], None]

#: Seconds without a frame, or without a free desk, after which the analysis looks up to see whether
#: it should end.
_PATIENCE_S = 0.5
#: Seconds that the end of a recording leaves for its last passer-by to count as gone.
_AFTERMATH_S = 1.5
#: Seconds for both threads to end. Sources do within one; a look may be under way.
STOP_S = 2.5
_IN, _LOOK = "in", "look"


@dataclass(frozen=True, slots=True)
class Count:
    """What a camera's watch has done since its start.

    Attributes:
        camera: Which camera.
        taken: How many frames came.
        dropped: How many of them were replaced by newer ones before they were looked at.
        looking_s: Seconds that it took to look at the others, decoding not included.
    """

    camera: CameraId
    taken: int
    dropped: int
    looking_s: float


class Watch:
    """Watches one camera from `start` until its source ends or `stop`.

    Args:
        eye: The camera and what makes tracks of its frames.
        see: Told the living tracks after every frame.
        tell: Told the camera's state.
        desks: How many cameras may be looked at at once; shared by all.
        back_off: How long to wait before what failed is started again.
        progress: Told that its threads get on; that of the lane.
    """

    def __init__(
        self,
        eye: Eye,
        see: See,
        tell: Tell,
        desks: Semaphore,
        back_off: BackOff | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._eye = eye
        self._see = see
        self._desks = desks
        self._back_off = back_off or BackOff()
        self._progress = progress or Progress()
        self._health = Health((_IN, _LOOK), lambda state, why: tell(eye.camera, state, why))
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._stop = Event()
        self._drained = Event()
        self._ended = Event()
        self._taken = 0  # Belongs to the thread that takes in.
        # These three belong to the thread that looks.
        self._overtaken = 0
        self._looking_s = 0.0
        self._last: Moment | None = None
        self._threads: tuple[Thread, ...] = ()

    @property
    def dropped(self) -> int:
        """How many frames were replaced by newer ones before they were looked at."""
        return self._mailbox.dropped + self._overtaken

    @property
    def count(self) -> Count:
        """What it has done so far."""
        return Count(self._eye.camera, self._taken, self.dropped, self._looking_s)

    def start(self) -> None:
        """Starts both threads."""
        self._threads = (
            Thread(target=self._take_in, name=f"{self._eye.camera}-in", daemon=True),
            Thread(target=self._look_on, name=f"{self._eye.camera}-look", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def halt(self) -> None:
        """Tells both threads to end, without waiting; no frame is decided on that comes later."""
        self._stop.set()
        self._mailbox.close()
        self._close()

    def join(self, timeout_s: float) -> None:
        """Waits until both threads have ended, for so many seconds at most."""
        deadline_s = monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - monotonic()))

    def stop(self) -> None:
        """Ends both threads within about a second, and never waits longer than `STOP_S`."""
        self.halt()
        self.join(STOP_S)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until the last frame of the source was looked at; False if it was not in time."""
        return self._ended.wait(timeout_s)

    def _take_in(self) -> None:
        self._arrived()
        self._supervise(_IN, self._capture)
        self._drained.set()

    def _look_on(self) -> None:
        self._progress.step()
        self._supervise(_LOOK, self._analyse)
        # Frames that nobody will look at need not be fetched.
        self._close()
        self._ended.set()

    def _close(self) -> None:
        # A source that cannot even be closed must not keep the other cameras running.
        shielded(self._eye.source.close, lambda why: self._health.report(_IN, "red", why))

    def _supervise(self, part: str, work: Callable[[], None]) -> None:
        def told(state: str, why: str) -> None:
            # What is told to be down is waited for only once it has got on again.
            self._progress.rest()
            self._health.report(part, state, why)

        supervise(work, told, self._stop, self._back_off)
        self._progress.rest()

    def _arrived(self) -> None:
        # A live camera that says nothing for long raises, as its source promises; a recording may
        # pause for as long as it likes.
        if self._eye.source.live:
            self._progress.step()

    def _capture(self) -> None:
        for frame in self._eye.source.frames():
            if self._stop.is_set():
                return
            self._taken += 1
            self._arrived()
            fault = self._eye.tamper.fault(frame)
            if fault is None:
                self._mailbox.put(frame)
                self._health.report(_IN, "ok", "frames arrive")
            else:
                self._health.report(_IN, "red", f"the camera {fault}")

    def _analyse(self) -> None:
        while not self._stop.is_set():
            self._progress.step()
            frame = self._mailbox.take(_PATIENCE_S)
            if frame is not None:
                self._look(frame)
                self._health.report(_LOOK, "ok", "frames arrive")
            elif self._drained.is_set():
                break
        self._leave()

    def _look(self, frame: Frame) -> None:
        frame, found = self._tracks(frame)
        for kind, tracks in found.items():
            # What was being looked at when the end came opens nothing any more.
            if not self._stop.is_set():
                self._see(self._eye.camera, kind, tracks, frame.captured)
        if found:
            shielded(lambda: self._eye.window.show(frame, found), lambda _why: None)

    def _tracks(self, frame: Frame) -> tuple[Frame, dict[Kind, tuple[Track, ...]]]:
        """The frame that was looked at, which is a newer one where that came while all desks were
        taken, and the tracks of each kind after it; none at all where the end came first."""
        while not self._desks.acquire(timeout=_PATIENCE_S):
            if self._stop.is_set():
                return frame, {}
        begun_s = monotonic()
        try:
            newer = self._mailbox.take(0.0)
            if newer is not None:
                frame, self._overtaken = newer, self._overtaken + 1
            self._last = frame.captured
            moved = self._eye.gate.moved(frame)
            return frame, {
                reader.kind: _followed(reader, frame, moved) for reader in self._eye.readers
            }
        finally:
            self._desks.release()
            self._looking_s += monotonic() - begun_s

    def _leave(self) -> None:
        """After the last frame nobody is there any more, whatever the tracker remembers."""
        if self._last is not None:
            gone = self._last.plus(_AFTERMATH_S)
            for reader in self._eye.readers:
                reader.tracker.update((), gone)
                self._see(self._eye.camera, reader.kind, (), gone)


def _followed(reader: Reader, frame: Frame, moved: bool) -> tuple[Track, ...]:
    """The tracks of one kind after a frame; where nothing moved nothing is looked for."""
    sightings = reader.recogniser.sightings(frame) if moved else ()
    return reader.tracker.update(sightings, frame.captured)
