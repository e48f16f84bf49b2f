"""Frames of a camera that may keep a reader waiting for as long as it likes.

A thread of its own waits for the camera, because no camera promises to answer: whoever iterates
`frames` waits on that thread, never on the camera, and so always ends in time. Only the newest
frame is kept between the two; what is passed over shows as a gap in `Frame.sequence`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Protocol

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.frame import Frame
from postern.stream.taken import Taken

#: Seconds until a camera that gives nothing counts as gone: the first time (USB cameras wake up and
#: set their exposure first, others wait for their next whole picture), and later.
FIRST_PICTURE_S = 10.0
NEXT_PICTURE_S = 4.0
#: Seconds between two looks at whether to stop; `close` must end `frames` within one.
POLL_S = 0.2
#: Seconds that the reader gets to let go of the camera before `frames` ends without it.
FAREWELL_S = 0.5
#: Seconds. A picture that has waited for longer is as old as this: nothing opens for it either way.
_MAX_LAG_S = 10.0


class Feed(Protocol):
    """A camera's pictures, from when it was opened until it is closed."""

    def pictures(self) -> Iterator[Taken]:
        """The pictures as they come.

        Raises:
            PosternError: With what the camera did instead.
        """
        ...

    def close(self) -> None:
        """Ends it at once, from any thread; safe to call twice."""
        ...


#: Gives a picture's moment of capture from the picture and the moment it arrived.
Stamp = Callable[[Taken, Moment], Moment]


class LiveStream:
    """A camera read through a feed.

    Args:
        name: What to call it in errors.
        open_feed: Opens it; called on the reader's thread, anew by every call of `frames`.
        camera: Which camera it is.
        clock: The two clocks.
        new_stamp: Makes what tells when pictures were taken, anew for every call of `frames`.
    """

    def __init__(
        self,
        name: str,
        open_feed: Callable[[], Feed],
        camera: CameraId,
        clock: Clock,
        new_stamp: Callable[[], Stamp] = lambda: lambda _taken, arrived: arrived,
    ) -> None:
        self._name = name
        self._open_feed = open_feed
        self._camera = camera
        self._clock = clock
        self._new_stamp = new_stamp
        self._closed = Event()

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time, until `close`. After an error it may be called again.

        Raises:
            PosternError: `unavailable` where the camera cannot be opened, stops sending, gives no
                sound picture for too long, or too large ones; as whatever opens it.
        """
        slot: Queue[Frame | Exception] = Queue(maxsize=1)
        reading = _Reading()
        reader = Thread(target=self._read, args=(slot, reading), name=self._camera, daemon=True)
        reader.start()
        try:
            yield from self._taken_from(slot)
        finally:
            reading.end()
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

    def _read(self, slot: "Queue[Frame | Exception]", reading: "_Reading") -> None:
        try:
            feed, stamp, captured = self._open_feed(), self._new_stamp(), None
            if not reading.begin(feed):
                return
            for sequence, taken in enumerate(feed.pictures()):
                captured = _not_before(captured, stamp(taken, self._arrived(taken)))
                _replace(slot, Frame(self._camera, taken.image, captured, sequence))
            _replace(slot, self._gone("has stopped sending"))
        except Exception as error:  # noqa: BLE001 - not kept: the thread that iterates raises it
            _replace(slot, error)
        finally:
            reading.end()

    def _arrived(self, taken: Taken) -> Moment:
        """When a picture arrived, by both clocks; now, where what is told lies in the future."""
        now = self._clock.now()
        # The service may have stood still, and pictures wait for it.
        return now.plus(-min(max(0.0, now.monotonic_s - taken.arrived_s), _MAX_LAG_S))

    def _gone(self, how: str) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE, f"{self._name} {how}.", "Check its cable and its power."
        )


class _Reading:
    """A feed that two threads may end: whoever has enough of it, and who reads it."""

    def __init__(self) -> None:
        self._lock = Lock()  # Guards what follows.
        self._feed: Feed | None = None
        self._ended = False

    def begin(self, feed: Feed) -> bool:
        """Takes the feed; closes it at once and says no where nobody wants it any more."""
        with self._lock:
            self._feed = feed
            if not self._ended:
                return True
        feed.close()
        return False

    def end(self) -> None:
        """Closes the feed, now or once it is there."""
        with self._lock:
            self._ended, feed = True, self._feed
        if feed is not None:
            feed.close()


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
