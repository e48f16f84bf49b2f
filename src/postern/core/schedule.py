"""Weekly schedules: spans of wall-clock time in a time zone, with exceptions.

Spans are compared with the wall clock, as people read them. In spring, the hour that does not exist
is in no span and a span that begins inside it begins when it ends; in autumn, the hour that comes
twice is in its span both times.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from postern.core.errors import invalid

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Span:
    """From one wall-clock time to another.

    Attributes:
        start: Belongs to the span.
        end: The first time that does not. Not later than `start` means on the next day, so that
            00:00 to 00:00 is a whole day and 22:00 to 06:00 a night.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise invalid("A span's times are wall-clock times; the schedule has the time zone.")

    @property
    def crosses_midnight(self) -> bool:
        """Whether it ends on the day after it began."""
        return self.end <= self.start

    def covers_on_its_day(self, clock: time) -> bool:
        """Whether `clock`, on the day the span begins, lies in it."""
        return self.start <= clock and (self.crosses_midnight or clock < self.end)

    def covers_on_the_day_after(self, clock: time) -> bool:
        """Whether `clock`, on the day after the span began, lies in it."""
        return self.crosses_midnight and clock < self.end


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a permit counts.

    Attributes:
        zone: The time zone of its wall clock.
        weekly: The spans that begin on each day, Monday first; seven entries.
        exceptions: Days whose spans replace the weekly ones; no span means closed. A span of the
            evening before still runs over midnight into an exception day.
    """

    zone: tzinfo
    weekly: tuple[tuple[Span, ...], ...]
    exceptions: tuple[tuple[date, tuple[Span, ...]], ...] = ()

    def __post_init__(self) -> None:
        if len(self.weekly) != len(DAYS):
            raise invalid("A weekly schedule has seven days.")
        days = [day for day, _ in self.exceptions]
        if any(isinstance(day, datetime) for day in days):
            # A time is a date to Python, but equals none: the exception would never come true.
            raise invalid("An exception is for a day, without a time.")
        if len(set(days)) != len(days):
            raise invalid("A day has at most one exception.")

    def covers(self, now: datetime) -> bool:
        """Whether `now`, an aware time, lies in one of its spans.

        Raises:
            PosternError: `invalid` for a time without a zone, which would be taken for this
                machine's own.
        """
        if now.utcoffset() is None:
            raise invalid("A schedule is asked about a time with a time zone.")
        local = now.astimezone(self.zone)
        today, clock = local.date(), local.time()
        return any(span.covers_on_its_day(clock) for span in self._spans(today)) or any(
            span.covers_on_the_day_after(clock) for span in self._spans(today - timedelta(days=1))
        )

    def _spans(self, day: date) -> Iterable[Span]:
        return dict(self.exceptions).get(day, self.weekly[day.weekday()])
