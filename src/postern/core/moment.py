"""A point in time on both clocks: the calendar's, and the one that never jumps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from postern.core.errors import invalid


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened.

    Attributes:
        utc: The calendar's time; aware. Schedules and expiry go by it.
        monotonic_s: Seconds on this machine's monotonic clock. Freshness goes by it, because the
            calendar's clock may be stepped between a frame and its decision.
    """

    utc: datetime
    monotonic_s: float

    def __post_init__(self) -> None:
        if self.utc.utcoffset() is None:
            raise invalid("A time without a time zone cannot be compared.")
        if not isfinite(self.monotonic_s):
            raise invalid("A monotonic time must be a finite number of seconds.")

    def since(self, earlier: "Moment") -> float:
        """Seconds from `earlier` to this moment; negative if `earlier` lies in the future."""
        return self.monotonic_s - earlier.monotonic_s

    def plus(self, seconds: float) -> "Moment":
        """The moment `seconds` later on both clocks."""
        return Moment(self.utc + timedelta(seconds=seconds), self.monotonic_s + seconds)
