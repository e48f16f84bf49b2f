"""A cohort of nobody in particular, and scores that are fair to crowded regions of the face space.

Two vectors in a crowded region lie close together whoever they belong to. How close a vector lies
to people who do not exist says how crowded its region is; the distance of two vectors is judged by
that, for both of them (adaptive symmetric normalisation: Matejka et al., Analysis of Score
Normalization in Multilingual Speaker Recognition, Interspeech 2017).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid

Vectors = npt.NDArray[np.float32]

#: How many of the cohort's nearest count; enough for a steady deviation, few enough to stay local.
NEAREST = 100
#: The neighbourhood that one synthetic vector is drawn from.
NEIGHBOURS = 50
#: How far a draw reaches beyond its neighbourhood's own spread, so that it lies as far from every
#: source as an unseen person does: measured, see docs/benchmarks/faces.md.
REACH = 1.20


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How close vectors lie to the cohort.

    Attributes:
        mean: (N,) float64, the mean of each vector's `NEAREST` smallest distances.
        deviation: (N,) float64, their standard deviation.
    """

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]


def distances(a: Vectors, b: Vectors) -> npt.NDArray[np.float64]:
    """Euclidean distances, (N, M), between the rows of `a`, (N, D), and of `b`, (M, D)."""
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    squares = (a64 * a64).sum(axis=1)[:, None] + (b64 * b64).sum(axis=1)[None] - 2 * a64 @ b64.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


class Cohort:
    """Synthetic vectors to compare against.

    Args:
        vectors: (C, D) float32, at least `NEAREST` rows.
    """

    def __init__(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or len(vectors) < NEAREST:
            raise invalid(f"A cohort needs at least {NEAREST} vectors.")
        self._vectors = vectors

    def neighbourhood(self, vectors: Vectors) -> Neighbourhood:
        """How crowded the surroundings of each vector, (N, D), are."""
        apart = distances(vectors, self._vectors)
        nearest = np.partition(apart, NEAREST - 1, axis=1)[:, :NEAREST]
        return Neighbourhood(nearest.mean(axis=1), nearest.std(axis=1))


def normalise(
    apart: npt.NDArray[np.float64], references: Neighbourhood, probes: Neighbourhood
) -> npt.NDArray[np.float64]:
    """Scores, (N, M), from the distances of N references to M probes; lower is more alike."""
    by_reference = (apart - references.mean[:, None]) / references.deviation[:, None]
    by_probe = (apart - probes.mean[None]) / probes.deviation[None]
    return np.asarray((by_reference + by_probe) / 2)


def synthesise(people: Vectors, count: int, seed: int) -> Vectors:
    """Vectors of nobody: random draws around the neighbourhoods of random people.

    Each is the mean of the `NEIGHBOURS` vectors nearest to a random one, plus `REACH` times a
    random combination of their deviations from it, so that it has the neighbourhood's covariance
    and no row of `people` shows through.

    Args:
        people: (N, D) float32, one vector per person.
        count: How many to draw.
        seed: Of the random generator.

    Returns:
        (count, D) float32.
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((count, people.shape[1]), np.float32)
    for at in range(count):
        centre = people[rng.integers(len(people))]
        nearest = np.argpartition(((people - centre) ** 2).sum(axis=1), NEIGHBOURS)[:NEIGHBOURS]
        near = people[nearest].astype(np.float64)
        mean = near.mean(axis=0)
        weights = rng.standard_normal(NEIGHBOURS) / np.sqrt(NEIGHBOURS - 1)
        drawn[at] = mean + REACH * weights @ (near - mean)
    return drawn
