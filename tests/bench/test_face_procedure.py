"""What is evaluated is what runs at the door."""

from datetime import UTC, datetime

import numpy as np
import pytest

from postern.bench.face_procedure import DoorProcedure, kept
from postern.core.ids import CredentialId, PersonId
from postern.core.moment import Moment
from postern.frame import Reference, Template
from postern.vision.faces.cohort import Cohort
from postern.vision.faces.load import load_calibration, load_cohort
from postern.vision.faces.match import FaceMatcher
from postern.vision.faces.reference import reference

CALIBRATION, COHORT = load_calibration("yunet"), load_cohort("yunet")
NOW = Moment(datetime(2026, 1, 2, tzinfo=UTC), 1.0)


def looks(people: int, count: int) -> np.ndarray:
    """Looks of people near vectors of the cohort, (people, count, 128) float32."""
    rng = np.random.default_rng(1)
    scatter = 0.02 * rng.standard_normal((people, count, 128))
    return (COHORT[:people, None] + scatter).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_door_procedure_states_what_the_matcher_states(count) -> None:
    """After every look, for the same and for different people, the bound is the matcher's own."""
    procedure, matcher = (
        DoorProcedure(CALIBRATION, COHORT),
        FaceMatcher(CALIBRATION, Cohort(COHORT)),
    )
    vectors = looks(5, 6)
    references = procedure.references(vectors[:, :3])
    named = [
        Reference(
            CredentialId(f"c-{at}"),
            PersonId(f"p-{at}"),
            Template(vector, CALIBRATION.embedder, 3),
        )
        for at, vector in enumerate(references)
    ]

    bounds = procedure.bounds(references, vectors[:, 3:])

    assert bounds.shape == (5, 5, 3)
    for column in range(5):
        probes = [Template(v, CALIBRATION.embedder, 1) for v in vectors[column, 3 : 3 + count]]
        found = {e.credential: e.p for e in matcher.match(probes, named, NOW)}
        expected = [found[each.credential] for each in named]
        assert bounds[:, column, count - 1].tolist() == expected


def test_door_procedure_tells_people_apart() -> None:
    """People match their own reference best, so the test above compares more than ones."""
    procedure, vectors = DoorProcedure(CALIBRATION, COHORT), looks(5, 6)

    bounds = procedure.bounds(procedure.references(vectors[:, :3]), vectors[:, 3:])[..., -1]

    assert (np.diagonal(bounds) < 1e-2).all()
    assert np.median(bounds) > 0.1


def test_door_procedure_makes_references_as_enrolment_does() -> None:
    """A reference is enrolment's own mean of three looks, as it comes back from the vault."""
    vectors = looks(2, 3)
    enrolled = [
        reference([Template(vector, CALIBRATION.embedder, 1) for vector in person]).values
        for person in vectors
    ]

    made = DoorProcedure(CALIBRATION, COHORT).references(vectors)

    assert np.array_equal(made, kept(np.stack(enrolled).astype(np.float32)))


def test_kept_is_what_the_vaults_rounding_leaves() -> None:
    """References come back nearly, but not exactly, as they went in."""
    vectors = looks(4, 1)[:, 0]

    back = kept(vectors)

    assert back.dtype == np.float32
    assert 0.0 < np.abs(back - vectors).max() < 0.01
