"""When a camera's pictures were taken, by the times that the stream itself states.

A picture arrives some time after it was taken, and not always the same: a network holds some back,
and some cameras begin with pictures that they had kept. The stream's own times say how far apart
pictures were taken. Whichever came fastest of late was held back least; by it the others are dated.

Where they come ever later, more waits on the way than a gate can wait for: the connection is made
anew, which leaves that behind. Dated anew, such pictures would look new.
"""

from collections import deque

from postern.core.errors import Code, PosternError
from postern.core.moment import Moment
from postern.stream.taken import Taken

#: Seconds that count. Clocks of cameras drift by some 0.1 ms a second, 6 ms in this time.
WINDOW_S = 60.0
#: Seconds that pictures may be late, and by which a stream's times have jumped.
MAX_LAG_S = 10.0


class Lag:
    """Dates the pictures of one stream, from its beginning.

    Args:
        name: What to call the camera in errors.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._time_s = 0.0  # Of the picture before.
        # Rising offsets, each with when it came: the first is the least of the window.
        self._least: deque[tuple[float, float]] = deque()

    def captured(self, taken: Taken, arrived: Moment) -> Moment:
        """When a picture was taken; when it arrived, where the stream does not say.

        Args:
            taken: The picture, later than the ones before.
            arrived: When it came.

        Raises:
            PosternError: `unavailable` where pictures have come to be too late.
        """
        if taken.time_s is None:
            return arrived
        lag_s = self._lag_s(arrived.monotonic_s - taken.time_s, arrived.monotonic_s)
        jumped_s, self._time_s = self._time_s - taken.time_s, taken.time_s
        if lag_s <= MAX_LAG_S:
            return arrived.plus(-lag_s)
        if jumped_s <= MAX_LAG_S:
            raise self._late()
        self._least.clear()  # The camera has set its clock back, or counts from the beginning.
        return arrived

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

    def _late(self) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE,
            f"{self._name} gives its pictures more than {MAX_LAG_S:.0f} s late.",
            "Have it send fewer or smaller ones, or mend its network.",
        )
