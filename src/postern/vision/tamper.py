"""Whether a live camera shows what is before it; a covered, frozen or replayed one does not.

1. What a sensor gives never comes twice: noise sees to that, and codecs hand it on with every whole
   picture. Between those a codec may send the same picture again and again, and of a loop some
   pictures are passed over at each turn; so only pictures that differ from the one before are
   counted. Where most of those were there before, to the last bit, a recording is shown; where
   there are none for a while, a single picture.
2. Only samples are compared, a few hundred points of each picture. A loop that was encoded anew, or
   had noise added, is not noticed, nor a sensor that stands still behind a codec that works on. Of
   earlier pictures nothing is kept but a hash of the samples.
3. Where a codec sends no change of an empty scene for longer than `FROZEN_S`, it looks frozen until
   something moves; nobody waits for that.
4. A fault ends with the first picture that does not have it.
"""

from collections import deque
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile

import numpy as np

from postern.frame import Frame

#: Seconds for which pictures have to be the same, have to have been there before, or have to be
#: dark. Faults are noticed within five seconds; a passing lorry or a lamp that flickers is none.
FROZEN_S, LOOPED_S, DARK_S = 4.0, 4.0, 3.0
#: Seconds that a loop may last to be noticed.
LONGEST_LOOP_S = 60.0
#: Pictures that are remembered at most.
_MOST = 1500
#: Of the pictures of `LOOPED_S` that differ from the one before, at least so many, and so large a
#: part, have to have been there before.
_LEAST, _PART = 4, 0.75
#: Sample points along each side.
_POINTS = 24
#: Levels of 255: black is 16 in video, and dark where nothing is much above it.
_DARK = 32
#: Levels by which a covered or blinded sensor's samples differ: noise.
_FLAT = 3.0


@dataclass(frozen=True, slots=True)
class _Change:
    """A picture that differed from the one before it."""

    at_s: float
    picture: bytes
    seen_before: bool


class TamperWatch:
    """Watches one camera's pictures, in the order they come."""

    def __init__(self) -> None:
        self._dark_since: float | None = None
        self._flat_since: float | None = None
        self._changes: deque[_Change] = deque()
        self._times_seen: dict[bytes, int] = {}

    def fault(self, frame: Frame) -> str | None:
        """What is wrong with what the camera shows, as the end of a sentence; None for nothing.

        Args:
            frame: Its newest picture.
        """
        now_s = frame.captured.monotonic_s
        samples = _samples(frame)
        self._note(blake2b(samples.tobytes(), digest_size=16).digest(), now_s)
        dark, flat = samples.max() < _DARK, samples.std(axis=(0, 1)).max() < _FLAT
        self._dark_since = _lasting(bool(dark), self._dark_since, now_s)
        self._flat_since = _lasting(bool(flat), self._flat_since, now_s)
        if self._dark_since is not None and now_s - self._dark_since >= DARK_S:
            return "shows only black: it is covered, or there is no light"
        if self._flat_since is not None and now_s - self._flat_since >= DARK_S:
            return "shows a single colour: it is covered or blinded"
        if now_s - self._changes[-1].at_s >= FROZEN_S:
            return "is frozen: it gives the same picture again and again"
        if self._looped(now_s):
            return "is looped: it gives the same pictures again and again"
        return None

    def _note(self, picture: bytes, now_s: float) -> None:
        while len(self._changes) > 1 and (
            now_s - self._changes[0].at_s > LONGEST_LOOP_S or len(self._changes) >= _MOST
        ):
            self._forget(self._changes.popleft().picture)
        if self._changes and self._changes[-1].picture == picture:
            return
        before = self._times_seen.get(picture, 0)
        self._times_seen[picture] = before + 1
        self._changes.append(_Change(now_s, picture, before > 0))

    def _forget(self, picture: bytes) -> None:
        self._times_seen[picture] -= 1
        if not self._times_seen[picture]:
            del self._times_seen[picture]

    def _looped(self, now_s: float) -> bool:
        if not self._changes[-1].seen_before:
            return False
        of_late = list(takewhile(lambda c: now_s - c.at_s < LOOPED_S, reversed(self._changes)))
        repeated = sum(change.seen_before for change in of_late)
        return repeated >= _LEAST and repeated >= _PART * len(of_late)


def _samples(frame: Frame) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Points of the picture, (about 24, about 24, 3), uint8, as they are: a mean has no noise."""
    height, width, _ = frame.image.shape
    down, right = max(1, height // _POINTS), max(1, width // _POINTS)
    return frame.image[down // 2 :: down, right // 2 :: right]


def _lasting(now: bool, since: float | None, now_s: float) -> float | None:
    """Since when something has been so; None where it is not."""
    if not now:
        return None
    return now_s if since is None else since
