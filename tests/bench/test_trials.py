"""Comparisons are arranged so that nobody is compared with their own pictures."""

from dataclasses import dataclass

import numpy as np
import pytest

from postern.bench import trials as module
from postern.bench.looks import Enrolled, Vectors
from postern.bench.rates import Floats
from postern.bench.trials import MAX_SPLITS, MIN_SPLITS, compare, splits_for


@dataclass(frozen=True)
class Overlap:
    """States a tiny bound where an attempt shares a look with the reference, else 1.

    Looks are numbered vectors; a reference keeps its looks' numbers side by side.
    """

    def references(self, looks: Vectors) -> Vectors:
        kept = np.zeros((len(looks), 128), np.float32)
        kept[:, : looks.shape[1]] = looks[:, :, 0]
        return kept

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        shared = (references[:, None, None, :3] == probes[None, :, :, :1]).any(axis=3)
        return np.where(np.maximum.accumulate(shared, axis=2), 1e-9, 1.0)


@dataclass(frozen=True)
class Scripted:
    """States the same bounds after each look, whoever is compared."""

    after: tuple[float, float, float]

    def references(self, looks: Vectors) -> Vectors:
        return looks[:, 0]

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        stated = np.array(self.after[: probes.shape[1]])
        return np.broadcast_to(stated, (len(references), *probes.shape[:2])).copy()


def numbered(*looks: int) -> list[Enrolled]:
    """People whose vectors hold one number each, all different."""
    people, number = [], 1
    for count in looks:
        vectors = np.zeros((count, 128), np.float32)
        vectors[:, 0] = np.arange(number, number + count)
        people.append(Enrolled(vectors, np.arange(count, dtype=np.float64)))
        number += count
    return people


def quiet(done: float) -> None:
    """Listens to no progress."""


def test_compare_never_shares_a_look_between_reference_and_mated_attempt() -> None:
    """However few looks people have, no mated comparison sees one twice."""

    for trials in compare(numbered(3, 4, 5, 6, 9), Overlap(), 7, quiet):
        own = trials.own()[trials.mated]
        assert (own == 1.0).all()


def test_compare_counts_as_mated_only_what_disjoint_looks_reach() -> None:
    """Three looks give 1v1, four 3v1, five 3v2 and six 3v3."""

    all_trials = compare(numbered(3, 4, 5, 6), Overlap(), 7, quiet)

    assert [list(trials.mated[0]) for trials in all_trials] == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
    ]


def test_compare_gives_people_of_three_looks_full_attempts_on_others() -> None:
    """Somebody with three looks is a stranger to everybody else, with three looks."""

    trials = compare(numbered(3, 3), Overlap(), 7, quiet)[-1]

    assert (trials.bounds[:, 0, 1] == 1.0).all()
    assert not np.isnan(trials.bounds).any()


def test_compare_scores_everybody_in_their_own_place_when_cut_into_blocks(monkeypatch) -> None:
    """Comparing in blocks gives the same as comparing at once."""
    people = numbered(*[6] * 7)
    whole = compare(people, Overlap(), 7, quiet)
    monkeypatch.setattr(module, "_ROWS", 2)
    monkeypatch.setattr(module, "_COLUMNS", 3)

    cut = compare(people, Overlap(), 7, quiet)

    assert all(np.array_equal(a.bounds, b.bounds) for a, b in zip(whole, cut, strict=True))


def test_compare_counts_an_attempt_by_its_best_prefix() -> None:
    """A door that was open after one look has let the stranger in."""

    trials = compare(numbered(6, 6), Scripted((0.5, 0.01, 0.2)), 7, quiet)

    assert [float(t.bounds[0, 0, 1]) for t in trials] == pytest.approx([0.5, 0.5, 0.01, 0.01])


@pytest.mark.parametrize("nonsense", [float("nan"), 0.0, -1.0, 1.5, float("inf")])
def test_compare_never_accepts_what_is_no_bound(nonsense) -> None:
    """What `decide` denies is no match here either, for strangers and rightful people alike."""

    trials = compare(numbered(6, 6), Scripted((nonsense,) * 3), 7, quiet)[-1]
    hits, missed, mated = trials.accepted(1.0)

    assert hits.sum() == 0
    assert np.array_equal(missed, mated)


def test_compare_takes_the_worst_quality_of_the_looks_in_a_comparison() -> None:
    """With six looks all take part, so the comparison is as bad as the worst of them."""

    trials = compare(numbered(6, 6), Overlap(), 7, quiet)[-1]

    assert (trials.quality == 0.0).all()


def test_compare_reports_progress_to_the_end() -> None:
    """Progress ascends to 1."""
    told: list[float] = []

    compare(numbered(6, 6), Overlap(), 7, told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0


def test_accepted_counts_by_pair_and_by_person() -> None:
    """False matches leave the diagonal out; misses are of mated comparisons only."""

    trials = compare(numbered(6, 5), Scripted((0.5, 0.5, 0.5)), 7, quiet)[-1]
    hits, missed, mated = trials.accepted(0.5)

    assert hits.tolist() == [[0, MAX_SPLITS], [MAX_SPLITS, 0]]
    assert (missed.tolist(), mated.tolist()) == ([0, 0], [MAX_SPLITS, 0])


@pytest.mark.parametrize(("people", "splits"), [(2, MAX_SPLITS), (901, 5), (3000, MIN_SPLITS)])
def test_splits_for_gives_few_people_more_splits(people, splits) -> None:
    """The number of stored comparisons stays about the same."""

    assert splits_for(people) == splits
