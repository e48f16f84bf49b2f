"""Rates prove what they can and nothing more."""

import numpy as np
import pytest

from postern.bench.rates import (
    Rate,
    Verdict,
    beta_cumulative,
    check_claim,
    draw_people,
    exact_interval,
    judge,
    rate_of_pairs,
    rate_of_people,
)
from postern.core.errors import Code, PosternError
from tests.bench.strangers import Exact

# Two-sided 95 % limits of Clopper and Pearson as printed in D. Altman et al., Statistics with
# Confidence, 2000, and reproduced by R's binom.test.
PUBLISHED = [
    (0, 10, 0.0, 0.308497),
    (1, 10, 0.002529, 0.445016),
    (5, 10, 0.187086, 0.812914),
    (10, 10, 0.691503, 1.0),
    (3, 1000, 0.000619, 0.008742),
]


def pairs(people: int, *matched: tuple[int, int]) -> np.ndarray:
    """Counts of false matches, one per pair named."""
    hits = np.zeros((people, people), np.int64)
    for row, column in matched:
        hits[row, column] += 1
    return hits


@pytest.mark.parametrize(("hits", "units", "low", "high"), PUBLISHED)
def test_exact_interval_equals_the_published_limits(hits, units, low, high) -> None:
    """The interval is that of Clopper and Pearson."""

    interval = exact_interval(hits, units)

    assert interval.low == pytest.approx(low, abs=1e-6)
    assert interval.high == pytest.approx(high, abs=1e-6)


def test_exact_interval_ends_where_the_binomial_tails_are_a_fortieth() -> None:
    """Both ends satisfy their definition, also for a rate of one in a hundred thousand."""

    interval = exact_interval(4, 400_000)

    assert beta_cumulative(interval.low, 4, 400_000 - 3) == pytest.approx(0.025, rel=1e-8)
    assert beta_cumulative(interval.high, 5, 400_000 - 4) == pytest.approx(0.975, rel=1e-8)


def test_beta_cumulative_is_symmetric_and_ends_at_zero_and_one() -> None:
    """The function has the mirror symmetry that defines its upper half."""

    assert beta_cumulative(0.3, 2.5, 7.0) == pytest.approx(1 - beta_cumulative(0.7, 7.0, 2.5))
    assert (beta_cumulative(0.0, 2, 3), beta_cumulative(1.0, 2, 3)) == (0.0, 1.0)


def test_rate_of_pairs_falls_back_to_three_in_n_when_nothing_was_seen() -> None:
    """Nothing among 780 pairs of people still allows 1 in 260, however often they were compared."""

    rate = rate_of_pairs(pairs(40), 1000, draw_people(40, 1))

    assert (rate.hits, rate.trials, rate.units) == (0, 1_560_000, 780)
    assert rate.measured == 0.0
    assert rate.upper == 3 / 780
    assert rate.resampled.high == 3 / 780
    assert rate.exact.high == pytest.approx(0.004718, abs=1e-6)


def test_rate_of_pairs_never_proves_more_than_three_in_n() -> None:
    """A single match among very many comparisons of 780 pairs proves no more than none would."""

    rate = rate_of_pairs(pairs(40, (0, 1)), 10_000, draw_people(40, 1))

    assert rate.upper == 3 / 780


def test_rate_of_pairs_ignores_people_against_themselves() -> None:
    """The diagonal is not a comparison of strangers."""

    rate = rate_of_pairs(pairs(5, (0, 0), (1, 2)), 1, draw_people(5, 1))

    assert (rate.hits, rate.trials) == (1, 20)


def test_rate_of_pairs_is_not_surer_for_more_comparisons_of_the_same_people() -> None:
    """Ten comparisons per pair with ten times the matches give the very same intervals."""
    draws, hits = draw_people(30, 1), pairs(30, (0, 1), (4, 9), (7, 3))

    once, often = rate_of_pairs(hits, 1, draws), rate_of_pairs(hits * 10, 10, draws)

    assert (once.exact, once.resampled, once.upper) == (often.exact, often.resampled, often.upper)


def test_rate_of_pairs_resampled_sees_that_one_person_carries_all_errors() -> None:
    """Matches around one person leave a wider interval than as many spread over everybody."""
    draws = draw_people(30, 1)
    around_one = pairs(30, *((0, other) for other in range(1, 13)))
    spread = pairs(30, *((2 * at, 2 * at + 1) for at in range(12)))

    one = rate_of_pairs(around_one, 1, draws).resampled
    many = rate_of_pairs(spread, 1, draws).resampled

    assert one.high - one.low > 1.4 * (many.high - many.low)


def test_rate_of_pairs_matches_a_slow_reference() -> None:
    """The resampled ends are those of resampling people by hand, one draw at a time."""
    rng = np.random.default_rng(3)
    hits = (rng.uniform(size=(12, 12)) < 0.2).astype(np.int64)
    draws = draw_people(12, 5, replicas=50)

    rates = []
    for draw in draws:
        drawn = np.repeat(np.arange(12), draw.astype(int))
        met = [hits[a, b] for a in drawn for b in drawn if a != b]
        rates.append(sum(met) / len(met))
    resampled = rate_of_pairs(hits, 1, draws).resampled

    assert (resampled.low, resampled.high) == pytest.approx(np.quantile(rates, [0.025, 0.975]))


