"""When a camera's pictures were taken, by the times that the stream itself states.

A picture arrives some time after it was taken, and not always the same: a network holds some back,
and some cameras begin with pictures that they had kept. The stream's own times say how far apart
pictures were taken. Whichever came fastest of late was held back least; by it the others are dated.
"""

from collections import deque

from postern.core.moment import Moment
from postern.stream.taken import Taken

#: Seconds that count. Clocks of cameras drift by some 0.1 ms a second, 6 ms in this time.
WINDOW_S = 60.0
#: Seconds. More is no lag, but a stream whose times have jumped.
MAX_LAG_S = 10.0


class Lag:
    """Dates the pictures of one stream, from its beginning."""

    def __init__(self) -> None:
        # Rising offsets, each with when it came: the first is the least of the window.
        self._least: deque[tuple[float, float]] = deque()

    def captured(self, taken: Taken, arrived: Moment) -> Moment:
        """When a picture was taken; when it arrived, where the stream does not say.

        Args:
            taken: The picture, later than the ones before.
            arrived: When it came.
        """
        if taken.time_s is None:
            return arrived
        lag_s = self._lag_s(arrived.monotonic_s - taken.time_s, arrived.monotonic_s)
        if lag_s > MAX_LAG_S:
            self._least.clear()
            return arrived
        return arrived.plus(-lag_s)

    def _lag_s(self, offset_s: float, now_s: float) -> float:
        """How much later than the fastest of the window."""
        while self._least and self._least[0][1] < now_s - WINDOW_S:
            self._least.popleft()
        if self._least and self._least[0][0] - offset_s > MAX_LAG_S:
            self._least.clear()  # The stream's times have jumped ahead.
        while self._least and self._least[-1][0] >= offset_s:
            self._least.pop()
        self._least.append((offset_s, now_s))
        return offset_s - self._least[0][0]
