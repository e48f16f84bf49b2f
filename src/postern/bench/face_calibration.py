"""Making the cohort and the tables that ship, from folders of pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from postern.core.errors import invalid
from postern.vision.faces.calibration import (
    REFERENCE_LOOKS,
    Calibration,
    Strangers,
    calibrate,
    strangers,
)
from postern.vision.faces.cohort import NEIGHBOURS, Cohort, Vectors, synthesise

#: Vectors in the cohort, and the seed that they are drawn with.
COHORT_SIZE = 4000
COHORT_SEED = 1
#: In how many ways the looks of a further data set are dealt out to references and attempts.
DEALS = 40


@dataclass(frozen=True, slots=True)
class People:
    """One data set's vectors.

    Attributes:
        name: Of the data set.
        looks: For each person (L, 128) float32, in order.
    """

    name: str
    looks: tuple[Vectors, ...]


def make_cohort(people: People) -> Vectors:
    """A cohort, (4000, 128) float32, from those with too few looks to be in a table.

    Raises:
        PosternError: `invalid` where these are too few.
    """
    sources = [looks[0] for looks in people.looks if 0 < len(looks) < REFERENCE_LOOKS]
    if len(sources) <= 2 * NEIGHBOURS:
        raise invalid(
            f"{people.name} has {len(sources)} people with one or two usable pictures; a cohort "
            f"needs more than {2 * NEIGHBOURS}.",
            "Use the cohort that ships with Postern.",
        )
    return synthesise(np.stack(sources), COHORT_SIZE, COHORT_SEED)


def make_tables(
    main: People,
    others: Sequence[People],
    cohort: Vectors,
    names: tuple[str, str],
    keep: Callable[[Vectors], Vectors],
    progress: Callable[[float], None],
) -> Calibration:
    """The tables of these data sets.

    Args:
        main: The largest data set.
        others: Those that may only raise the bound.
        cohort: (C, 128) float32.
        names: The embedder's sha256 and the detector's name.
        keep: What the vault makes of references.
        progress: Told how much is done, in [0, 1].
    """
    return calibrate(
        strangers(main.name, main.looks, keep),
        [_dealt(other, keep) for other in others],
        Cohort(cohort),
        {"embedder": names[0], "detector": names[1]},
        progress,
    )


def _dealt(people: People, keep: Callable[[Vectors], Vectors]) -> list[Strangers]:
    """A data set as it stands, and with everybody's looks in other orders."""
    rng = np.random.default_rng(COHORT_SEED)
    dealt = [strangers(people.name, people.looks, keep)]
    for _ in range(DEALS - 1):
        shuffled = [looks[rng.permutation(len(looks))] for looks in people.looks]
        dealt.append(strangers(people.name, shuffled, keep))
    return dealt
