"""How plates are written: which kinds of character stand where, and what is no plate at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from postern.core.vehicle import ALPHABET
from postern.vision.plates.read import COLUMNS, ELSE

#: Shapes of plates by part of the world; L a letter, D a digit; with the millions of vehicles that
#: carry about such a plate (registers' published totals, split by judgement, to one figure). Each
#: is a hypothesis about how to read a doubtful character, never a condition: a plate of no known
#: shape is read as it stands.
SHAPES: dict[str, dict[str, float]] = {
    "us": {
        **{"LLLDDDD": 100, "DLLLDDD": 30, "LLLDDD": 30, "DDDLLL": 10, "LLDLDL": 5},
        **{"LDDLLL": 5, "LLDDLLL": 5, "DDDDDDD": 10, "LLDDDDD": 5, "LDDDDDD": 5},
    },
    "br": {"LLLDDDD": 70, "LLLDLDD": 40},
    "eu": {
        **{"LLDDDLL": 90, "LLDDLLL": 40, "DDDDLLL": 25, "LLLDDDD": 20, "LLLDDD": 20},
        **{"LLLLDDD": 10, "LLLLDDDD": 10, "LLDDDD": 10, "LLDDDDD": 10, "LLDDLL": 5, "LDDLLL": 1},
        **{"LDDDLLL": 1, "LLDLDDDD": 2, "LDLDDDD": 5, "DLDDDDD": 5},
    },
}
#: Weight of all shapes together; the rest belongs to plates without a known shape (vanity plates).
KNOWN = 0.8
#: Characters. What is longer is a sentence, what is shorter a fragment.
SHORTEST, LONGEST = 4, 9
#: Chances below this say no more than "not seen".
FLOOR = 1e-5
#: An emblem between the groups of a plate reads as one sign that is no character.
EMBLEM = 0.5

#: Dates, times, prices and phone numbers, with the separators that the reader saw.
_DATE = re.compile(r"\d{1,4}[./:\-年]\d{1,2}([./:\-月]\d{1,4}日?)?$")
_PHONE = re.compile(r"(\+?\d[\d ]{0,4})?(\(\d+\)|\d{2,5})([ .\-/]\d{2,5})+$|\+\d+$")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Grammar:
    """The shapes that a site expects.

    Attributes:
        shapes: Strings of L and D with the chance of each; all together at most 1, what is missing
            is the chance of a plate without a known shape, above 0.
    """

    shapes: tuple[tuple[str, float], ...]

    def spell(self, slots: Floats) -> str:
        """The likeliest plate behind the slots.

        Args:
            slots: (S, 38), as `read.Reading` has them.

        Returns:
            Capitals and digits; empty where no slot shows any.
        """
        shown = plate_slots(slots)
        if not len(shown):
            return ""
        chances = np.log(np.maximum(shown[:, 1:ELSE], FLOOR))
        shapes = [(shape, share) for shape, share in self.shapes if len(shape) == len(shown)]
        shapes.append(("?" * len(shown), 1.0 - sum(share for _, share in self.shapes)))
        return max(_best(chances, shape, log(share)) for shape, share in shapes)[1]


#: No shape is expected: every character is read as it stands.
PLAIN = Grammar(())


def grammar(regions: Sequence[str] = tuple(SHAPES)) -> Grammar:
    """The shapes of some parts of the world, by default of all that are known."""
    counts: dict[str, float] = {}
    for region in regions:
        for shape, count in SHAPES[region].items():
            counts[shape] = counts.get(shape, 0.0) + count
    total = sum(counts.values())
    return Grammar(tuple((shape, KNOWN * n / total) for shape, n in sorted(counts.items())))


def plate_slots(slots: Floats) -> Floats:
    """The slots that hold a plate's characters: no emblems, nothing that is likelier empty.

    Args:
        slots: (S, 38).

    Returns:
        (S', 38), S' <= S.
    """
    shown = (slots[:, 0] <= 0.5) & (slots[:, ELSE] <= EMBLEM)
    return np.ascontiguousarray(slots[shown])


def is_plate(text: str, written: str, foreign: float) -> bool:
    """Whether a line of text may be a plate's number.

    Args:
        text: Its capitals and digits.
        written: The same with separators and small letters.
        foreign: Share of its signs that are no plate characters, in [0, 1].
    """
    digits = sum(c.isdigit() for c in text)
    if not SHORTEST <= len(text) <= LONGEST or not foreign <= 0.25:
        return False
    if _DATE.fullmatch(written) or _PHONE.fullmatch(written):
        return False
    if digits == len(text):
        # Plates of digits alone have five to seven of them in one group.
        return 5 <= digits <= 7 and written.isdigit()
    return digits >= 1


def _best(chances: npt.NDArray[np.floating], shape: str, share: float) -> tuple[float, str]:
    total, text = share, ""
    for row, kind in zip(chances, shape, strict=True):
        first, last = {"D": (0, 10), "L": (10, 36), "?": (0, 36)}[kind]
        k = first + int(row[first:last].argmax())
        total += float(row[k]) - log(last - first)
        text += ALPHABET[k]
    return total, text


def empty() -> Floats:
    """No slots, (0, 38)."""
    return np.zeros((0, COLUMNS), np.float32)
