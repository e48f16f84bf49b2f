"""A point in time on both clocks: the calendar's, and the one that never jumps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postern.core.errors import invalid

#: Years. Every time zone's wall clock can be told between them, also on the day before.
FIRST_YEAR, LAST_YEAR = 1970, 9998
_FIRST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LAST = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999999, UTC)
#: Seconds; 30 million years. Beyond it a float no longer tells the parts of a second apart.
MAX_MONOTONIC_S = 1e15


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened.

    Attributes:
        utc: The calendar's time; aware UTC, 1970 to 9998. Schedules and expiry go by it.
        monotonic_s: Seconds on this machine's monotonic clock. Freshness goes by it, because the
            calendar's clock may be stepped between a frame and its decision.
    """

    utc: datetime
    monotonic_s: float

    def __post_init__(self) -> None:
        check_utc(self.utc)
        if not FIRST_YEAR <= self.utc.year <= LAST_YEAR:
            raise invalid(f"A calendar shows a year from {FIRST_YEAR} to {LAST_YEAR}.")
        if not -MAX_MONOTONIC_S < self.monotonic_s < MAX_MONOTONIC_S:
            raise invalid("A monotonic time must be a finite number of seconds.")

    def since(self, earlier: "Moment") -> float:
        """Seconds from `earlier` to this moment; negative if `earlier` lies in the future."""
        return self.monotonic_s - earlier.monotonic_s

    def plus(self, seconds: float) -> "Moment":
        """The moment `seconds` later on both clocks; the calendar stays within its years: what came
        seconds before a machine's clock began is no reason to stop."""
        utc = min(max(self.utc + timedelta(seconds=seconds), _FIRST), _LAST)
        return Moment(utc, self.monotonic_s + seconds)


def check_utc(*times: datetime | None) -> None:
    """Refuses times that cannot be compared safely; None is let through.

    A time without a zone does not compare with one that has one, and two times in the same zone are
    compared by their wall clocks, which is wrong in the hour that comes twice in autumn.

    Raises:
        PosternError: `invalid` where a time is not aware UTC.
    """
    if any(time is not None and time.utcoffset() != timedelta(0) for time in times):
        raise invalid("A time is kept in UTC.", "Convert it with `.astimezone(UTC)` first.")


def time_text(value: datetime) -> str:
    """A time as 2026-11-23T04:31:00.123456Z.

    Raises:
        PosternError: `invalid` for a time without a time zone.
    """
    if value.utcoffset() is None:
        raise invalid("A time without a time zone cannot be kept.")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(written: str) -> datetime:
    """The inverse of `time_text`.

    Raises:
        PosternError: `invalid` for anything that `time_text` does not give.
    """
    try:
        value = datetime.fromisoformat(written)
    except ValueError:
        raise invalid("A kept time is damaged.") from None
    if value.utcoffset() is None or time_text(value) != written:
        raise invalid("A kept time is damaged.")
    return value.astimezone(UTC)
