"""How well a camera is placed: what is measured on a face or a plate, what is needed, and for how
long it has been well.

1. What is needed are the limits of the recognisers themselves: where this says good, they find no
   flaw.
2. Nothing is compared, and nothing is made that could be. What is measured is the picture of a
   target, whoever it is.
"""

from dataclasses import dataclass, replace
from math import ceil, floor, isfinite
from typing import Protocol

import numpy as np
import numpy.typing as npt

from postern.core.look import Box, Flaw
from postern.core.moment import Moment
from postern.frame import Image

#: Grey level from which on a pixel shows no more of what it sees.
_SATURATED = 250
#: Seconds in view that all have to be good: longer than anybody stands by chance as they should.
GOOD_S = 3.0
#: Seconds between two pictures that count at most; a target is not in view while nobody looks.
_LONGEST_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that was measured on a target.

    Attributes:
        name: What was measured.
        value: How much.
        unit: Of what, with a blank before it; empty for a plain number.
        digits: Behind the point.
        least: What is needed at least; None where nothing is.
        most: What may be at most; None where anything may.
        flaw: What a look has where it is otherwise; None where nothing is needed.
        remedy: What to do where it is otherwise.
    """

    name: str
    value: float
    unit: str = ""
    digits: int = 0
    least: float | None = None
    most: float | None = None
    flaw: Flaw | None = None
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether it is as needed; what is no number is not."""
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def now(self) -> str:
        """The value in words; never rounded to what would be enough."""
        scale, value = 10.0**self.digits, self.value
        if isfinite(value) and not self.well:
            low = self.least is not None and value < self.least
            value = (floor(value * scale) if low else ceil(value * scale)) / scale
        return self._text(value) + self.unit

    @property
    def needed(self) -> str:
        """What is needed in words; empty where nothing is."""
        if self.least is None:
            return "" if self.most is None else f"at most {self._text(self.most)}{self.unit}"
        if self.most is None:
            return f"at least {self._text(self.least)}{self.unit}"
        return f"{self._text(self.least)} to {self._text(self.most)}{self.unit}"

    @property
    def advice(self) -> str:
        """One sentence on what to do; empty where it is well."""
        return "" if self.well else f"{self.remedy}: {self.name} {self.now}, {self.needed} needed."

    def _text(self, value: float) -> str:
        return f"{value:.{self.digits}f}"


@dataclass(frozen=True, slots=True)
class Target:
    """A face or a plate that a camera sees. It holds no picture, no vector and no character.

    Attributes:
        box: Where it is, in pixels of the frame.
        size_px: By what its size goes: pixels between the eyes, or across characters.
        where: Where in the picture that is, in words.
        measures: What was measured, what matters most first.
    """

    box: Box
    size_px: float
    where: str
    measures: tuple[Measure, ...]

    @property
    def good(self) -> bool:
        """Whether all is as needed."""
        return all(measure.well for measure in self.measures)

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What a look of it has."""
        found = (m.flaw for m in self.measures if m.flaw is not None and not m.well)
        return tuple(dict.fromkeys(found))

    @property
    def advice(self) -> str:
        """The first thing to do; empty where all is well."""
        return next((measure.advice for measure in self.measures if not measure.well), "")


class Aim(Protocol):
    """Measures what one kind of recogniser needs."""

    def targets(self, image: Image) -> tuple[Target, ...]:
        """Every target in a picture, largest first.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How long a camera's targets have been good.

    Attributes:
        good_s: For how many seconds in view, up to now, without one that was not.
        seen_s: For how many seconds a target was in view at all.
        smallest_px: The smallest target that was seen; None before the first.
        smallest_good_px: The smallest of those that were good.
        last: When the newest picture was taken; None before the first.
        in_view: Whether there was a target in it.
    """

    good_s: float = 0.0
    seen_s: float = 0.0
    smallest_px: float | None = None
    smallest_good_px: float | None = None
    last: Moment | None = None
    in_view: bool = False

    @property
    def good(self) -> bool:
        """Whether the last `GOOD_S` seconds with a target in view were good."""
        return self.good_s >= GOOD_S

    def after(self, targets: tuple[Target, ...], seen: Moment) -> "Verdict":
        """The verdict once one more picture was looked at.

        Args:
            targets: What it showed, the one that counts first.
            seen: When it was taken.
        """
        if not targets:
            return replace(self, last=seen, in_view=False)
        target = targets[0]
        passed_s = 0.0
        if self.in_view and self.last is not None:
            passed_s = min(max(seen.since(self.last), 0.0), _LONGEST_STEP_S)
        return Verdict(
            self.good_s + passed_s if target.good else 0.0,
            self.seen_s + passed_s,
            _less(self.smallest_px, target.size_px),
            _less(self.smallest_good_px, target.size_px) if target.good else self.smallest_good_px,
            seen,
            in_view=True,
        )


def saturated(grey: npt.NDArray[np.uint8]) -> float:
    """Which share of a grey picture is as bright as it can be, in [0, 1]; 0 for an empty one."""
    return float((grey >= _SATURATED).mean()) if grey.size else 0.0


def where(box: Box, image: Image) -> str:
    """Where in a picture a box lies, by thirds."""
    height, width = image.shape[:2]
    across = _third((box.x0 + box.x1) / 2 / width, "left", "right")
    down = _third((box.y0 + box.y1) / 2 / height, "top", "bottom")
    return " ".join(word for word in (down, across) if word) or "middle"


def _third(share: float, first: str, last: str) -> str:
    if share < 1 / 3:
        return first
    return last if share > 2 / 3 else ""


def _less(former: float | None, new: float) -> float:
    return new if former is None else min(former, new)
