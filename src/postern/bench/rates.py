"""Error rates with honest intervals: counts in, what they prove out. Pure.

1. Comparisons of the same people are not independent, however many there are. Every interval goes
   by independent *units*: unordered pairs of people for a false match, people for everything else.
2. Two intervals stand side by side. The exact one (Clopper and Pearson, The use of confidence or
   fiducial limits, Biometrika 26, 1934) takes the units as independent draws; a rate measured on
   more comparisons than units is read as that rate on the units alone, as Korn and Graubard do for
   clustered surveys (Survey Methodology 24, 1998). The resampled one draws people with replacement
   (the two-way subsets bootstrap: Bolle, Ratha and Pankanti, Computer Vision and Image
   Understanding 93, 2004) and so sees that a few people can carry most of the errors.
3. Where nothing was seen the rate may still be 3/n (the rule of three: Hanley and Lippman-Hand,
   JAMA 249, 1983). Zero is never reported as zero, and a claim below 3/n is never called shown.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp, lgamma, log, log1p, sqrt

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid

#: Of two-sided intervals; one-sided ends are at the same confidence.
CONFIDENCE = 0.95
#: Draws of people. The ends of a 95 % interval are then good to about 0.7 points of confidence.
REPLICAS = 1000
#: -ln(0.05), rounded up: where n independent units showed nothing.
RULE_OF_THREE = 3.0

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a confidence interval of a rate, in [0, 1]."""

    low: float
    high: float


