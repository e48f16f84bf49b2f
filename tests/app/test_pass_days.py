"""The last day of a pass: what stands on it is true, where the site is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from postern.app.pass_days import last_day, pass_end
from tests.people import DAY, NOW

ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin")


@pytest.mark.parametrize("zone", [ZoneInfo(name) for name in ZONES], ids=str)
@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_pass_counts_until_its_last_day_is_over(zone: ZoneInfo, hour: int) -> None:
    """To the second of the midnight there, and not longer than the consent."""
    now = NOW + timedelta(hours=hour)
    for days in (None, 1, 200, 999):
        until = pass_end(now + 365 * DAY, now, zone, days)
        day = last_day(until, zone)

        assert until.tzinfo is UTC
        assert now < until <= now + 365 * DAY
        assert day == (until - timedelta(seconds=1)).astimezone(zone).date()
        assert day + timedelta(days=1) == until.astimezone(zone).date()
        assert (0, 0) == (until.astimezone(zone).hour, until.astimezone(zone).minute)
        if days in (1, 200):
            assert now.astimezone(zone).date() + timedelta(days=days) == day


def test_pass_of_less_than_a_day_ends_with_its_consent() -> None:
    """There is no midnight before; it counts on that day as long as it may."""
    zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 5, 4, 9, tzinfo=UTC)
    ends = now + timedelta(hours=3)

    assert ends == pass_end(ends, now, zone, None) == pass_end(ends, now, zone, 7)
    assert date(2026, 5, 4) == last_day(ends, zone)


def test_summer_time_moves_no_last_day() -> None:
    """The midnight is the one on the wall."""
    zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 27, 12, tzinfo=UTC)
    until = pass_end(now + 100 * DAY, now, zone, 2)

    assert datetime(2026, 3, 29, 22, tzinfo=UTC) == until
    assert date(2026, 3, 29) == last_day(until, zone)
