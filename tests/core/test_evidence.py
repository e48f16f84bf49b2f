"""The arithmetic of evidence, against other people's code, slow references and plain counting."""

from bisect import bisect_left
from itertools import permutations
from math import inf, isnan, log, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from postern.core.errors import PosternError
from postern.core.evidence import LEAST, Factor, Table, band, combine, worst
from tests.people import ALICE, evidence, face

bounds = st.floats(1e-12, 1.0)


# Combining --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ps", [[1e-4, 1e-3], [0.5, 0.5], [1e-9, 1e-8, 1e-4], [1.0, 1e-6], [0.03, 0.2, 0.9, 0.01]]
)
def test_combine_is_fishers_method(ps):
    """The closed form gives what SciPy's chi-squared tail gives."""
    assert stats.combine_pvalues(ps, method="fisher").pvalue == pytest.approx(combine(ps), rel=1e-9)


@settings(max_examples=100)
@given(st.lists(bounds, min_size=1, max_size=5))
def test_combine_agrees_with_scipy_everywhere(ps):
    """Also where the factors are many, large, tiny or equal."""
    expected = stats.combine_pvalues(ps, method="fisher").pvalue

    assert expected == pytest.approx(combine(ps), rel=1e-8, abs=1e-290)


def test_combine_of_two_is_the_textbook_formula():
    """With two factors the chance is P (1 - ln P) of the product P."""
    product = 1e-3 * 1e-2

    assert product * (1 - log(product)) == pytest.approx(combine([1e-3, 1e-2]), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_combine_is_as_rare_as_it_says(k):
    """Of a million random others, as many come below each bound as the bound says."""
    ps = np.random.default_rng(20260304 + k).uniform(size=(1_000_000, k))
    b = -np.log(ps).sum(axis=1)
    combined = np.exp(-b) * sum(b**j / [1, 1, 2][j] for j in range(k))
    sample = [combine([float(p) for p in row]) for row in ps[:500]]

    assert np.allclose(sample, combined[:500], rtol=1e-9)
    for bound in (0.1, 0.01, 1e-3):
        expected = bound * len(ps)
        assert abs((combined <= bound).sum() - expected) < 5 * expected**0.5


def test_combine_holds_after_searches_of_different_sizes():
    """The smallest of N, times N, still bounds: strangers pass no more often than stated."""
    rng, n, searches = np.random.default_rng(7), 200_000, (20, 5)
    smallest = [rng.uniform(size=(n, k)).min(axis=1) for k in searches]
    after = np.stack([np.minimum(1.0, p * k) for p, k in zip(smallest, searches, strict=True)])
    product = after.prod(axis=0)
    combined = product * (1 - np.log(product))

    for bound in (0.05, 0.01, 1e-3):
        assert (combined <= bound).sum() <= bound * n + 5 * (bound * n) ** 0.5


@pytest.mark.parametrize("p", [1e-4, 1e-3, 0.3, 7e-3, 1.0, 1e-9, 3e-5])
def test_combine_leaves_a_single_factor_as_it_is(p):
    """No rounding: a bound at its limit stays there."""
    assert p == combine([p])


def test_combine_of_nothing_says_nothing():
    """Without a factor everybody would have done as well."""
    assert 1.0 == combine([])


@pytest.mark.parametrize("spoilt", [nan, inf, -inf, -1e-9, 0.0, 1.0 + 1e-9])
def test_combine_is_no_number_where_a_factor_is_no_bound(spoilt):
    """What is not in (0, 1] cannot be weighed, in whichever place."""
    assert isnan(combine([spoilt]))
    assert isnan(combine([1e-4, spoilt]))
    assert isnan(combine([spoilt, 1e-4]))


def test_combine_is_never_zero():
    """Products too small for a float stay bounds, so that "1 in N" can be said of them."""
    assert LEAST == combine([1e-200, 1e-200, 5e-324])
    assert LEAST == combine([5e-324])


def test_combine_does_not_depend_on_the_order():
    """To the last bit."""
    ps = [1e-3, 0.7, 3e-5, 0.11]

    assert 1 == len({combine(order) for order in permutations(ps)})


@settings(max_examples=100)
@given(st.lists(bounds, min_size=1, max_size=4), st.floats(1.001, 100.0))
def test_combine_grows_with_each_factor(ps, times):
    """Worse evidence never makes the whole better."""
    worse = [min(1.0, ps[0] * times), *ps[1:]]

    assert combine(ps) <= combine(worse) * (1 + 1e-12)


@given(st.lists(bounds, min_size=2, max_size=4))
def test_combine_is_at_least_the_product(ps):
    """Multiplying alone would claim too much."""
    assert float(np.prod(ps)) <= combine(ps) * (1 + 1e-12)


# Evidence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "searched", "bound"),
    [(1e-6, 1, 1e-6), (1e-6, 100, 1e-4), (0.1, 100, 1.0), (1.5, 1, 1.0), (inf, 1, 1.0),
     (1e-9, 10**400, 1.0), (10**400, 3, 1.0)],
)  # fmt: skip
def test_a_bound_grows_with_the_search(p, searched, bound):
    """Searching N multiplies by N, and never beyond certainty."""
    assert bound == pytest.approx(evidence(Factor.FACE, ALICE, p, searched=searched).bound)