#: What is known of a rate that was never measured.
UNKNOWN = Interval(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something went wrong, and what that proves.

    Attributes:
        hits: How often it did.
        trials: How often it could have.
        units: How many independent units the trials come from.
        people: How many people took part.
        exact: Two-sided 95 % interval of Clopper and Pearson on the units.
        resampled: Two-sided 95 % interval from resampling people; up to 3/units where hits is 0.
        lower: One-sided 95 % lower end, the smaller of both methods; the exact one alone where the
            resampled one is 0, which says only that some draws missed the few people concerned.
        upper: One-sided 95 % upper end, the larger of both methods; never below 3/units. What can
            be claimed.
    """

    hits: int
    trials: int
    units: int
    people: int
    exact: Interval
    resampled: Interval
    lower: float
    upper: float

    @property
    def measured(self) -> float | None:
        """Hits per trial; None where nothing was tried."""
        return self.hits / self.trials if self.trials else None


class Verdict(StrEnum):
    """What a measured rate says about a stated bound."""

    HOLDS = "holds"
    WITHIN = "within"
    EXCEEDED = "exceeded"
    BROKEN = "broken"
    NOT_SHOWN = "not_shown"


def judge(stated: float, rate: Rate) -> Verdict:
    """What `rate` says about the claim that it is at most `stated`.

    Returns:
        `BROKEN` where even the lower end is above the claim, `EXCEEDED` where the rate is but
        chance might explain it, `NOT_SHOWN` where this data could not have shown the claim,
        `HOLDS` where even the upper end is within it, `WITHIN` where only the rate itself is.
    """
    if rate.measured is None:
        return Verdict.NOT_SHOWN
    if rate.lower > stated:
        return Verdict.BROKEN
    if rate.measured > stated:
        return Verdict.EXCEEDED
    if not RULE_OF_THREE / rate.units <= stated:
        return Verdict.NOT_SHOWN
    return Verdict.HOLDS if rate.upper <= stated else Verdict.WITHIN


def pairs_of(people: int) -> int:
    """How many unordered pairs so many people make."""
    return people * (people - 1) // 2


def check_claim(stated: float, people: int) -> None:
    """Refuses a claim about strangers that so many people cannot carry, before any work is done.

    Raises:
        PosternError: `invalid` where `stated` is not in (0, 1), or below 3/n for the n unordered
            pairs of people.
    """
    if not 0.0 < stated < 1.0:
        raise invalid("A claim lies between 0 and 1.", "For 1 in 10,000 write 1e-4.")
    pairs = pairs_of(people)
    if stated * pairs >= RULE_OF_THREE:
        return
    needed = ceil((1.0 + sqrt(1.0 + 8.0 * RULE_OF_THREE / stated)) / 2.0)
    best = f"at best 1 in {pairs // 3:,}" if pairs > 3 else "nothing about strangers"
    raise invalid(
        f"This data can show {best}: {people:,} people make {pairs:,} pairs, too few for a claim "
        f"of 1 in {1.0 / stated:,.0f}.",
        f"It takes {needed:,} people with enough usable pictures, or a weaker claim.",
    )


def exact_interval(hits: float, units: float, confidence: float = CONFIDENCE) -> Interval:
    """The two-sided interval of Clopper and Pearson.

    Args:
        hits: In [0, units]; may be a fraction, see rule 2 of this file.
        units: Positive.
        confidence: Of both sides together, in (0, 1).
    """
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if hits <= 0.0 else beta_quantile(tail, hits, units - hits + 1.0)
    high = 1.0 if hits >= units else beta_quantile(1.0 - tail, hits + 1.0, units - hits)
    return Interval(low, high)


def draw_people(people: int, seed: int, replicas: int = REPLICAS) -> Floats:
    """How often each person is drawn in each replica, (replicas, people), rows sum to people."""
    rng = np.random.default_rng(seed)
    shares = np.full(people, 1.0 / people)
    return rng.multinomial(people, shares, size=replicas).astype(np.float64)


def rate_of_pairs(hits: Counts, each: int, draws: Floats) -> Rate:
    """The rate of something that happens between two different people.

    Args:
        hits: (P, P), how often it happened with the row's reference and the column's attempt; the
            diagonal does not count.
        each: How often every ordered pair was tried.
        draws: (B, P) from `draw_people`.
    """
    between = hits.astype(np.float64)
    np.fill_diagonal(between, 0.0)
    people = len(hits)
    seen = ((draws @ between) * draws).sum(axis=1)
    # A person who was drawn twice does not meet themself: those comparisons would be mated.
    tried = each * (draws.sum(axis=1) ** 2 - (draws**2).sum(axis=1))
    trials = each * people * (people - 1)
    return _rate(int(between.sum()), trials, pairs_of(people), people, _ratios(seen, tried))


def rate_of_people(hits: Counts, trials: Counts, draws: Floats, units: int | None = None) -> Rate:
    """The rate of something that happens to one person at a time.

    Args:
        hits: (P,), how often it happened to each.
        trials: (P,), how often it could have; people with 0 do not count.
        draws: (B, P) from `draw_people`.
        units: Independent units where they are not the people who took part.
    """
    people = int(np.count_nonzero(trials))
    ratios = _ratios(draws @ hits.astype(np.float64), draws @ trials.astype(np.float64))
    return _rate(
        int(hits.sum()), int(trials.sum()), people if units is None else units, people, ratios
    )


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Where the beta distribution of `a` and `b`, both positive, reaches `probability`."""
    low, high = 0.0, 1.0
    # Halving the interval in the middle of its logarithm near 0, where small rates live.
    for _ in range(200):
        middle = sqrt(low * high) if low > 0.0 else high / 16.0 if high > 1e-300 else 0.0
        if middle <= low or middle >= high or high - low <= 1e-12 * high:
            break
        if beta_cumulative(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return high


def beta_cumulative(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function of `x` in [0, 1], by its continued fraction.

    NIST Digital Library of Mathematical Functions, 8.17.22, evaluated by Lentz's method.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cumulative(1.0 - x, b, a)
    front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(front) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, 20_000):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / ((1.0 + term * d) or tiny)
        c = (1.0 + term / c) or tiny
        value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return value


def _rate(hits: int, trials: int, units: int, people: int, ratios: Floats) -> Rate:
    if trials < 1 or units < 1:
        return Rate(hits, trials, units, people, UNKNOWN, UNKNOWN, 0.0, 1.0)
    effective = hits / trials * units
    one_sided = exact_interval(effective, units, 2.0 * CONFIDENCE - 1.0)
    floor = min(1.0, RULE_OF_THREE / units)
    both_ways = 0 < hits < trials
    start, end = _ends(ratios, 2.0 * CONFIDENCE - 1.0) if both_ways else _one_way(hits, floor)
    resampled = Interval(*_ends(ratios, CONFIDENCE)) if both_ways else Interval(start, end)
    lower = min(one_sided.low, start) if start > 0.0 else one_sided.low
    upper = max(one_sided.high, floor, end)
    exact = exact_interval(effective, units)
    return Rate(hits, trials, units, people, exact, resampled, lower, upper)


def _one_way(hits: int, floor: float) -> tuple[float, float]:
    """Ends for what never or always happened: resampling cannot say, the rule of three can."""
    return (0.0, floor) if hits == 0 else (1.0 - floor, 1.0)


def _ends(ratios: Floats, confidence: float) -> tuple[float, float]:
    if not len(ratios):
        return 0.0, 1.0
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail])
    return float(low), float(high)


def _ratios(seen: Floats, tried: Floats) -> Floats:
    """Rates of the replicas in which anything was tried."""
    some = tried > 0.0
    return np.asarray(seen[some] / tried[some])
