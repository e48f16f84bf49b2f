"""Read plates against registered ones: how likely another vehicle would have matched as well.

1. The question is first put at its hardest: the other vehicle's plate differs from the registered
   one by a single character changed, missing or added, all such plates being equally likely. The
   mean likelihood of those neighbours over the likelihood of the registered plate bounds how often
   a neighbour matches as well: a ratio whose mean over strangers is at most 1 exceeds L with a
   chance of at most 1/L (Markov's inequality).
2. Where that leaves doubt, it is the answer. Where it leaves none, few vehicles are such
   neighbours, and the others match by chance only: `p` is weighed accordingly, by figures that are
   loose on purpose.
3. The reader is not believed beyond what it gets right: every character keeps a floor, and those
   that look alike a higher one.
4. Looks of one attempt are much alike, so n of them weigh less than n; and as a match is tried
   after each, the bound is multiplied by their number.
5. Where any neighbour is as likely as the registered plate, or a number is not finite, nothing is
   vouched for.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from postern.core.evidence import Evidence, Factor
from postern.core.moment import Moment
from postern.core.vehicle import ALPHABET, plate_text
from postern.frame import Reference, Template
from postern.vision.plates.grammar import LONGEST, PLAIN
from postern.vision.plates.read import COLUMNS, ELSE

#: Chance that the reader is wrong in a way its own chances do not show: spread over all characters,
#: and for each of the characters that look alike.
ANY_SLIP, TWIN_SLIP = 1e-4, 1e-3
#: Characters that cameras and readers take for one another (P. Oliveira-Neto et al., Online
#: license plate matching, 2009, and the mistakes on rendered plates).
TWINS = (
    "0ODQUC",
    "1ILTJ7",
    "2Z7",
    "5S",
    "8B36",
    "6G",
    "CG",
    "MNHW",
    "VYU",
    "EF",
    "PRF",
    "KX",
    "4AL",
)
#: Chance of a character that shows in no slot, and of a slot that stands for no character.
LOST, SPURIOUS = 1e-4, 1e-4
#: Share that two looks of one passage have in common; n looks weigh n / (1 + (n - 1) * COMMON).
#: Neighbouring frames share light, dirt and angle.
COMMON = 0.7
#: Above this chance for a neighbour, the reader is in doubt. On rendered plates made hard to read,
#: 67 of 108 right readings lie below it, and of 27 wrong ones 2 would, had exactly what was read
#: been registered.
DOUBT = 1.5e-4
#: Share of vehicles that are a neighbour of one given plate. Were plates handed out evenly it would
#: be a few in a million; a company's cars with consecutive numbers are far from even.
NEIGHBOURS = 0.05
#: Chance that an unrelated vehicle carries, or is read as, this very plate: there are at least some
#: millions of plates to draw from wherever plates have five characters or more.
CHANCE = 1e-6
#: Looks beyond this many add nothing that is not already known.
MOST_LOOKS = 8

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


class PlateMatcher:
    """Implements `postern.frame.Matcher` for plates.

    Args:
        model: The sha256 of the reader whose templates it compares, in hex.
    """

    def __init__(self, model: str) -> None:
        self._model = model

    def reference(self, text: str) -> Template:
        """The template of a registered plate.

        Args:
            text: As somebody wrote it; blanks, dashes, dots and small letters are allowed.

        Raises:
            PosternError: `invalid` where it is no plate, saying what is allowed.
        """
        codes = [ALPHABET.index(c) for c in plate_text(text)]
        return Template(np.array(codes, np.uint8), self._model, 1)

    def best(self, reference: Template) -> float:
        """The smallest `p` that any looks at this reference can give, in (0, 1]."""
        return best_bound(np.asarray(reference.values).astype(np.int64))

    def match(
        self, probes: Sequence[Template], references: Sequence[Reference], seen: Moment
    ) -> tuple[Evidence, ...]:
        """See `postern.frame.Matcher.match`. What is not of this reader gives NaN."""
        if not probes or not references:
            return ()
        looks = self._looks(probes)
        evidence = [
            Evidence(
                Factor.PLATE,
                reference.holder,
                reference.credential,
                self._bound(looks, reference.template),
                len(references),
                len(probes),
                seen,
            )
            for reference in references
        ]
        return tuple(sorted(evidence, key=lambda e: (not e.p >= 0.0, e.p, e.credential)))

    def _looks(self, probes: Sequence[Template]) -> list[Floats] | None:
        values = [np.asarray(probe.values) for probe in probes[:MOST_LOOKS]]
        fits = [v.ndim == 2 and v.shape[1] == COLUMNS and len(v) <= 2 * LONGEST for v in values]
        ours = all(probe.model == self._model for probe in probes)
        return [np.asarray(v, np.float64) for v in values] if ours and all(fits) else None

    def _bound(self, looks: list[Floats] | None, reference: Template) -> float:
        if looks is None or reference.model != self._model:
            return float("nan")
        codes = np.asarray(reference.values)
        if (
            codes.ndim != 1
            or not 1 <= len(codes) <= LONGEST + 1
            or not ((codes >= 0) & (codes < 36)).all()
        ):
            return float("nan")
        return bound(looks, codes.astype(np.int64))


def bound(looks: Sequence[Floats], plate: Codes) -> float:
    """An upper bound on the chance that another vehicle would match at least this well.

    Args:
        looks: At least one, each (S, 38), float64, as `read.Reading` has slots.
        plate: (L,), int64, places in `ALPHABET`.

    Returns:
        In [1e-6, 1]; NaN where a look holds anything but chances.
    """
    if not all(((look >= 0.0) & (look <= 1.0)).all() for look in looks):
        return float("nan")
    hardest = len(looks) * against_neighbours(looks, plate)
    if not hardest <= DOUBT:
        return min(1.0, hardest)
    return NEIGHBOURS * hardest + max(CHANCE, float(len(ALPHABET)) ** -len(plate))


def best_bound(plate: Codes) -> float:
    """The smallest bound that looks at this plate can reach: what a permit can at best be shown.

    Args:
        plate: (L,), int64, places in `ALPHABET`.
    """
    certain = np.zeros((len(plate), COLUMNS))
    certain[np.arange(len(plate)), plate + 1] = 1.0
    # From the fourth look on, being tried once more costs more than it adds.
    return min(bound([certain] * looks, plate) for looks in (1, 2, 3))


def against_neighbours(looks: Sequence[Floats], plate: Codes) -> float:
    """Mean likelihood of the plate's neighbours over its own; infinity where one is likelier.

    Args:
        looks: At least one, each (S, 38), float64.
        plate: (L,), int64, places in `ALPHABET`.
    """
    if not any(_near(look, plate) for look in looks):
        return float("inf")
    weight = 1.0 / (1.0 + (len(looks) - 1) * COMMON)
    everyone = (plate[None], *neighbours(plate))
    logs = [np.sum([likelihoods(look, group) for look in looks], axis=0) for group in everyone]
    log_odds = weight * (np.concatenate(logs[1:]) - logs[0])
    if not (log_odds < 0.0).all():
        return float("inf")
    return float(np.exp(log_odds).mean())


def neighbours(plate: Codes) -> tuple[Codes, Codes, Codes]:
    """Every plate one character away.

    Args:
        plate: (L,), int64.

    Returns:
        With one changed, (35 L, L); one missing, (up to L, L - 1); one added, (up to 36 (L + 1),
        L + 1); none twice.
    """
    length = len(plate)
    changed = np.repeat(plate[None], length * 36, axis=0)
    changed[np.arange(length * 36), np.repeat(np.arange(length), 36)] = np.tile(
        np.arange(36), length
    )
    changed = changed[(changed != plate).any(axis=1)]
    missing = np.stack([np.delete(plate, i) for i in range(length)])
    added = np.stack([np.insert(plate, i, c) for i in range(length + 1) for c in range(36)])
    return changed, np.unique(missing, axis=0), np.unique(added, axis=0)


def likelihoods(slots: Floats, plates: Codes) -> Floats:
    """How well plates of one length explain the slots.

    The sum over all ways in which a plate's characters fall on the slots, in order; a character
    may be lost and a slot may be spurious.

    Args:
        slots: (S, 38), float64.
        plates: (N, L), int64.

    Returns:
        Natural logarithms, (N,), float64.
    """
    count, length = plates.shape
    seen = slots[:, 1:ELSE] @ _slips()
    empty = np.maximum(slots[:, 0], SPURIOUS)
    lost = LOST / len(ALPHABET)
    row = np.repeat(lost ** np.arange(length + 1)[None], count, axis=0)
    for chances, nothing in zip(seen, empty, strict=True):
        fresh = row * nothing
        fresh[:, 1:] += row[:, :-1] * chances[plates]
        for j in range(1, length + 1):
            fresh[:, j] += fresh[:, j - 1] * lost
        row = fresh
    # Dozens of factors of at least 1e-6 stay far above the smallest double.
    return np.asarray(np.log(np.maximum(row[:, -1], 1e-300)))


@lru_cache(maxsize=1)
def _slips() -> Floats:
    """Chance of reading a row's character where a column's stands, (36, 36)."""
    size = len(ALPHABET)
    slips = np.full((size, size), ANY_SLIP / size)
    for group in TWINS:
        places = [ALPHABET.index(c) for c in group]
        slips[np.ix_(places, places)] = TWIN_SLIP
    np.fill_diagonal(slips, 0.0)
    np.fill_diagonal(slips, 1.0 - slips.sum(axis=0))
    return slips


def _near(look: Floats, plate: Codes) -> bool:
    # A plate two characters away from every look has a neighbour that is likelier.
    read = [ALPHABET.index(c) for c in PLAIN.spell(np.asarray(look, np.float32))]
    goal = plate.tolist()
    if abs(len(read) - len(goal)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(read, goal, strict=False)) if a != b), None)
    if same is None:
        return True
    step = (int(len(read) >= len(goal)), int(len(goal) >= len(read)))
    return bool(read[same + step[0] :] == goal[same + step[1] :])
