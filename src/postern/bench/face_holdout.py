"""Whether the bound holds for people whom the tables have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postern.bench.face_calibration import People, make_cohort, make_tables
from postern.bench.face_procedure import kept
from postern.bench.looks import Vectors
from postern.vision.faces.calibration import REFERENCE_LOOKS, score, strangers
from postern.vision.faces.cohort import Cohort

CLAIMS = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, slots=True)
class Held:
    """How often strangers passed who are in no table.

    Attributes:
        tables: What the tables were made of.
        strangers: Who came.
        people: How many of them.
        attempts: How many attempts at other people's references, of up to three looks.
        passed: How many met each of `CLAIMS` after any of their looks.
    """

    tables: str
    strangers: str
    people: int
    attempts: int
    passed: tuple[int, ...]

    def times(self, claim: int) -> float:
        """How many times the claim of that index was measured; below 1 it holds."""
        return self.passed[claim] / self.attempts / CLAIMS[claim]


def hold_out(main: People, other: People) -> tuple[Held, ...]:
    """Tables from every second person of `main`, with and without `other`, met by the rest.

    Args:
        main: The largest data set.
        other: A set in other light, of other people.
    """
    half = People(f"half of {main.name}", main.looks[0::2])
    rest = People(f"the other half of {main.name}", main.looks[1::2])
    cohort = make_cohort(half)
    found = [
        _met(half, (), cohort, rest),
        _met(half, (), cohort, other),
        _met(half, (other,), cohort, rest),
    ]
    return tuple(found)


def _met(half: People, others: Sequence[People], cohort: Vectors, who: People) -> Held:
    tables = make_tables(half, others, cohort, ("held-out", "any"), kept, lambda done: None)
    enough = [looks for looks in who.looks if len(looks) >= REFERENCE_LOOKS]
    data = strangers(who.name, enough, kept)
    scores = score(data.references, data.attempts, Cohort(cohort))
    apart = np.arange(len(data.references))[:, None] != data.owner[None]
    bounds = tables.attempt_bounds(scores)[..., -1][apart]
    passed = tuple(int((bounds <= claim).sum()) for claim in CLAIMS)
    names = " and ".join([half.name, *(one.name for one in others)])
    return Held(names, who.name, len(enough), int(apart.sum()), passed)