@pytest.mark.parametrize(
    ("p", "searched"), [(nan, 1), (0.0, 1), (-1e-9, 1), (-inf, 1), (1e-6, 0), (1e-6, -3)]
)
def test_a_bound_is_no_number_where_nothing_is_bounded(p, searched):
    """Zero is a number that somebody forgot to set, and a search compares at least one."""
    one = evidence(Factor.FACE, ALICE, p, searched=searched)

    assert isnan(one.bound)
    assert not one.sound


@pytest.mark.parametrize(
    ("p", "looks", "sound"),
    [(1e-6, 1, True), (1.0, 1, True), (1.01, 1, False), (inf, 1, False), (1e-6, 0, False)],
)
def test_evidence_is_sound_only_as_a_probability_with_a_look_behind_it(p, looks, sound):
    """A p above 1 bounds nothing, and without a look there is nothing to bound."""
    assert sound == evidence(Factor.FACE, ALICE, p, looks=looks).sound


def test_only_passes_and_cards_claim():
    """A PIN, a face and a plate weigh; a pass and a card name."""
    assert {Factor.PASS, Factor.CARD} == {factor for factor in Factor if factor.claims}


def test_evidence_holds_no_score_and_no_picture():
    """Its fields are the ones an event may be made from, and no more."""
    fields = {"factor", "holder", "credential", "p", "searched", "looks", "seen"}

    assert fields == set(type(face(ALICE)).__dataclass_fields__)


# Bands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "step"),
    [(1.0, 0), (0.11, 0), (0.1, 1), (0.02, 1), (0.01, 2), (1e-3, 3), (1e-4, 4), (1e-5, 5),
     (1e-6, 6), (1e-7, 7), (1e-8, 8), (1e-9, 9), (1e-12, 9), (LEAST, 9), (5e-324, 9),
     (0.0, 0), (-1.0, 0), (1.5, 0), (inf, 0), (nan, 0)],
)  # fmt: skip
def test_band_is_the_largest_power_of_ten_that_holds(p, step):
    """Step k says "at most 1 in 10^k", and 0 says nothing."""
    assert step == band(p)


@given(st.floats(1e-300, 1.0))
def test_band_never_claims_too_much(p):
    """What a band says of a chance is true of it, and the next band would not be."""
    assert p <= 10.0 ** -band(p)
    assert band(p) == 9 or p > 10.0 ** -(band(p) + 1)


@pytest.mark.parametrize("k", range(1, 10))
def test_band_does_not_round_in_our_favour(k):
    """A hair above the edge is in the band above it."""
    assert k - 1 == band(float(np.nextafter(10.0**-k, 1.0)))


# Tables -----------------------------------------------------------------------------------------

TABLE = Table((0.1, 0.2, 0.4), (1e-5, 1e-4, 1e-2))


