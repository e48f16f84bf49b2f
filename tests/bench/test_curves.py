"""Curves fall and rise as their definitions demand."""

import numpy as np
import pytest

from postern.bench.curves import Discard, error_versus_discard, trade_off
from postern.bench.trials import Trials


def trials(bounds: np.ndarray, quality: np.ndarray | None = None) -> Trials:
    """Trials with these bounds, (S, P, P), where everybody is mated."""
    mated = np.ones(bounds.shape[:2], np.bool_)
    quality = np.zeros(mated.shape) if quality is None else quality
    return Trials(3, 1, bounds.astype(np.float32), mated, quality)


def test_trade_off_is_monotone_and_counts_exactly() -> None:
    """FMR never rises and FNMR never falls as the bound gets strict, and both are plain shares."""
    bounds = 10 ** -np.random.default_rng(1).uniform(0, 6, (3, 20, 20))
    strangers = bounds[:, ~np.eye(20, dtype=bool)].astype(np.float32)
    own = np.diagonal(bounds, axis1=1, axis2=2).astype(np.float32)

    curve = trade_off(trials(bounds))

    stated = [point.stated for point in curve]
    assert stated == sorted(stated, reverse=True)
    assert all(a.fmr >= b.fmr for a, b in zip(curve, curve[1:], strict=False))
    missed = [1.0 if point.fnmr is None else point.fnmr for point in curve]
    assert missed == sorted(missed)
    for point in curve[::25]:
        assert point.fmr == pytest.approx((strangers <= point.stated).mean())
        assert point.fnmr == pytest.approx((own > point.stated).mean())


def test_trade_off_lets_nan_pass_nowhere() -> None:
    """Where no bound was stated a stranger does not match and a rightful person is missed."""

    curve = trade_off(trials(np.full((1, 3, 3), np.nan)))

    assert {(point.fmr, point.fnmr) for point in curve} == {(0.0, 1.0)}


def test_trade_off_has_no_fnmr_when_nobody_is_mated() -> None:
    """Without mated comparisons there is no rate, not a rate of zero."""
    some = trials(np.full((1, 3, 3), 0.5))
    nobody = Trials(3, 1, some.bounds, np.zeros((1, 3), np.bool_), some.quality)

    assert {point.fnmr for point in trade_off(nobody)} == {None}


def test_error_versus_discard_falls_to_zero_when_quality_knows_the_misses() -> None:
    """The tenth with the worst quality fails: once it is discarded nothing is missed."""
    quality = np.arange(100.0)[None]
    bounds = np.where(quality < 10, 1.0, 1e-6)[..., None] * np.ones((1, 100, 100))

    curve = error_versus_discard(trials(bounds, quality), 1e-3)

    assert curve[0] == Discard(0.0, 0.1)
    assert curve[1].fnmr == pytest.approx(8 / 98)
    assert curve[5] == Discard(0.1, 0.0)
    assert curve[-1] == Discard(0.6, 0.0)


def test_error_versus_discard_stays_level_when_quality_knows_nothing() -> None:
    """Within one level of quality misses go in proportion, whatever the order."""
    quality = np.repeat([0.0, 1.0], 50)[None]
    missed = np.tile([1.0] + [1e-6] * 4, 20)[None]
    bounds = missed[..., None] * np.ones((1, 100, 100))

    curve = error_versus_discard(trials(bounds, quality), 1e-3)

    assert [point.fnmr for point in curve] == pytest.approx([0.2] * 31)


@pytest.mark.parametrize(
    ("people", "own", "quality"),
    [(100, 1e-6, np.arange(100.0)), (100, 1.0, np.zeros(100)), (10, 1.0, np.arange(10.0))],
    ids=["nothing missed", "one quality", "too few"],
)
def test_error_versus_discard_is_empty_when_there_is_nothing_to_show(people, own, quality) -> None:
    """No curve is drawn out of nothing."""
    bounds = np.full((1, people, people), own)

    assert error_versus_discard(trials(bounds, quality[None]), 1e-3) == ()


def test_error_versus_discard_ends_where_too_few_are_left() -> None:
    """With 40 comparisons half can be discarded."""
    bounds = np.ones((1, 40, 40))

    curve = error_versus_discard(trials(bounds, np.arange(40.0)[None]), 1e-3)

    assert curve[-1].discarded == 0.5
