"""Lines of text that belong to one plate: parts side by side, put back together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from postern.vision.plates.detect import Line
from postern.vision.plates.grammar import LONGEST, SHORTEST, Floats, empty, plate_slots
from postern.vision.plates.read import ELSE, Reading

#: Parts of one plate: heights within this ratio of each other, middles within this share of the
#: height, and no further apart than this many heights (an emblem or a bolt fits between).
ALIKE, LEVEL, APART = 0.7, 0.3, 1.3
#: Radians; text that leans more is not on a plate of a car that drives towards the camera.
LEANING = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """One line and what was read on it."""

    line: Line
    reading: Reading


@dataclass(frozen=True, slots=True)
class Number:
    """What may be a plate's number.

    Attributes:
        line: Around all its parts.
        slots: (S, 38), float32, of all its parts in reading order, emblems included.
        written: Its parts' signs as they stand, parted by blanks.
    """

    line: Line
    slots: Floats
    written: str

    @property
    def foreign(self) -> float:
        """Share of its signs that are no plate characters, in [0, 1]; 1 where nothing shows."""
        signs = self.slots[self.slots[:, 0] <= 0.5]
        return float((signs[:, ELSE] > 0.5).mean()) if len(signs) else 1.0


def join(parts: Sequence[Part]) -> tuple[Number, ...]:
    """Numbers made of the parts: neighbours are joined, everything else stands alone.

    Args:
        parts: In any order; of overlapping ones the one that shows more is taken.
    """
    chains: list[list[Part]] = []
    for part in sorted(_distinct(parts), key=lambda p: p.line.centre[0]):
        chain = next((c for c in chains if _continues(c, part)), None)
        if chain is None:
            chains.append([part])
        else:
            chain.append(part)
    return tuple(number(chain) for chain in chains)


def number(chain: Sequence[Part]) -> Number:
    """One number of parts in reading order, at least one."""
    slots = np.concatenate([empty(), *(part.reading.slots for part in chain)])
    written = " ".join(part.reading.written for part in chain)
    return Number(around([part.line for part in chain]), slots, written)


def around(lines: Sequence[Line]) -> Line:
    """The line around lines that stand side by side; the widest of them gives the direction."""
    widest = max(lines, key=lambda line: line.width)
    if len(lines) == 1:
        return widest
    # Between the middles of the outermost two the direction is surer than within a short part.
    first, last = np.array(lines[0].centre), np.array(lines[-1].centre)
    angle = float(np.arctan2(*(last - first)[::-1]))
    turned = replace(widest, angle=angle)
    corners = np.concatenate([line.corners() for line in lines])
    u, v = corners @ turned.along, corners @ turned.across
    centre = (u.max() + u.min()) / 2 * turned.along + (v.max() + v.min()) / 2 * turned.across
    return replace(
        turned,
        centre=(float(centre[0]), float(centre[1])),
        width=float(np.ptp(u)),
        height=max(line.height for line in lines),
        score=min(line.score for line in lines),
    )


def _distinct(parts: Sequence[Part]) -> list[Part]:
    kept: list[Part] = []
    for part in sorted(parts, key=lambda p: -len(plate_slots(p.reading.slots))):
        if not any(_covers(other.line, part.line) for other in kept):
            kept.append(part)
    return kept


def _covers(line: Line, other: Line) -> bool:
    away = np.array(other.centre) - np.array(line.centre)
    return bool(
        abs(away @ line.along) < line.width / 2 and abs(away @ line.across) < line.height / 2
    )


def _continues(chain: Sequence[Part], part: Part) -> bool:
    last, line = chain[-1].line, part.line
    tallest = max(last.height, line.height)
    away = np.array(line.centre) - np.array(last.centre)
    direction = max(last, line, key=lambda one: one.width)
    gap = away @ direction.along - (last.width + line.width) / 2
    signs = sum(len(plate_slots(p.reading.slots)) for p in (*chain, part))
    return bool(
        min(last.height, line.height) >= ALIKE * tallest
        and abs(away @ direction.across) <= LEVEL * tallest
        and -0.5 * tallest <= gap <= APART * tallest
        and SHORTEST <= signs <= LONGEST - 1
    )
