"""Until when a pass counts: whole days where the site is, so that the day that stands on it is true
until it is over."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def pass_end(consent_ends: datetime, now: datetime, zone: ZoneInfo, days: int | None) -> datetime:
    """When a pass stops to count: at a midnight of the site's, not later than its consent ends.

    Args:
        consent_ends: When the consent that it goes by ends; aware UTC.
        now: The present time; aware UTC.
        zone: The site's time zone.
        days: For how many days after today; as long as the consent where it is None.

    Returns:
        Aware UTC; the end of the consent itself where that comes before the next midnight.
    """
    latest = consent_ends
    if days is not None:
        latest = min(latest, _midnight(now.astimezone(zone) + timedelta(days=days + 1)))
    midnight = _midnight(latest.astimezone(zone))
    return midnight if midnight > now else latest


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """The last day on which a pass counts, where the site is.

    Args:
        until: When it stops to count; aware UTC.
        zone: The site's time zone.
    """
    return (until - timedelta(seconds=1)).astimezone(zone).date()


def _midnight(local: datetime) -> datetime:
    """The one that a local time's day begins with; aware UTC."""
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
