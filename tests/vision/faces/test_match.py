"""Face looks against references: what the evidence says, and of whom."""

import sys
from collections.abc import Sequence
from threading import Thread

import numpy as np
import pytest

from postern.core.evidence import Evidence, Factor
from postern.core.ids import CredentialId, PersonId
from postern.frame import Reference, Template
from postern.vision.faces.calibration import Calibration, fuse, score
from postern.vision.faces.cohort import Vectors
from postern.vision.faces.match import FaceMatcher
from tests.people import moment
from tests.vision.faces.population import DIMENSIONS, calibration, cohort, people

_SEEN = moment(1.0)


@pytest.fixture(scope="module")
def tables() -> Calibration:
    return calibration()


@pytest.fixture
def matcher(tables: Calibration) -> FaceMatcher:
    return FaceMatcher(tables, cohort())


@pytest.fixture(scope="module")
def everybody() -> list[Vectors]:
    return people(8, seed=21)


def template(vector: Vectors, model: str = "model", looks: int = 1) -> Template:
    return Template(vector, model, looks)


def reference(at: int, vector: Vectors, model: str = "model") -> Reference:
    held = template(vector, model, 3)
    return Reference(CredentialId(f"face-{at}"), PersonId(f"p-{at}"), held)


def references(everybody: Sequence[Vectors]) -> tuple[Reference, ...]:
    return tuple(reference(at, looks[:3].mean(axis=0)) for at, looks in enumerate(everybody))


def probes(looks: Vectors) -> list[Template]:
    return [template(look) for look in looks]


def test_match_names_the_person_first(matcher: FaceMatcher, everybody: list[Vectors]) -> None:
    """Evidence comes best first and says whose, of how many, from how many looks, and when."""
    for at, looks in enumerate(everybody):
        found = matcher.match(probes(looks[3:]), references(everybody), _SEEN)

        best = found[0]
        assert (Factor.FACE, PersonId(f"p-{at}")) == (best.factor, best.holder)
        assert (CredentialId(f"face-{at}"), 8, 3, _SEEN) == (
            best.credential, best.searched, best.looks, best.seen,
        )  # fmt: skip
        assert sorted(one.p for one in found) == [one.p for one in found]
        assert best.p < 0.01
        assert best.sound


def test_match_bounds_as_the_tables_do(
    matcher: FaceMatcher, tables: Calibration, everybody: list[Vectors]
) -> None:
    """The bound is the tables' for the looks fused one after the other, best prefix included."""
    held = references(everybody)
    looks = everybody[2][3:]
    vectors = np.stack([np.asarray(one.template.values, np.float32) for one in held])
    expected = tables.attempt_bounds(score(vectors, fuse(looks)[None], cohort()))[:, 0, -1]

    found = {e.credential: e.p for e in matcher.match(probes(looks), held, _SEEN)}

    assert {f"face-{at}": bound for at, bound in enumerate(expected)} == found


def test_match_never_loosens_with_further_looks(
    matcher: FaceMatcher, everybody: list[Vectors]
) -> None:
    """Whoever was recognised after one look stays so after three, whatever these were like."""
    held = references(everybody)
    looks = [everybody[0][3], everybody[1][3], everybody[2][3]]

    bounds = [
        {e.credential: e.p for e in matcher.match(probes(np.stack(looks[:k])), held, _SEEN)}
        for k in (1, 2, 3)
    ]

    for name in bounds[0]:
        assert bounds[0][name] >= bounds[1][name] >= bounds[2][name]


def test_match_uses_no_look_beyond_the_third(
    matcher: FaceMatcher, everybody: list[Vectors]
) -> None:
    """No table covers a fourth, so that it changes nothing and is not counted."""
    held = references(everybody)
    three, five = probes(everybody[1][:3]), probes(everybody[1][:5])

    assert matcher.match(three, held, _SEEN) == matcher.match(five, held, _SEEN)
    assert 3 == matcher.match(five, held, _SEEN)[0].looks


def test_match_of_nothing_is_nothing(matcher: FaceMatcher, everybody: list[Vectors]) -> None:
    """No probe or no reference gives no evidence."""
    assert () == matcher.match([], references(everybody), _SEEN)
    assert () == matcher.match(probes(everybody[0]), (), _SEEN)


@pytest.mark.parametrize("size", [DIMENSIONS, 512])
def test_match_says_nothing_of_a_reference_of_another_model(
    matcher: FaceMatcher, everybody: list[Vectors], size: int
) -> None:
    """Its numbers mean something else, however many they are; the others' bounds do not change."""
    ours = references(everybody)
    foreign = reference(99, np.zeros(size, np.float32), "another")
    looks = probes(everybody[0][3:])

    found = matcher.match(looks, (foreign, *ours), _SEEN)

    assert foreign.credential not in [one.credential for one in found]
    alone = matcher.match(looks, ours, _SEEN)
    assert [(e.credential, e.p) for e in alone] == [(e.credential, e.p) for e in found]


@pytest.mark.parametrize("size", [DIMENSIONS, 512])
def test_match_bounds_nothing_for_a_probe_of_another_model(
    matcher: FaceMatcher, everybody: list[Vectors], size: int
) -> None:
    """One foreign look among those of an attempt spoils all of its evidence."""
    mixed = [*probes(everybody[0][3:5]), template(np.zeros(size, np.float32), "another")]

    found = matcher.match(mixed, references(everybody), _SEEN)

    assert 8 == len(found)
    assert not any(one.sound for one in found)
    assert [f"face-{at}" for at in range(8)] == [one.credential for one in found]


def test_match_bounds_nothing_for_numbers_that_are_none(
    matcher: FaceMatcher, everybody: list[Vectors]
) -> None:
    """A ruined probe or reference is at best as likely as anybody: the bound is 1."""
    ruined = np.full(DIMENSIONS, np.nan, np.float32)
    held = (reference(9, ruined), *references(everybody))

    assert {1.0} == {e.p for e in matcher.match(probes(ruined[None]), held, _SEEN)}
    by_name = {e.credential: e.p for e in matcher.match(probes(everybody[0][3:]), held, _SEEN)}
    assert 1.0 == by_name[CredentialId("face-9")]
    assert by_name[CredentialId("face-0")] < 0.01


def test_match_notices_a_list_that_changed(matcher: FaceMatcher, everybody: list[Vectors]) -> None:
    """Somebody who was erased from a list is gone with the next look."""
    held = list(references(everybody))
    looks = probes(everybody[3][3:])
    assert PersonId("p-3") == matcher.match(looks, held, _SEEN)[0].holder

    held[3] = reference(50, everybody[5][:3].mean(axis=0))
    found = matcher.match(looks, held, _SEEN)

    assert PersonId("p-3") not in {e.holder for e in found}
    assert found[0].p > 0.01


def test_match_keeps_lanes_apart(matcher: FaceMatcher, everybody: list[Vectors]) -> None:
    """Two lanes with their own people share a matcher, and never each other's references."""
    lanes = [references(everybody[:4]), references(everybody[4:])]
    wrong: list[tuple[Evidence, ...]] = []

    def passes(lane: int) -> None:
        for turn in range(300):
            at = turn % 4
            found = matcher.match(probes(everybody[4 * lane + at][3:]), lanes[lane], _SEEN)
            if found[0].credential != f"face-{at}" or not found[0].p < 0.01:
                wrong.append(found)

    threads = [Thread(target=passes, args=(lane,)) for lane in (0, 1)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)  # As often as can be: the two meet between any two steps.
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert [] == wrong
