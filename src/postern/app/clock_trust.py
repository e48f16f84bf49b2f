"""Whether the calendar can be believed. While it cannot, only permits without a schedule and
without an end count (`decide` sees to it), and nothing is destroyed because its time is over.

It is believed when all of this holds:

1. It shows a time that can be right (`plausible`).
2. Where the site says that a server keeps it right, the kernel knows of one that does.
3. It has not stepped since it was last believed. A step is a change of the calendar by more than
   a minute that no clock that only ever runs explains, at once or in smaller ones faster than a
   clock is ever drawn; summer time and leap seconds are none, nor is the time in which the machine
   slept.

After a step it is believed again when the kernel calls it synchronised, when it is back where it
was, or when the service starts anew, by which an operator says that it is right now.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock

from postern.app.board import CLOCK
from postern.app.clock import plausible
from postern.app.kernel_clock import Reading, read_clocks
from postern.app.site import ClockSource
from postern.core.ids import CameraId
from postern.engine.supervise import shielded

Tell = Callable[[CameraId, str, str], None]

#: Seconds. What NTP corrects by itself without a step is a fraction of one, a leap second is one;
#: no schedule is meant to the minute.
STEP_S = 60.0
#: Seconds by which a calendar may be drawn within one second; chrony, the fastest, takes a twelfth.
DRAWN = 0.1
_EFFECT = "Permits with a schedule or an end do not count until it is right."


class ClockTrust:
    """Looks at the clocks whenever it is asked, and tells whenever the answer changes.

    Usable from any thread.

    Args:
        source: By what the calendar is right.
        tell: Told `clock`, a state (`ok` or `red`) and one sentence, as `Observer.health` is.
        read: Reads the clocks.
    """

    def __init__(
        self, source: ClockSource, tell: Tell, read: Callable[[], Reading] = read_clocks
    ) -> None:
        self._source = source
        self._tell = tell
        self._read = read
        self._lock = Lock()  # Guards what follows, and keeps what is told in order.
        self._offset_s: float | None = None  # What is believed of it,
        self._looked_s = 0.0  # and since when.
        self._told = ""

    def trusted(self, utc: datetime) -> bool:
        """Whether a time that the calendar showed a moment ago can be relied on."""
        return self.look() and plausible(utc)

    def look(self) -> bool:
        """Whether the calendar can be believed now."""
        with self._lock:
            reading = self._read()
            doubt = self._doubt(reading)
            if not doubt:
                self._believe(reading)
            if doubt != self._told:
                self._told = doubt
                state, why = ("red", doubt) if doubt else ("ok", "the calendar is believed again")
                shielded(lambda: self._tell(CameraId(CLOCK), state, why), lambda _why: None)
            return not doubt

    def _believe(self, reading: Reading) -> None:
        """Goes along with what is corrected little by little, however long it goes on; many small
        steps are not little by little."""
        offset_s, before_s = reading.offset_s, self._offset_s
        if before_s is not None and offset_s is not None and not reading.synchronised:
            drawn_s = DRAWN * (reading.elapsed_s - self._looked_s)
            offset_s = min(max(offset_s, before_s - drawn_s), before_s + drawn_s)
        self._offset_s, self._looked_s = offset_s, reading.elapsed_s

    def _doubt(self, reading: Reading) -> str:
        """What stands against the calendar; empty where nothing does."""
        if reading.utc is None or not plausible(reading.utc):
            return f"The calendar shows a time that cannot be right. {_EFFECT}"
        if self._source is ClockSource.NTP and not reading.synchronised:
            return f"No time server keeps the calendar right. {_EFFECT}"
        if self._stepped(reading) and not reading.synchronised:
            return (
                f"The calendar was changed by more than a minute while the service ran. {_EFFECT} "
                "If it is right now, start the service anew."
            )
        return ""

    def _stepped(self, reading: Reading) -> bool:
        before_s, now_s = self._offset_s, reading.offset_s
        return before_s is not None and now_s is not None and not abs(now_s - before_s) <= STEP_S