@pytest.mark.parametrize("stated", [0.1, 0.01])
def test_intervals_cover_a_known_false_match_rate_about_as_often_as_stated(stated) -> None:
    """Of 150 sets of people with this very rate, 95 % intervals hold it in 90 % or more, and
    next to none is called broken."""
    covered, broken, sets = 0, 0, 150
    for seed in range(sets):
        people = np.random.default_rng(seed).standard_normal((40, 1, 128)).astype(np.float32)
        bounds = Exact(noise=0.0).bounds(people[:, 0], people)[..., 0]
        hits = (bounds <= stated).astype(np.int64)
        rate = rate_of_pairs(hits, 1, draw_people(40, seed, replicas=300))
        covered += rate.resampled.low <= stated <= rate.resampled.high
        broken += judge(stated, rate) is Verdict.BROKEN

    assert covered >= 0.9 * sets
    assert broken <= 0.06 * sets


def test_rate_of_people_counts_those_who_took_part() -> None:
    """People without a trial are not evidence."""

    hits, trials = np.array([1, 0, 0, 0]), np.array([4, 4, 4, 0])
    rate = rate_of_people(hits, trials, draw_people(4, 1))

    assert (rate.hits, rate.trials, rate.units, rate.people) == (1, 12, 3, 3)


def test_rate_of_people_says_nothing_when_nothing_was_tried() -> None:
    """Without trials there is no rate and every rate is possible."""
    none = np.zeros(3, np.int64)

    rate = rate_of_people(none, none, draw_people(3, 1))

    assert rate.measured is None
    assert (rate.lower, rate.upper) == (0.0, 1.0)
    assert judge(0.5, rate) is Verdict.NOT_SHOWN


def test_rate_of_people_keeps_three_in_n_when_all_failed() -> None:
    """Always is no more certain than never."""
    everybody = np.ones(30, np.int64)

    rate = rate_of_people(everybody, everybody, draw_people(30, 1))

    assert (rate.resampled.low, rate.upper) == (0.9, 1.0)


@pytest.mark.parametrize(
    ("stated", "matched", "verdict"),
    [
        (0.01, 0, Verdict.HOLDS),
        (0.003, 0, Verdict.NOT_SHOWN),
        (0.02, 10, Verdict.WITHIN),
        (0.01, 10, Verdict.EXCEEDED),
        (0.002, 10, Verdict.BROKEN),
    ],
)
def test_judge_says_what_the_counts_carry(stated, matched, verdict) -> None:
    """The five verdicts on 780 pairs of people, of which some matched both ways."""
    hits = pairs(40, *((2 * at, 2 * at + 1) for at in range(matched)))

    rate = rate_of_pairs(hits + hits.T, 1, draw_people(40, 1))

    assert judge(stated, rate) is verdict


def test_judge_never_calls_a_claim_shown_below_three_in_n() -> None:
    """A claim that the data cannot carry stays open although nothing was seen."""
    rate = rate_of_pairs(pairs(40), 100, draw_people(40, 1))

    assert judge(3 / 780, rate) is Verdict.HOLDS
    assert judge(0.999 * 3 / 780, rate) is Verdict.NOT_SHOWN


def test_check_claim_refuses_what_780_pairs_cannot_show() -> None:
    """The refusal says what the data can show, and what it would take."""

    with pytest.raises(PosternError, match="can show at best 1 in 260") as refused:
        check_claim(1e-6, 40)

    assert refused.value.code is Code.INVALID
    assert "780 pairs" in refused.value.message
    assert "2,450 people" in refused.value.hint


def test_check_claim_names_how_many_people_are_enough() -> None:
    """The number in the hint passes, and one person fewer does not."""

    check_claim(1e-6, 2450)
    with pytest.raises(PosternError):
        check_claim(1e-6, 2449)


@pytest.mark.parametrize("stated", [0.0, -1e-4, 1.0, 2.0, float("nan"), float("inf")])
def test_check_claim_refuses_what_is_no_probability(stated) -> None:
    """A claim lies between 0 and 1."""

    with pytest.raises(PosternError, match="between 0 and 1"):
        check_claim(stated, 5000)


def test_check_claim_refuses_two_people() -> None:
    """One pair shows nothing."""

    with pytest.raises(PosternError, match="nothing about strangers"):
        check_claim(0.5, 2)


def test_draw_people_is_the_same_every_time() -> None:
    """The draws go by the seed and every replica draws as many people as there are."""

    draws = draw_people(7, 42)

    assert np.array_equal(draws, draw_people(7, 42))
    assert (draws.sum(axis=1) == 7).all()


def test_rate_knows_no_zero_when_it_was_measured_once() -> None:
    """A rate is hits per trial."""
    rate = rate_of_pairs(pairs(3, (0, 1)), 1, draw_people(3, 1))

    assert isinstance(rate, Rate)
    assert rate.measured == pytest.approx(1 / 6)
