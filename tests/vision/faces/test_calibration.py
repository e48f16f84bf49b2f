"""The tables: what a bound means, and that it holds for people whom the tables never met."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.core.evidence import Table
from postern.vision.faces.calibration import (
    PROBE_LOOKS,
    REFERENCE_LOOKS,
    Calibration,
    Floats,
    Provenance,
    Strangers,
    calibrate,
    from_json,
    fuse,
    score,
    strangers,
)
from tests.vision.faces.population import as_is, calibration, cohort, people

#: A small calibration whose every number can be followed by hand.
_RATES = Table((-3.0, -2.0, -1.0), (0.001, 0.01, 0.1))
_BY_HAND = Calibration(
    "model",
    "none",
    (_RATES, _RATES, _RATES),
    Table((0.001, 0.01, 0.1), (0.002, 0.02, 0.2)),
    (Table((0.01, 0.1), (1e-12, 0.5)),),
    (Provenance("main", 10, 90, 45), Provenance("other", 5, 20, 10)),
)
_BOUNDS = (0.02, 0.005, 0.002)


@pytest.fixture(scope="module")
def made() -> Calibration:
    return calibration()


@pytest.fixture(scope="module")
def fresh() -> tuple[Strangers, Floats]:
    """Four hundred people whom no table has met, and what every one scores at the others'."""
    met = strangers("fresh", people(400, seed=7), as_is)
    scores = score(met.references, met.attempts, cohort())
    return met, scores[np.arange(400)[:, None] != met.owner[None]]


def let_in(bounds: Floats, ceiling: float) -> float:
    """The share of attempts that meet a ceiling when each stops as soon as it does."""
    met = np.zeros(len(bounds), bool)
    for look in range(bounds.shape[-1]):  # One look more, for those not in yet.
        met |= bounds[:, look] <= ceiling
    return float(met.mean())


def test_attempt_bounds_are_looked_up_by_the_lowest_rate() -> None:
    """Score to rate, lowest rate so far to bound, largest bound of all data sets."""
    bounds = _BY_HAND.attempt_bounds(np.array([[-1.5, -2.5, 0.0], [-9.0, 0.0, 0.0]]))

    # -1.5 is at the rate 0.1, which the other data set raises from 0.2 to 0.5.
    assert [0.5, 0.02, 0.02] == bounds[0].tolist()
    assert [0.002, 0.002, 0.002] == bounds[1].tolist()


def test_attempt_bounds_are_one_for_what_is_no_number() -> None:
    """NaN proves nothing; nor does a score worse than all, nor plus infinity."""
    for ruined in (np.nan, np.inf, 0.0):
        assert [1.0] * 3 == _BY_HAND.attempt_bounds(np.full(3, ruined)).tolist()


def test_attempt_bounds_never_go_below_the_floor(made: Calibration) -> None:
    """However good a score is, data that was not collected cannot vouch: 3 in all pairs."""
    pairs = made.sources[0].pairs
    best = made.attempt_bounds(np.array([[-1e9, -np.inf, -1e9]]))

    assert [3 / pairs] * 3 == best[0].tolist()
    assert 3 / pairs == made.floor


_scores = st.lists(
    st.one_of(st.floats(-12, 12), st.just(float("nan"))), min_size=1, max_size=PROBE_LOOKS
)


@settings(max_examples=300)
@given(scores=_scores, better=st.floats(0, 5), at=st.integers(0, PROBE_LOOKS - 1))
def test_attempt_bounds_never_grow(
    made: Calibration, scores: list[float], better: float, at: int
) -> None:
    """A further look never loosens a bound into (0, 1], and a better score never tightens it."""
    bounds = made.attempt_bounds(np.array(scores))
    changed = np.array(scores)
    changed[at % len(scores)] -= better

    assert len(scores) == len(bounds)
    assert ((bounds > 0) & (bounds <= 1)).all()
    assert (np.diff(bounds) <= 0).all()
    assert (made.attempt_bounds(changed) <= bounds).all()


