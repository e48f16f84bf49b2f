"""Signals of a device that may keep a reader waiting for as long as it likes.

A thread of its own reads the device. Whoever iterates `signals` waits on that thread, never on the
device, and so always ends in time. What the device says goes through two steps there: contacts
bounce, so that a state counts only once it has lasted; and only changes are told.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread

from postern.core.errors import invalid
from postern.core.moment import Moment
from postern.core.ports import Clock
from postern.core.signal import Signal

#: Seconds between two looks at whether to stop; `close` must end `signals` within one.
POLL_S = 0.2
#: Seconds that the reader gets to let go of the device before `signals` ends without it.
FAREWELL_S = 0.5
#: Signals that nobody took yet. A reader that has so many waits; whoever is to act on them is busy.
MOST = 64
#: Seconds. A contact that bounces for longer is a fault, not a bounce.
MAX_DEBOUNCE_S = 10.0

#: Told a state of the contact, or None where the device is reached and says none yet; and whether
#: it was seen to become so.
Hear = Callable[[bool | None, bool], None]
#: What goes from the reader to whoever iterates: as `signals` gives it, or why it ends.
Item = Signal | Exception | None
#: Reads a device until the event is set: tells every state that it sees, and asks at least every
#: few hundred milliseconds whether to end.
Listen = Callable[[Hear, Event], None]


def check_debounce(seconds: float) -> None:
    """Refuses a time that no contact bounces for.

    Raises:
        PosternError: `invalid` where it is negative or longer than `MAX_DEBOUNCE_S`.
    """
    if not 0.0 <= seconds <= MAX_DEBOUNCE_S:
        raise invalid(f"A contact is given 0 to {MAX_DEBOUNCE_S:.0f} seconds to stop bouncing.")


class Debounce:
    """Turns what a contact says into its changes. No thread of its own: it is told the time.

    Args:
        wait_s: Seconds for which a state must last before it counts.
        inverted: Whether the contact is closed while what it means is not so.
    """

    def __init__(self, wait_s: float, inverted: bool) -> None:
        self._wait_s = wait_s
        self._inverted = inverted
        self._told: bool | None = None
        self._coming: Signal | None = None

    def hear(self, level: bool, live: bool, now: Moment) -> Signal | None:
        """Takes a state, also one that is as before; gives the signal that is due, if any.

        A signal's time is that at which its state began.
        """
        active = level is not self._inverted
        if active is self._told:
            self._coming = None
            return None
        if self._coming is None or self._coming.active is not active:
            self._coming = Signal(active, now, live)
        coming = self._coming
        if not now.since(coming.at) >= self._wait_s:
            return None
        self._told, self._coming = active, None
        return coming


class Listening:
    """Signals of one device.

    Args:
        name: What the reader's thread is called.
        listen: Reads the device; called on the reader's thread, anew by every call of `signals`.
        debounce: Makes what turns states into signals.
        clock: The two clocks.
    """

    def __init__(
        self, name: str, listen: Listen, debounce: Callable[[], Debounce], clock: Clock
    ) -> None:
        self._name = name
        self._listen = listen
        self._debounce = debounce
        self._clock = clock
        self._closed = Event()

    def signals(self) -> Iterator[Signal | None]:
        """See `postern.core.ports.Input.signals`."""
        heard: Queue[Item] = Queue(MOST)
        stop = Event()
        reader = Thread(target=self._read, args=(heard, stop), name=self._name, daemon=True)
        reader.start()
        try:
            while not self._closed.is_set():
                with suppress(Empty):
                    item = heard.get(timeout=POLL_S)
                    if isinstance(item, Exception):
                        raise item
                    yield item
        finally:
            stop.set()
            reader.join(FAREWELL_S)

    def close(self) -> None:
        """See `postern.core.ports.Input.close`."""
        self._closed.set()

    def _read(self, heard: "Queue[Item]", stop: Event) -> None:
        debounce = self._debounce()

        def hear(level: bool | None, live: bool) -> None:
            if level is None:
                _put(heard, None, stop)
            elif (signal := debounce.hear(level, live, self._clock.now())) is not None:
                _put(heard, signal, stop)

        try:
            self._listen(hear, stop)
        except Exception as error:  # noqa: BLE001 - not kept: the thread that iterates raises it
            _put(heard, error, stop)


def _put(heard: "Queue[Item]", item: Item, stop: Event) -> None:
    """Puts an item as soon as there is room, unless the end comes first."""
    while not stop.is_set():
        with suppress(Full):
            heard.put(item, timeout=POLL_S)
            return
