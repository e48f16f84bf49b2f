"""One factor's case for one candidate, and how such cases combine.

Every factor answers one question: if this were a random other person or vehicle, how likely would
we see a match at least this good? That probability `p` is an upper bound, never a guess.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import fsum, inf, isnan, log, nan, prod

from postern.core.errors import invalid
from postern.core.ids import CredentialId, Holder
from postern.core.moment import Moment

#: Candidates. More than anybody searches; beyond it nothing can be said.
MAX_SEARCHED = 10**12
#: The smallest bound that is ever stated. It keeps products from becoming zero, which no bound is.
LEAST = 1e-300
#: The upper edges of the bands 1 to 9.
BANDS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)


class Factor(StrEnum):
    """What a permit can ask for."""

    FACE = "face"
    PLATE = "plate"
    PASS = "pass"  # noqa: S105 - the word of the trade, not a password
    CARD = "card"
    PIN = "pin"

    @property
    def claims(self) -> bool:
        """Whether it names one candidate by itself instead of weighing how alike two things are."""
        return self in (Factor.PASS, Factor.CARD)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One factor's case for one candidate.

    Attributes:
        factor: Which factor.
        holder: The person or vehicle it speaks for.
        credential: The credential that was compared or presented.
        p: Upper bound on the chance that a random other would match at least this well, for this
            one comparison. Claims (a pass, a card) carry 1.0: they narrow, they do not weigh. It
            may be anything that arithmetic can produce; `decide` denies what is not in (0, 1]: no
            bound is zero, but a value that somebody forgot to set is.
        searched: How many candidates were compared to find this one, at least 1.
        looks: How many different looks stand behind it, at least 1; 1 for a pass, card or PIN.
        seen: When the last of them was captured.
    """

    factor: Factor
    holder: Holder
    credential: CredentialId
    p: float
    searched: int
    looks: int
    seen: Moment

    @property
    def bound(self) -> float:
        """`p` after the search, by the union bound, in (0, 1]; NaN where it bounds nothing."""
        if not self.p > 0.0 or self.searched < 1:
            return nan
        return min(1.0, self.p * self.searched) if self.searched <= MAX_SEARCHED else 1.0

    @property
    def sound(self) -> bool:
        """Whether it may be weighed at all."""
        return 0.0 < self.p <= 1.0 and self.searched >= 1 and self.looks >= 1


def combine(ps: Sequence[float]) -> float:
    """The chance that a random other would do at least this well on all factors together.

    Fisher's method in closed form: with ``b = -ln(p1 ... pk)``, minus twice the log of the product
    is chi-squared with 2k degrees of freedom, whose tail is ``exp(-b) * sum_{j<k} b**j / j!``
    (R. A. Fisher, Statistical Methods for Research Workers, 1925, section 21.1; the tail is that
    of an Erlang variable).

    Args:
        ps: Upper bounds of independent factors. Each may be the smallest of a search, already
            multiplied by the number searched: what counts is that a random other stays at or below
            it no more often than it says.

    Returns:
        An upper bound in (0, 1]; 1 for no factor at all; NaN where any input is not in (0, 1].
    """
    if not all(0.0 < p <= 1.0 for p in ps):
        return nan
    b = -fsum(log(p) for p in ps)
    term, total = 1.0, 1.0
    for j in range(1, len(ps)):
        term *= b / j
        total += term
    # The product itself and not exp(-b), so that a single factor comes back as it went in: a bound
    # of exactly the permitted 1 in 10,000 has to pass. Sorted, because rounding goes by the order.
    return min(1.0, max(LEAST, prod(sorted(ps)) * total))


def band(p: float) -> int:
    """A coarse step for `p`: k means "at most 1 in 10^k"; 0 where nothing can be said.

    Events keep only this, so that nobody can climb towards a reference by watching a score.
    """
    return sum(0.0 < p <= edge for edge in BANDS)


@dataclass(frozen=True, slots=True)
class Table:
    """How likely a random other scores at or below a value: a step function with upper bounds.

    Attributes:
        scores: Scores, strictly ascending; lower is a better match.
        bounds: For each score, an upper bound on the chance that an impostor attempt scores at or
            below it; ascending, each in (0, 1].
    """

    scores: tuple[float, ...]
    bounds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.scores or len(self.scores) != len(self.bounds):
            raise invalid("A calibration table needs as many bounds as scores, and at least one.")
        if not all(-inf < s < inf for s in self.scores) or not all(
            a < b for a, b in pairwise(self.scores)
        ):
            raise invalid("A calibration table's scores must be finite and strictly ascending.")
        if not all(0.0 < p <= 1.0 for p in self.bounds) or not all(
            a <= b for a, b in pairwise(self.bounds)
        ):
            raise invalid("A calibration table's bounds must ascend within (0, 1].")

    def bound(self, score: float) -> float:
        """The bound of the smallest tabulated score that is not below `score`; 1 beyond the table.

        A score better than all tabulated ones gets the first bound: data that was not collected
        cannot vouch for more. NaN gives 1.
        """
        if isnan(score):
            return 1.0
        at = bisect_left(self.scores, score)
        return self.bounds[at] if at < len(self.bounds) else 1.0

    def score(self, p: float) -> float:
        """The largest score whose bound is at most `p`; minus infinity where there is none."""
        best = -inf
        for score, bound in zip(self.scores, self.bounds, strict=True):
            if not bound <= p:
                break
            best = score
        return best


def worst(bounds: Iterable[float]) -> float:
    """The largest of several bounds on the same thing; NaN where any is NaN; 1 for none."""
    values = tuple(bounds)
    if any(isnan(value) for value in values):
        return nan
    return max(values, default=1.0)
