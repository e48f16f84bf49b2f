"""The evaluation finds a kept statement kept and a broken one broken."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from postern.bench.face_evaluation import STATED, Evaluation, evaluate, from_json
from postern.bench.looks import Vectors
from postern.bench.rates import Floats, Verdict
from postern.core.errors import Code, PosternError
from tests.bench.strangers import SETTING, Exact, made_up, turned_about


@pytest.fixture(scope="module")
def kept() -> Evaluation:
    """60 people, and a procedure that states six times too much."""
    return evaluate(made_up(60, 7), Exact(factor=6.0), SETTING)


@pytest.fixture(scope="module")
def broken() -> Evaluation:
    """The same people, and a calibration that states a fiftieth of the truth."""
    return evaluate(made_up(60, 7), Exact(factor=0.02), SETTING)


class Never:
    """A procedure that must not be asked."""

    def references(self, looks: Vectors) -> Vectors:
        raise AssertionError

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        raise AssertionError


class Scripted(Never):
    """A procedure that never states anything better than 1 in 1."""

    def references(self, looks: Vectors) -> Vectors:
        return looks[:, 0]

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        return np.ones((len(references), *probes.shape[:2]))


def test_evaluate_covers_a_false_match_rate_that_is_known(kept) -> None:
    """A sixth of the stated bound is measured, within its interval."""

    for condition in kept.conditions[:2]:
        claim = condition.claims[0]
        assert claim.fmr.resampled.low <= 0.01 / 6 <= claim.fmr.resampled.high
        assert claim.verdict is Verdict.HOLDS


def test_evaluate_reports_a_broken_calibration_as_broken(broken) -> None:
    """Statements that are fifty times too good are found out in every condition."""

    verdicts = [condition.claims[0].verdict for condition in broken.conditions]
    at_a_hundred = broken.conditions[1].claims[0]

    assert verdicts == [Verdict.BROKEN] * 4
    assert 20 < at_a_hundred.fmr.measured / at_a_hundred.stated < 60


def test_evaluate_misses_nobody_when_people_are_far_apart(kept) -> None:
    """Perfect separation: no rightful person is turned away, and 3/n people stays possible."""

    fnmr = kept.conditions[3].claims[2].fnmr

    assert (fnmr.hits, fnmr.trials, fnmr.people) == (0, 60 * kept.splits, 60)
    assert fnmr.upper == 3 / 60


def test_evaluate_compares_1v1_and_three_looks_against_1_to_3(kept) -> None:
    """The conditions and bounds of every report."""

    assert [condition.name for condition in kept.conditions] == ["1v1", "3v1", "3v2", "3v3"]
    assert [condition.product for condition in kept.conditions] == [False, True, True, True]
    for condition in kept.conditions:
        assert tuple(claim.stated for claim in condition.claims) == STATED


def test_evaluate_marks_what_the_people_cannot_carry_as_not_shown() -> None:
    """12 people make 66 pairs, which show at best 1 in 22, although not one stranger passed."""

    evaluation = evaluate(made_up(12, 6), Exact(factor=1e6), SETTING)

    assert evaluation.claim is None
    for condition in evaluation.conditions:
        for claim in condition.claims:
            assert (claim.fmr.hits, claim.verdict) == (0, Verdict.NOT_SHOWN)


def test_evaluate_judges_the_strictest_bound_that_the_people_carry(kept) -> None:
    """1,770 pairs carry 1 in 100 and not 1 in 1,000."""

    assert kept.claim == 1e-2


def test_evaluate_judges_no_stricter_bound_than_permits_ask_for() -> None:
    """Enough people for 1 in 100,000 are judged at 1 in 10,000, unless told otherwise."""
    people, certain = made_up(800, 3), Scripted()

    assert evaluate(people, certain, SETTING).claim == 1e-4
    assert evaluate(people, certain, SETTING, claim=1e-5).claim == 1e-5


def test_evaluate_adds_a_claim_of_its_own() -> None:
    """A claim that the data carries becomes a row and the summary's subject."""

    evaluation = evaluate(made_up(30, 4), Exact(factor=3.0), SETTING, claim=0.02)

    assert evaluation.claim == 0.02
    assert evaluation.conditions[1].claims[0].stated == 0.02


def test_evaluate_refuses_a_claim_before_comparing_anybody() -> None:
    """1 in a million on 780 pairs is refused at once."""

    with pytest.raises(PosternError, match="at best 1 in 260") as refused:
        evaluate(made_up(40, 3), Never(), SETTING, claim=1e-6)

    assert refused.value.code is Code.INVALID


@pytest.mark.parametrize("people", [{}, made_up(1, 9)], ids=["nobody", "one person"])
def test_evaluate_refuses_data_without_strangers(people) -> None:
    """Nobody or one person alone gives one clear sentence."""

    with pytest.raises(PosternError) as refused:
        evaluate(people, Never(), SETTING)

    assert refused.value.code is Code.INVALID


def test_evaluate_survives_a_procedure_that_states_nan() -> None:
    """No stranger passes on NaN, and everybody is turned away."""
    procedure = Exact(change=lambda bounds: np.full_like(bounds, np.nan))

    evaluation = evaluate(made_up(12, 6), procedure, SETTING)
    claim = evaluation.conditions[3].claims[0]

    assert claim.fmr.hits == 0
    assert claim.fnmr.hits == claim.fnmr.trials > 0
    assert from_json(evaluation.to_json()) == evaluation


def test_evaluate_is_the_same_every_time_and_in_any_order() -> None:
    """Deterministic, down to the JSON text."""
    people = made_up(20, 5)

    first = evaluate(people, Exact(), SETTING).to_json()

    assert first == evaluate(turned_about(people), Exact(), SETTING).to_json()


def test_evaluate_reports_ascending_progress() -> None:
    """Progress goes up and ends at 1."""
    told: list[float] = []

    evaluate(made_up(12, 4), Exact(), SETTING, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_from_json_gives_back_the_evaluation(broken) -> None:
    """The round trip loses nothing."""

    assert from_json(broken.to_json()) == broken


def test_to_json_names_its_schema_and_nobody(kept) -> None:
    """The text starts with the schema's version, and no folder or file is named in it."""

    text = kept.to_json()

    assert '"schema": "postern/evaluation/faces/1"' in text.splitlines()[1]
    assert "person-00" not in text
    assert ".jpg" not in text


def test_from_json_refuses_another_version(kept) -> None:
    """A report of another version is not guessed at."""

    with pytest.raises(PosternError, match="schema"):
        from_json(kept.to_json().replace("faces/1", "faces/0"))


def test_setting_refuses_a_time_without_a_zone() -> None:
    """A report says when, unmistakably."""

    with pytest.raises(PosternError):
        replace(SETTING, made=datetime(2026, 1, 2))  # noqa: DTZ001