@pytest.mark.parametrize(
    ("score", "bound"),
    [(-inf, 1e-5), (0.0, 1e-5), (0.1, 1e-5), (0.1000001, 1e-4), (0.2, 1e-4), (0.4, 1e-2),
     (0.41, 1.0), (inf, 1.0), (nan, 1.0)],
)  # fmt: skip
def test_a_table_bounds_by_the_next_worse_score(score, bound):
    """Between two scores the worse one counts; beyond the data nothing is vouched for."""
    assert bound == TABLE.bound(score)


@pytest.mark.parametrize(
    ("p", "score"),
    [(1e-6, -inf), (1e-5, 0.1), (5e-5, 0.1), (1e-4, 0.2), (1.0, 0.4), (0.0, -inf), (nan, -inf)],
)
def test_a_table_tells_the_score_that_a_bound_allows(p, score):
    """The largest score that is still within the bound, and none where no data reaches."""
    assert score == TABLE.score(p)


@st.composite
def tables(draw):
    """Tables with bounds that repeat and scores of both signs."""
    scores = sorted(draw(st.sets(st.floats(-5, 5), min_size=1, max_size=12)))
    steps = st.lists(st.floats(1e-9, 1.0), min_size=len(scores), max_size=len(scores))
    return Table(tuple(scores), tuple(sorted(draw(steps))))


@settings(max_examples=100)
@given(tables(), st.floats(-6, 6))
def test_a_table_agrees_with_looking_through_it(table, score):
    """The quick search gives what reading the rows from the top gives."""
    rows = zip(table.scores, table.bounds, strict=True)
    slow = next((bound for tabulated, bound in rows if score <= tabulated), 1.0)

    assert slow == table.bound(score)


@settings(max_examples=100)
@given(tables(), st.floats(-6, 6), st.floats(-6, 6), st.floats(1e-9, 1.0))
def test_a_table_is_monotone_and_its_two_directions_agree(table, one, other, p):
    """A worse score never has a better bound, and `score` undoes `bound`."""
    better, worse = sorted([one, other])

    assert table.bound(better) <= table.bound(worse)
    limit = table.score(p)
    assert limit == -inf or table.bound(limit) <= p
    above = bisect_left(table.scores, limit) + 1 if limit > -inf else 0
    assert above == len(table.scores) or table.bounds[above] > p


def test_a_table_of_real_counts_bounds_unseen_strangers():
    """Made from one half of the strangers, it holds on the other half."""
    rng = np.random.default_rng(1)
    seen, unseen = np.sort(rng.normal(size=20_000)), rng.normal(size=20_000)
    at = np.arange(10, 2000, 10)
    upper = [(k + 3 * k**0.5 + 3) / len(seen) for k in at + 1]
    table = Table(tuple(map(float, seen[at])), tuple(float(u) for u in upper))

    for p in (1e-2, 3e-2):
        assert (unseen <= table.score(p)).mean() <= p


@pytest.mark.parametrize(
    ("scores", "chances"),
    [
        ((), ()),
        ((0.1,), (0.1, 0.2)),
        ((0.2, 0.1), (0.1, 0.2)),
        ((0.1, 0.1), (0.1, 0.2)),
        ((0.1, nan), (0.1, 0.2)),
        ((nan,), (0.1,)),
        ((-inf, 0.1), (0.1, 0.2)),
        ((0.1, inf), (0.1, 0.2)),
        ((0.1, 0.2), (0.2, 0.1)),
        ((0.1,), (0.0,)),
        ((0.1,), (nan,)),
        ((0.1,), (1.1,)),
        ((0.1,), (-0.1,)),
    ],
)
def test_a_table_that_is_no_calibration_is_refused(scores, chances):
    """Nothing is guessed from data that cannot be right."""
    with pytest.raises(PosternError, match="calibration table"):
        Table(scores, chances)


@pytest.mark.parametrize(
    ("several", "largest"), [([], 1.0), ([1e-4], 1e-4), ([1e-4, 1e-2, 1e-6], 1e-2), ([inf], inf)]
)
def test_worst_is_the_largest(several, largest):
    """Of several bounds on the same thing the largest counts; without any, nothing is bounded."""
    assert largest == worst(several)


@pytest.mark.parametrize("order", list(permutations([nan, 1e-4, 1.0])))
def test_worst_is_no_number_where_any_is_none(order):
    """NaN does not get lost among others, wherever it stands."""
    assert isnan(worst(order))