def test_attempt_bounds_go_through_the_tables_own_arithmetic(made: Calibration) -> None:
    """The fast look-up gives what `Table.bound` gives, ties and ends included."""
    table = made.rates[0]
    tried = [*table.scores[::7], *(np.array(table.scores[::9]) + 1e-9), -99.0, 99.0]

    for one in tried:
        rate = table.bound(float(one))
        expected = max(t.bound(rate) for t in (made.bounds, *made.others))
        assert expected == made.attempt_bounds(np.array([one]))[0]


def test_calibrate_counts_every_stranger_of_equal_rank(made: Calibration) -> None:
    """No bound is below the share of strangers that the table itself was made of."""
    met = strangers("made up", people(250, seed=1), as_is)
    scores = score(met.references, met.attempts, cohort())
    apart = np.arange(250)[:, None] != met.owner[None]
    bounds = made.attempt_bounds(scores[apart])[:, -1]

    for ceiling in made.bounds.bounds:
        assert (bounds <= ceiling).mean() <= ceiling


@pytest.mark.parametrize("ceiling", _BOUNDS)
def test_bound_holds_for_people_whom_no_table_has_met(
    made: Calibration, fresh: tuple[Strangers, Floats], ceiling: float
) -> None:
    """Strangers who stop as soon as they are let in are let in no more often than is stated."""
    _, scores = fresh

    share = let_in(made.attempt_bounds(scores), ceiling)

    assert ceiling / 10 < share <= ceiling


@pytest.mark.parametrize("ceiling", _BOUNDS)
def test_bound_breaks_when_prefixes_are_not_counted(
    made: Calibration, fresh: tuple[Strangers, Floats], ceiling: float
) -> None:
    """The obvious shortcut, a table of its own for each number of looks, promises too much: whoever
    may try after every look is let in more often than each single table says.
    """
    _, scores = fresh
    shortcut = np.stack(
        [[table.bound(float(one)) for one in scores[:, k]] for k, table in enumerate(made.rates)],
        axis=-1,
    )

    assert let_in(shortcut, ceiling) > 1.2 * ceiling


def test_calibrate_lets_another_data_set_only_raise_the_bound(made: Calibration) -> None:
    """People who resemble each other more make it stricter; nobody makes it laxer."""
    crowded = [looks * np.float32(0.5) for looks in people(60, seed=3)]
    names = {"embedder": "model", "detector": "none"}
    main = strangers("made up", people(250, seed=1), as_is)

    both = calibrate(main, [[strangers("crowd", crowded, as_is)]], cohort(), names)

    tried = np.linspace(-8, 8, 200)[:, None]
    assert (both.attempt_bounds(tried) >= made.attempt_bounds(tried)).all()
    assert (both.attempt_bounds(tried) > made.attempt_bounds(tried)).any()
    assert ["made up", "crowd"] == [source.data for source in both.sources]
    assert made.floor == both.floor


