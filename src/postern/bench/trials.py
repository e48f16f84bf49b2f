"""Every enrolled person's attempts on every reference, mated and not.

1. Looks of the reference and looks of a mated attempt are never the same: an attempt begins with
   the looks that its person's reference was not made of, and counts as mated only as far as these
   reach. Beyond them, and only against other people, it goes on with the others.
2. A door tries an attempt after every look and opens at the first bound that suffices, so an
   attempt counts by the lowest bound it reached, a stranger's as well as anybody's.
3. Several random splits of every person's looks; more of them where there are few people. They make
   rates steadier, not the evidence larger: intervals go by people and pairs of people.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from postern.bench.looks import Enrolled, Procedure, Vectors
from postern.bench.rates import Counts, Floats
from postern.vision.faces.calibration import PROBE_LOOKS, REFERENCE_LOOKS

#: At least and at most so many splits, and the stored comparisons aimed at in between.
MIN_SPLITS, MAX_SPLITS = 3, 20
_COMPARISONS = 4_500_000
#: References and attempts that are compared at a time: arrays of about 12 MB.
_ROWS, _COLUMNS = 512, 1024
#: Smaller bounds are not told apart; single precision ends here.
_LEAST = 1e-30

Progress = Callable[[float], None]
Bounds = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trials:
    """Stated bounds of one kind of comparison, with the people in the same order on both sides.

    Attributes:
        reference_looks: Looks in a reference.
        probe_looks: Looks in an attempt.
        bounds: (S, P, P) float32, by split, reference and attempt; NaN where none was stated.
        mated: (S, P) bool, whether a person's attempt on their own reference counts.
        quality: (S, P) float64, the worst quality among a mated comparison's looks.
    """

    reference_looks: int
    probe_looks: int
    bounds: Bounds
    mated: Mask
    quality: Floats

    @property
    def splits(self) -> int:
        """How many random splits."""
        return len(self.bounds)

    @property
    def people(self) -> int:
        """How many people."""
        return int(self.bounds.shape[1])

    def own(self) -> Bounds:
        """Bounds of people at their own references, (S, P); NaN where that is not mated."""
        own = np.diagonal(self.bounds, axis1=1, axis2=2)
        return np.where(self.mated, own, np.float32(np.nan))

    def accepted(self, stated: float) -> tuple[Counts, Counts, Counts]:
        """What a permit of this bound lets through.

        Returns:
            False matches by reference and attempt, (P, P), with an empty diagonal; false
            non-matches and mated comparisons by person, (P,) each.
        """
        passed = self.bounds <= np.float32(stated)
        hits = passed.sum(axis=0, dtype=np.int64)
        np.fill_diagonal(hits, 0)
        own = np.diagonal(passed, axis1=1, axis2=2)
        missed = (self.mated & ~own).sum(axis=0, dtype=np.int64)
        return hits, missed, self.mated.sum(axis=0, dtype=np.int64)


def splits_for(people: int) -> int:
    """How many random splits so many people get."""
    return int(np.clip(_COMPARISONS // (people * people), MIN_SPLITS, MAX_SPLITS))


def compare(
    people: Sequence[Enrolled], procedure: Procedure, seed: int, progress: Progress
) -> tuple[Trials, ...]:
    """All trials: 1v1 for comparison, then references of three looks against 1, 2 and 3.

    Args:
        people: Who is compared, at least two.
        procedure: The comparison.
        seed: Of the splits.
        progress: Told how much is done, in [0, 1].
    """
    splits = splits_for(len(people))
    shape = (splits, len(people), len(people))
    single = np.empty((*shape, 1), np.float32)
    fused = np.empty((*shape, PROBE_LOOKS), np.float32)
    orders = [_order(people, seed, split) for split in range(splits)]
    for split, order in enumerate(orders):
        single[split] = _score(people, order, procedure, 1, 1)
        progress((split + 0.3) / splits)
        fused[split] = _score(people, order, procedure, REFERENCE_LOOKS, PROBE_LOOKS)
        progress((split + 1) / splits)
    arranged = [_trials(people, orders, single, 1, 1)]
    arranged += [
        _trials(people, orders, fused, REFERENCE_LOOKS, looks)
        for looks in range(1, PROBE_LOOKS + 1)
    ]
    return tuple(arranged)


def _order(people: Sequence[Enrolled], seed: int, split: int) -> list[Counts]:
    rng = np.random.default_rng((seed, split))
    return [rng.permutation(len(person.vectors)) for person in people]


def _reference(order: Counts, looks: int) -> Counts:
    return order[:looks]


def _attempt(order: Counts, reference_looks: int, looks: int) -> Counts:
    """Looks that are not in the reference first (rule 1)."""
    return np.concatenate([order[reference_looks:], order[:reference_looks]])[:looks]


def _score(
    people: Sequence[Enrolled],
    order: list[Counts],
    procedure: Procedure,
    reference_looks: int,
    looks: int,
) -> Bounds:
    """Bounds of all attempts on all references, (P, P, looks)."""
    chosen = [
        person.vectors[_reference(o, reference_looks)]
        for person, o in zip(people, order, strict=True)
    ]
    attempts = [
        person.vectors[_attempt(o, reference_looks, looks)]
        for person, o in zip(people, order, strict=True)
    ]
    references, probes = procedure.references(np.stack(chosen)), np.stack(attempts)
    scores = np.empty((len(people), len(people), looks), np.float32)
    for row in range(0, len(people), _ROWS):
        for column in range(0, len(people), _COLUMNS):
            rows, columns = slice(row, row + _ROWS), slice(column, column + _COLUMNS)
            scores[rows, columns] = _sound(procedure, references[rows], probes[columns])
    return scores


def _sound(procedure: Procedure, references: Vectors, probes: Vectors) -> Bounds:
    """The lowest bounds so far (rule 2), without those that `decide` would not accept: NaN until
    one was stated."""
    stated = procedure.bounds(references, probes)
    sound = (stated > 0.0) & (stated <= 1.0)
    bounds = np.where(sound, np.maximum(stated, _LEAST), np.nan).astype(np.float32)
    return np.asarray(np.fmin.accumulate(bounds, axis=-1))


def _trials(
    people: Sequence[Enrolled],
    orders: list[list[Counts]],
    scores: Bounds,
    reference_looks: int,
    looks: int,
) -> Trials:
    enough = np.array([len(person.vectors) >= reference_looks + looks for person in people])
    quality = np.array(
        [
            [
                min(person.quality[_reference(o, reference_looks)].min(),
                    person.quality[_attempt(o, reference_looks, looks)].min())
                for person, o in zip(people, order, strict=True)
            ]
            for order in orders
        ]
    )  # fmt: skip
    mated = np.broadcast_to(enough, quality.shape)
    return Trials(reference_looks, looks, scores[..., looks - 1], mated, quality)
