"""Points in time on both clocks."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from postern.core.errors import PosternError
from postern.core.moment import Moment, check_utc
from tests.people import NOW, moment

BERLIN = ZoneInfo("Europe/Berlin")


def test_since_goes_by_the_monotonic_clock_alone():
    """A calendar that is stepped between two frames does not change their distance."""
    stepped = Moment(NOW - timedelta(days=3650), 1001.5)

    assert 1.5 == stepped.since(moment())
    assert -1.5 == moment().since(stepped)


def test_plus_moves_both_clocks():
    """Later is later on each of them."""
    assert Moment(NOW + timedelta(seconds=2), 1002.0) == moment().plus(2.0)


@pytest.mark.parametrize(
    ("utc", "seconds"),
    [
        (datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC), -9.0),
        (datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC), 9.0),
    ],
    ids=str,
)
def test_calendar_stays_within_its_years(utc: datetime, seconds: float):
    """A machine without a battery begins in 1970; a picture that is nine seconds old is taken."""
    moved = Moment(utc, 1000.0).plus(seconds)

    assert utc.year == moved.utc.year
    assert 1000.0 + seconds == moved.monotonic_s


@pytest.mark.parametrize(
    "utc",
    [
        datetime(2026, 3, 4),  # noqa: DTZ001 - the mistake under test
        datetime(2026, 3, 4, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 3, 4, tzinfo=BERLIN),
        datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
    ids=str,
)
def test_a_moment_is_utc_and_within_what_calendars_can_tell(utc):
    """Otherwise it does not compare, or a time zone cannot be applied to it."""
    with pytest.raises(PosternError) as refused:
        Moment(utc, 0.0)

    assert "invalid" == refused.value.code


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -float("inf"), 1e300, 10**400])
def test_a_moment_has_a_finite_monotonic_time(seconds):
    """Infinity minus infinity would be no age."""
    with pytest.raises(PosternError, match="finite"):
        Moment(NOW, seconds)


def test_check_utc_lets_utc_and_nothing_through():
    """Several at once; None stands for a time that is not set."""
    check_utc(NOW, None, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")))


def test_check_utc_refuses_the_hour_that_comes_twice():
    """Two times of one zone compare by their wall clocks: the later 02:10 comes before 02:30."""
    earlier = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    later = earlier.replace(minute=10, fold=1)

    assert earlier.timestamp() < later.timestamp()
    assert later < earlier
    with pytest.raises(PosternError, match="UTC"):
        check_utc(earlier)
    with pytest.raises(PosternError, match="UTC"):
        check_utc(later)
