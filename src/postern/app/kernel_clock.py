"""What the kernel says of the machine's clock: whether something keeps it right, and its steps."""

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from postern.core.moment import FIRST_YEAR, LAST_YEAR

#: adjtimex(2): the clock is not synchronised.
_TIME_ERROR = 5
_STA_UNSYNC = 0x0040
#: Bytes before `status` in `struct timex` of 64-bit machines: modes, padding, four longs.
_STATUS_AT = 8 + 4 * 8
#: Bytes; the structure has 208 of them.
_TIMEX = 256
#: Seconds that a reading of both clocks may take; a process that was stopped in between reads anew.
_AT_ONCE_S = 0.5
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment.

    Attributes:
        utc: What the calendar shows; None where it is a year that no calendar of ours has.
        elapsed_s: Seconds since the machine started, also those in which it slept.
        synchronised: Whether something keeps the calendar right, as far as the kernel knows.
    """

    utc: datetime | None
    elapsed_s: float
    synchronised: bool

    @property
    def offset_s(self) -> float | None:
        """Seconds of the calendar that the other clock does not explain; it changes by steps."""
        return None if self.utc is None else self.utc.timestamp() - self.elapsed_s


def read_clocks() -> Reading:
    """The machine's clocks, now.

    The other clock counts sleep as well (CLOCK_BOOTTIME): waking up is no step of the calendar.
    """
    for _ in range(_TRIES):
        before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        utc = _calendar()
        after_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        if after_s - before_s <= _AT_ONCE_S:
            break
    return Reading(utc, after_s, synchronised())


def synchronised() -> bool:
    """Whether the kernel takes its clock for synchronised; not where it does not say.

    Who keeps a clock right tells the kernel (chrony, systemd-timesyncd, ntpd). When nobody has for
    some nine hours, and whenever the clock is set by hand, it says no.
    """
    timex = ctypes.create_string_buffer(_TIMEX)  # All zero: it asks, and changes nothing.
    state = _library().adjtimex(timex)
    status = int.from_bytes(timex.raw[_STATUS_AT : _STATUS_AT + 4], "little")
    return 0 <= state < _TIME_ERROR and not status & _STA_UNSYNC


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _calendar() -> datetime | None:
    try:
        now = datetime.fromtimestamp(time.clock_gettime(time.CLOCK_REALTIME), UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return now if FIRST_YEAR <= now.year <= LAST_YEAR else None
