"""Frames of a camera whose driver may keep a reader waiting for as long as it likes.

A thread of its own reads the device, because no driver promises to come back: whoever iterates
`frames` waits on that thread, never on the device, and so always ends in time. Only the newest
frame is kept between the two; what is passed over shows as a gap in `Frame.sequence`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread

from av.container import InputContainer

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.frame import Frame
from postern.sources.video import Picture, pictures

#: Seconds until a camera that gives nothing counts as gone: the first time (USB cameras wake up and
#: set their exposure first), and later.
FIRST_PICTURE_S = 10.0
NEXT_PICTURE_S = 5.0
#: Seconds between two looks at whether to stop; `close` must end `frames` within one.
POLL_S = 0.2
#: Seconds that the reader gets to let go of the device before `frames` ends without it.
FAREWELL_S = 0.5


class LiveStream:
    """A camera read through FFmpeg.

    Args:
        name: What to call it in errors.
        open_device: Opens it; called on the reader's thread, anew by every call of `frames`.
        camera: Which camera it is.
        clock: The two clocks.
        stamp: Gives a picture's moment from the moment it arrived, for devices that know better.
    """

    def __init__(
        self,
        name: str,
        open_device: Callable[[], InputContainer],
        camera: CameraId,
        clock: Clock,
        stamp: Callable[[Picture, Moment], Moment] = lambda _picture, arrived: arrived,
    ) -> None:
        self._name = name
        self._open_device = open_device
        self._camera = camera
        self._clock = clock
        self._stamp = stamp
        self._closed = Event()

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time, until `close`. After an error it may be called again.

        Raises:
            PosternError: `unavailable` where the camera cannot be opened, stops sending, or gives
                no sound picture for too long; `invalid` where its pictures are too large.
        """
        slot: Queue[Frame | Exception] = Queue(maxsize=1)
        stop = Event()
        reader = Thread(target=self._read, args=(slot, stop), name=self._camera, daemon=True)
        reader.start()
        try:
            yield from self._taken_from(slot)
        finally:
            stop.set()
            reader.join(FAREWELL_S)

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        self._closed.set()

    def _taken_from(self, slot: "Queue[Frame | Exception]") -> Iterator[Frame]:
        since, patience_s = self._clock.now(), FIRST_PICTURE_S
        while not self._closed.is_set():
            try:
                item = slot.get(timeout=POLL_S)
            except Empty:
                if self._clock.now().since(since) > patience_s:
                    raise self._gone(f"has given no picture for {patience_s:.0f} s") from None
                continue
            if isinstance(item, Exception):
                raise item
            yield item
            since, patience_s = self._clock.now(), NEXT_PICTURE_S

    def _read(self, slot: "Queue[Frame | Exception]", stop: Event) -> None:
        try:
            with self._open_device() as container:
                captured = None
                for sequence, picture in enumerate(pictures(container, self._name, tolerant=True)):
                    if stop.is_set():
                        return
                    captured = _not_before(captured, self._stamp(picture, self._clock.now()))
                    _replace(slot, Frame(self._camera, picture.image, captured, sequence))
            _replace(slot, self._gone("has stopped sending"))
        except Exception as error:  # noqa: BLE001 - not kept: the thread that iterates raises it
            _replace(slot, error)

    def _gone(self, how: str) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE, f"{self._name} {how}.", "Check its cable and its power."
        )


def _not_before(earlier: Moment | None, moment: Moment) -> Moment:
    """`moment`, unless `earlier` is later: a frame's time never runs backwards."""
    return moment if earlier is None or moment.since(earlier) >= 0.0 else earlier


def _replace(slot: "Queue[Frame | Exception]", item: Frame | Exception) -> None:
    """Puts `item` in the place of what is there. Only the reader's thread puts."""
    while True:
        try:
            slot.put_nowait(item)
        except Full:
            with suppress(Empty):  # The other side may have taken it meanwhile.
                slot.get_nowait()
        else:
            return
