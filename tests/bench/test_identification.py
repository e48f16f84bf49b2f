"""Searches of galleries count who was taken for whom."""

import numpy as np
import pytest

from postern.bench.identification import Identification, identify
from postern.bench.rates import Verdict, draw_people
from postern.bench.trials import Trials


def searched(bounds: np.ndarray, people: int = 40) -> dict[tuple[int, float], Identification]:
    """Identification by gallery size and permit, with these bounds in every split."""
    stacked = np.broadcast_to(bounds, (4, people, people)).astype(np.float32)
    trials = Trials(3, 3, stacked, np.ones((4, people), np.bool_), np.zeros((4, people)))
    found = identify(trials, draw_people(people, 1), 5, lambda done: None)
    return {(each.gallery, each.permit): each for each in found}


def apart(own: float, other: float, people: int = 40) -> np.ndarray:
    """One bound for people at their own reference, another for strangers."""
    return np.where(np.eye(people, dtype=bool), own, other)


def test_identify_is_without_errors_when_people_are_told_apart() -> None:
    """Perfect separation gives neither kind of error, with the counts of all searches."""

    found = searched(apart(1e-9, 1.0))[10, 1e-3]

    assert (found.fpir.hits, found.fpir.trials) == (0, found.galleries * 30)
    assert (found.fnir.hits, found.fnir.trials) == (0, found.galleries * 10)


def test_identify_multiplies_the_bound_by_the_gallery() -> None:
    """A bound of 2 in 10,000 opens alone and among few, but not among ten."""

    found = searched(apart(2e-4, 1.0))

    assert found[1, 1e-3].fnir.hits == 0
    assert found[1, 1e-4].fnir.hits == found[1, 1e-4].fnir.trials
    assert found[10, 1e-3].fnir.hits == found[10, 1e-3].fnir.trials


def test_identify_counts_outsiders_who_are_taken_for_anybody() -> None:
    """Person 0's reference matches everybody: searches fail where person 0 is in the gallery."""
    bounds = apart(1e-9, 1.0)
    bounds[0, 1:] = 1e-8

    found = searched(bounds)[10, 1e-3]

    assert 0.1 < found.fpir.hits / found.fpir.trials < 0.4
    assert found.verdict is Verdict.BROKEN


def test_identify_misses_people_whom_somebody_else_matches_as_well() -> None:
    """A tie is nobody's: decide denies it as ambiguous."""

    found = searched(apart(1e-9, 1e-9))[10, 1e-3]

    assert found.fnir.hits == found.fnir.trials
    assert found.fpir.hits == found.fpir.trials


def test_identify_never_returns_anybody_on_nan() -> None:
    """Where no bound was stated nobody is returned."""

    found = searched(np.full((40, 40), np.nan))[10, 1e-3]

    assert found.fpir.hits == 0
    assert found.fnir.hits == found.fnir.trials


def test_identify_shows_nothing_when_there_are_too_few_people_for_the_gallery() -> None:
    """Forty people make no gallery of a hundred."""

    found = searched(apart(1e-9, 1.0))

    for size in (100, 500):
        each = found[size, 1e-3]
        assert (each.galleries, each.fpir.trials, each.fnir.trials) == (0, 0, 0)
        assert each.verdict is Verdict.NOT_SHOWN


@pytest.mark.parametrize(("size", "units"), [(1, 780), (10, 78)])
def test_identify_uses_up_one_pair_of_people_per_member(size, units) -> None:
    """Large galleries leave fewer independent searches, so fewer claims are shown."""

    each = searched(apart(1e-9, 1.0))[size, 1e-3]

    assert each.fpir.units == units
    assert each.verdict is Verdict.NOT_SHOWN
