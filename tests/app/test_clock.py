"""The machine's clocks, and when the calendar can be believed."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from postern.app.clock import EARLIEST, LONGEST_USE, SystemClock, plausible

LATER_BUILD = datetime(2027, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_now_reads_both_clocks_of_the_machine():
    """The moment lies between two readings taken around it, on either clock."""
    utc, monotonic_s = datetime.now(UTC), time.monotonic()
    moment = SystemClock().now()

    assert utc <= moment.utc <= datetime.now(UTC)
    assert monotonic_s <= moment.monotonic_s <= time.monotonic()


@pytest.mark.parametrize(
    ("utc", "built", "believed"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), EARLIEST, False),
        (EARLIEST - SECOND, EARLIEST, False),
        (EARLIEST, EARLIEST, True),
        (LATER_BUILD - SECOND, LATER_BUILD, False),
        (LATER_BUILD, LATER_BUILD, True),
        (EARLIEST - SECOND, datetime(2020, 1, 1, tzinfo=UTC), False),
        (EARLIEST + LONGEST_USE - SECOND, EARLIEST, True),
        (EARLIEST + LONGEST_USE, EARLIEST, False),
        (datetime(9998, 1, 1, tzinfo=UTC), EARLIEST, False),
    ],
)
def test_a_calendar_is_believed_from_its_release_on_and_not_for_ever(utc, built, believed):
    """A clock before its own release, or decades after it, was never set right."""
    assert believed == plausible(utc, built)