def test_calibrate_names_where_a_table_comes_from(made: Calibration) -> None:
    """People, attempts and unordered pairs of people are counted."""
    assert (Provenance("made up", 250, 249 * 250, 250 * 249 // 2),) == made.sources


def test_calibrate_gives_the_same_for_the_same(made: Calibration) -> None:
    """Resampling people is seeded, so that tables can be made again."""
    assert made == calibration()


def test_calibrate_of_a_handful_states_no_more_than_they_can() -> None:
    """Five people give tables too, whose bounds begin at 3 in 10 pairs."""
    names = {"embedder": "model", "detector": "none"}

    few = calibrate(strangers("few", people(5, 1), as_is), [], cohort(), names)

    assert 0.3 == few.floor
    assert (few.attempt_bounds(np.linspace(-9, 9, 50)[:, None]) >= 0.3).all()


def test_calibrate_tells_how_far_it_is() -> None:
    """Progress goes up to all of it."""
    told: list[float] = []
    names = {"embedder": "model", "detector": "none"}

    calibrate(strangers("few", people(5, 1), as_is), [], cohort(), names, told.append)

    assert sorted(told) == told
    assert 1.0 == told[-1]


def test_strangers_leave_out_who_has_too_few_looks() -> None:
    """References need three looks; further looks are attempts of three, whole ones only."""
    looks = [people(1, seed, looks=count)[0] for seed, count in enumerate((2, 3, 5, 6, 10))]

    met = strangers("mixed", looks, as_is)

    assert 4 == len(met.references)
    assert [0, 1, 2, 3, 3] == met.owner.tolist()
    assert np.allclose(looks[4][:REFERENCE_LOOKS].mean(axis=0), met.references[3])
    assert np.array_equal(fuse(looks[4][6:9]), met.attempts[4])
    # Who has no three looks more comes with those of the reference: to other people's only.
    assert np.array_equal(fuse(looks[1][:3]), met.attempts[0])


@pytest.mark.parametrize("count", [0, 1])
def test_strangers_need_two_people(count: int) -> None:
    """One person alone is nobody's stranger."""
    with pytest.raises(PosternError, match="fewer than two people"):
        strangers("lonely", [*people(count, 1), *people(5, 2, looks=2)], as_is)


def test_fuse_gives_the_running_mean() -> None:
    """After one look that look, after three the mean of three."""
    looks = np.array([[0, 0], [2, 4], [4, 8]], np.float32)

    assert [[0, 0], [1, 2], [2, 4]] == fuse(looks).tolist()


def test_from_json_reads_what_to_json_wrote(made: Calibration) -> None:
    """Every number survives, to the last bit."""
    assert made == from_json(made.to_json())
    assert _BY_HAND == from_json(_BY_HAND.to_json())


def test_calibration_refuses_tables_without_looks_or_sources() -> None:
    """A table for every number of looks and a source for every table."""
    with pytest.raises(PosternError, match="each of 3 looks"):
        replace(_BY_HAND, rates=(_RATES, _RATES))
    with pytest.raises(PosternError, match="source of every table"):
        replace(_BY_HAND, sources=_BY_HAND.sources[:1])


def spoilt(**changes: Any) -> str:
    return json.dumps({**json.loads(_BY_HAND.to_json()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        "[" * 100_000,
        spoilt(version=2),
        spoilt(version=None),
        spoilt(rates=[]),
        spoilt(rates=3),
        spoilt(sources=[{"data": "x"}]),
        spoilt(sources=[{"data": "x", "people": "many", "attempts": 1, "pairs": 1}] * 2),
        spoilt(sources=[{"data": "x", "people": 1, "attempts": 1, "pairs": 1}]),
        spoilt(bounds={"scores": [1.0], "bounds": [0.0]}),
        spoilt(bounds={"scores": [1.0], "bounds": [2.0]}),
        spoilt(bounds={"scores": [2.0, 1.0], "bounds": [0.1, 0.2]}),
        spoilt(bounds={"scores": [1.0, 2.0], "bounds": [0.2, 0.1]}),
        spoilt(bounds={"scores": [float("nan")], "bounds": [0.1]}),
        spoilt(bounds={"scores": [1.0], "bounds": [float("nan")]}),
        spoilt(bounds={"scores": [], "bounds": []}),
        spoilt(bounds={"scores": [10**400], "bounds": [0.1]}),
        spoilt(bounds={"scores": ["x"], "bounds": [0.1]}),
        spoilt(bounds={"scores": [[1.0]], "bounds": [0.1]}),
        spoilt(others={"a": 1}),
    ],
)
def test_from_json_refuses_what_is_no_calibration(text: str) -> None:
    """A damaged table is refused in a sentence, never half read."""
    with pytest.raises(PosternError) as refused:
        from_json(text)

    assert Code.INVALID is refused.value.code


@settings(max_examples=200)
@given(st.data())
def test_from_json_survives_any_change(data: st.DataObject) -> None:
    """A text with any part cut out or doubled is a calibration or our error."""
    text = _BY_HAND.to_json()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    changed = text[:start] + data.draw(st.text(max_size=5)) + text[end:]

    try:
        found = from_json(changed)
    except PosternError:
        return
    assert PROBE_LOOKS == len(found.rates)
