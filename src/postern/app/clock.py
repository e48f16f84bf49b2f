"""The machine's clocks, read here and nowhere else, and whether the calendar can be believed."""

import time
from datetime import UTC, datetime, timedelta

from postern.core.moment import Moment

#: No release is older. Machines without a battery start in 1970, or when their image was made.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
#: Longer than any release is in use; a clock beyond it was set by mistake or by an attacker.
LONGEST_USE = timedelta(days=25 * 365)


class SystemClock:
    """Implements `postern.core.ports.Clock` with this machine's two clocks."""

    def now(self) -> Moment:
        """The present moment.

        Raises:
            PosternError: `invalid` where the calendar shows a year before 1970 or after 9998.
        """
        return Moment(datetime.now(UTC), time.monotonic())


def plausible(utc: datetime, built: datetime = EARLIEST) -> bool:
    """Whether a calendar's time can be right.

    Args:
        utc: What the calendar shows; aware UTC.
        built: When this release was made; aware UTC. A release never runs before it was made.
    """
    first = max(built, EARLIEST)
    return first <= utc < first + LONGEST_USE
