"""Searching a gallery for somebody who may not be in it (open-set identification).

The bound of a search among N people is N times the best candidate's (the union bound), and that has
to be within the permit's. So the threshold of one comparison is the permit's bound divided by N.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postern.bench.rates import Counts, Floats, Rate, Verdict, judge, pairs_of, rate_of_people
from postern.bench.trials import Bounds, Mask, Progress, Trials

GALLERIES = (1, 10, 100, 500)
PERMITS = (1e-3, 1e-4)
#: Mated searches aimed at, and the least and most galleries that are drawn for it.
_SEARCHES, _LEAST, _MOST = 2000, 20, 1000


@dataclass(frozen=True, slots=True)
class Identification:
    """How searches of galleries of one size ended under one permit.

    Attributes:
        gallery: People in a gallery.
        permit: The bound that a whole search has to reach.
        galleries: How many galleries were drawn; 0 where there are too few people for one.
        fpir: False-positive identification rate: searches by people who are not in the gallery
            that returned anybody.
        fnir: False-negative identification rate: searches by people who are in it that did not
            return them, or returned somebody else as well or better.
        verdict: What `fpir` says about `permit`.
    """

    gallery: int
    permit: float
    galleries: int
    fpir: Rate
    fnir: Rate
    verdict: Verdict


@dataclass(slots=True)
class _Tally:
    """Searches and errors by the person who was searched for, (P,) each."""

    wrong: Counts
    outsiders: Counts
    missed: Counts
    insiders: Counts


def identify(
    trials: Trials, draws: Floats, seed: int, progress: Progress
) -> tuple[Identification, ...]:
    """Both identification rates for every gallery size and permit.

    Args:
        trials: References and attempts.
        draws: (B, P) from `draw_people`.
        seed: Of the galleries.
        progress: Told how much is done, in [0, 1].
    """
    found: list[Identification] = []
    for done, size in enumerate(GALLERIES):
        found += _search(trials, size, draws, seed)
        progress((done + 1) / len(GALLERIES))
    return tuple(found)


def _search(trials: Trials, size: int, draws: Floats, seed: int) -> list[Identification]:
    # One person at least has to stay outside.
    count = int(np.clip(-(-_SEARCHES // size), _LEAST, _MOST)) if size < trials.people else 0
    tallies = [_Tally(*np.zeros((4, trials.people), np.int64)) for _ in PERMITS]
    for gallery in range(count):
        rng = np.random.default_rng((seed, size, gallery))
        inside = np.sort(rng.choice(trials.people, size, replace=False))
        split = gallery % trials.splits
        _count(tallies, trials.bounds[split][inside], inside, trials.mated[split])
    # A search by an outsider uses up one pair of people per member of the gallery.
    units = pairs_of(trials.people) // size if count else 0
    return [
        _identification(size, permit, count, tally, draws, units)
        for permit, tally in zip(PERMITS, tallies, strict=True)
    ]


def _count(tallies: Sequence[_Tally], rows: Bounds, inside: Counts, mated: Mask) -> None:
    """Adds the searches of one gallery: its references' `rows`, (N, P)."""
    bounds = np.where(np.isnan(rows), np.float32(np.inf), rows)
    at = np.arange(len(inside))
    own = bounds[at, inside].copy()
    bounds[at, inside] = np.inf
    rivals = bounds.min(axis=0)
    outside = np.ones(bounds.shape[1], np.bool_)
    outside[inside] = False
    searched = inside[mated[inside]]
    for permit, tally in zip(PERMITS, tallies, strict=True):
        limit = np.float32(permit / len(inside))
        tally.outsiders[outside] += 1
        tally.wrong[outside & (rivals <= limit)] += 1
        tally.insiders[searched] += 1
        returned = (own <= limit) & (own < rivals[inside])
        tally.missed[inside[mated[inside] & ~returned]] += 1


def _identification(
    size: int, permit: float, count: int, tally: _Tally, draws: Floats, units: int
) -> Identification:
    fpir = rate_of_people(tally.wrong, tally.outsiders, draws, units)
    fnir = rate_of_people(tally.missed, tally.insiders, draws)
    return Identification(size, permit, count, fpir, fnir, judge(permit, fpir))
