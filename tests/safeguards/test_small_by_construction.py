"""Safeguard: a large face gallery without a second factor denies by arithmetic.

Five hundred people whom nobody has ever seen are sealed into a real vault, and one of them stands
before the door with the very vector that was enrolled: no better match can exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from postern.app.matching import SiteFaceMatcher
from postern.app.roster import CAP
from postern.core.decide import decide
from postern.core.decision import Decision, Reason
from postern.core.evidence import Evidence, Factor
from postern.core.ids import CredentialId, Holder, PersonId
from postern.core.permit import Ceiling
from postern.frame import Reference, Template
from postern.vault.vault import Vault, open_vault
from postern.vision.faces.load import load_calibration, load_cohort
from tests.people import VAN, attempt, consent, credential, moment, permit, plate, state

Vector = npt.NDArray[np.float32]
SAFEGUARDS = Path(__file__).parents[2] / "docs" / "safeguards.md"
PEOPLE = tuple(PersonId(f"p-{number:03}") for number in range(500))
#: How the looks at one person differ.
SHAKES = np.random.default_rng(6).normal(size=(3, 128)).astype(np.float32) * 1e-3
#: The shipped tables carry so many at 1 in 10,000 by a face alone, and so many more do not pass.
FEW = 5


@dataclass(frozen=True)
class Roster:
    """Everybody's opened reference, what compares with them, and the first one's own vector."""

    first: Vector
    references: tuple[Reference, ...]
    matcher: SiteFaceMatcher
    model: str

    def found(self, searched: int) -> tuple[Evidence, ...]:
        """Three looks at the first person, compared with so many."""
        probes = tuple(Template(self.first + shake, self.model, 1) for shake in SHAKES)
        return self.matcher.match(probes, self.references[:searched], moment())

    def decided(self, searched: int, bound: float) -> Decision:
        """What becomes of them under a face-only permit for so many."""
        return _decided(self.found(searched), PEOPLE[:searched], bound)


@pytest.fixture(scope="module", params=["dlib", "yunet"])
def roster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Roster]:
    calibration, cohort = load_calibration(request.param), load_cohort(request.param)
    # As faces lie, and nobody's: drawn anew from the distribution of the cohort.
    drawn = np.random.default_rng(5).multivariate_normal(cohort.mean(0), np.cov(cohort.T), 500)
    vectors = drawn.astype(np.float32)
    vault = open_vault(tmp_path_factory.mktemp("vault"))
    matcher = SiteFaceMatcher(vault, calibration, cohort)
    references = tuple(
        _reference(vault, person, vector, calibration.embedder)
        for person, vector in zip(PEOPLE, vectors, strict=True)
    )
    yield Roster(vectors[0], references, matcher, calibration.embedder)
    vault.close()


def test_a_few_people_are_let_in_by_their_face(roster: Roster) -> None:
    """Otherwise the rest would show nothing."""
    assert Reason.PERMITTED is roster.decided(FEW, 1e-4).reason


def test_five_hundred_people_deny_by_arithmetic(roster: Roster) -> None:
    """The best match there can be is not enough, and nobody else was as good."""
    decision = roster.decided(500, 1e-4)

    assert Reason.UNAUTHORIZED is decision.reason
    assert not decision.granted


def test_the_bound_grows_with_everybody_searched(roster: Roster) -> None:
    """Between few and all there is one number from which on everybody is denied, and it stays."""
    granted = [roster.decided(searched, 1e-3).granted for searched in (1, 50, 100, 200, 350, 500)]

    assert granted[0]
    assert sorted(granted, reverse=True) == granted
    assert not granted[-1]


def test_a_second_factor_carries_them(roster: Roster) -> None:
    """A plate narrows who it can be: what the face alone could not prove, both together do."""
    together = (*roster.found(100), plate(VAN, 1e-5))

    assert not roster.decided(100, 1e-4).granted
    assert _decided(together, PEOPLE[:100], 1e-4, with_plate=True).granted


def test_a_roster_is_capped_where_the_page_says() -> None:
    """The cap itself is tested on a real store; that it is this number is a promise of its own."""
    page = " ".join(SAFEGUARDS.read_text("utf-8").split())

    assert 500 == CAP
    assert f"at most {CAP} people for one access point" in page


def _reference(vault: Vault, person: PersonId, vector: Vector, model: str) -> Reference:
    name = CredentialId(f"face-{person}")
    return Reference(name, person, vault.open(vault.seal(name, person, Template(vector, model, 3))))


def _decided(
    found: tuple[Evidence, ...],
    people: tuple[PersonId, ...],
    bound: float,
    *,
    with_plate: bool = False,
) -> Decision:
    factors: tuple[Ceiling, ...] = (Ceiling(Factor.FACE, 1e-3),)
    if with_plate:
        factors = (*factors, Ceiling(Factor.PLATE, 1e-4))
    holders: tuple[Holder, ...] = (*people, VAN) if with_plate else people
    known = state(
        credentials={
            one.credential: credential(one.factor, one.holder, name=one.credential) for one in found
        },
        consents={person: (consent(person),) for person in people},
    )
    staff = permit(*holders, factors=factors, max_false_accept=bound, name="staff")
    return decide(attempt(*found), (staff,), known, moment())
