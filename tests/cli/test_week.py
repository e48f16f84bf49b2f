"""Schedules in one line."""

from datetime import date, time
from zoneinfo import ZoneInfo

from postern.cli.week import week
from postern.core.schedule import Schedule, Span

ZONE = ZoneInfo("Europe/Bucharest")
OFFICE = (Span(time(7), time(12)), Span(time(13), time(19)))
MORNING = (Span(time(9), time(12, 30)),)


def test_days_that_are_alike_stand_together() -> None:
    """Days without a span are left out, and exceptions are counted."""
    schedule = Schedule(ZONE, (*[OFFICE] * 5, MORNING, ()), ((date(2026, 12, 24), ()),))
    assert (
        "Mon-Fri 07:00-12:00 13:00-19:00, Sat 09:00-12:30 (Europe/Bucharest; 1 exception)"
        == week(schedule)
    )


def test_a_schedule_that_never_counts_says_so() -> None:
    """It is no mistake, but nobody should have to guess."""
    assert "never (Europe/Bucharest)" == week(Schedule(ZONE, ((),) * 7))
