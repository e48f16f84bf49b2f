"""The two clocks of a test: the machine's own, and one that only moves when told."""

import time
from datetime import UTC, datetime

from postern.core.moment import Moment


class MachineClock:
    """The machine's clocks, for tests in which threads really wait."""

    def now(self) -> Moment:
        return Moment(datetime.now(UTC), time.monotonic())


class SteppedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = Moment(datetime(2026, 3, 2, 8, 0, tzinfo=UTC), 1000.0)

    def now(self) -> Moment:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now = self._now.plus(seconds)
