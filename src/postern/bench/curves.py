"""Curves behind the plots: detection error trade-off, and error versus discard."""

from dataclasses import dataclass

import numpy as np

from postern.bench.rates import Floats
from postern.bench.trials import Bounds, Trials

#: Thresholds per decade of the stated bound, from 1 down to `_DECADES` decades.
_PER_DECADE = 16
_DECADES = 8
#: At least so many mated comparisons are left after discarding, or a curve is noise.
MIN_LEFT = 20


@dataclass(frozen=True, slots=True)
class TradeOff:
    """Both error rates at one stated bound.

    Attributes:
        stated: The bound that an attempt has to reach.
        fmr: Measured share of strangers' comparisons that reach it.
        fnmr: Measured share of mated comparisons that do not; None where there are none.
    """

    stated: float
    fmr: float
    fnmr: float | None


@dataclass(frozen=True, slots=True)
class Discard:
    """What is left of the misses once the worst pictures are discarded.

    Attributes:
        discarded: Share of mated comparisons that were, those of the lowest quality first.
        fnmr: Share of misses among the rest.
    """

    discarded: float
    fnmr: float


def trade_off(trials: Trials) -> tuple[TradeOff, ...]:
    """Both error rates at thresholds from loose to strict; FMR never rises and FNMR never falls."""
    apart = ~np.eye(trials.people, dtype=np.bool_)
    strangers = _finite(trials.bounds[:, apart])
    mated = trials.own()[trials.mated]
    own = _finite(mated)
    compared = trials.splits * trials.people * (trials.people - 1)
    points = []
    for stated in _thresholds(strangers, own):
        fmr = int(np.searchsorted(strangers, stated, side="right")) / compared
        passed = int(np.searchsorted(own, stated, side="right"))
        fnmr = 1.0 - passed / len(mated) if len(mated) else None
        points.append(TradeOff(float(stated), fmr, fnmr))
    return tuple(points)


def error_versus_discard(trials: Trials, stated: float) -> tuple[Discard, ...]:
    """How FNMR falls as comparisons with the worst quality are discarded (ISO/IEC 29794-1).

    A comparison's quality is that of its worst look. Comparisons of equal quality go together,
    each in part, so that their order does not matter.

    Args:
        trials: The comparisons.
        stated: The fixed threshold.

    Returns:
        Steps of 2 % up to 60 %, as long as `MIN_LEFT` comparisons are left; empty where there are
        fewer, where every quality is the same, or where nothing was missed.
    """
    quality = trials.quality[trials.mated]
    missed = ~(trials.own()[trials.mated] <= np.float32(stated))
    levels, at = np.unique(quality, return_inverse=True)
    if len(levels) < 2 or not missed.any():
        return ()
    gone = np.concatenate([[0.0], np.cumsum(np.bincount(at))])
    errors = np.concatenate([[0.0], np.cumsum(np.bincount(at, weights=missed))])
    points = []
    for share in np.arange(0, 31) * 0.02:
        left = len(quality) * (1.0 - share)
        if left < MIN_LEFT:
            break
        lost = float(np.interp(len(quality) * share, gone, errors))
        points.append(Discard(round(float(share), 2), max(0.0, float(missed.sum()) - lost) / left))
    return tuple(points)


def _finite(bounds: Bounds) -> Bounds:
    """Sorted, without those where nothing was stated: they pass at no threshold."""
    return np.sort(bounds[~np.isnan(bounds)])


def _thresholds(strangers: Bounds, own: Bounds) -> Floats:
    """Even steps of the stated bound, and where the measured rates change; loosest first."""
    steps = np.logspace(0, -_DECADES, _DECADES * _PER_DECADE + 1).astype(np.float32)
    by_rank = strangers[_ranks(len(strangers))]
    by_share = own[np.linspace(0, len(own) - 1, 60).astype(np.int64)] if len(own) else own
    return np.unique(np.concatenate([steps, by_rank, by_share]))[::-1].astype(np.float64)


def _ranks(count: int) -> Floats:
    if not count:
        return np.empty(0, np.int64)
    return np.unique(np.logspace(0, np.log10(count), 80).astype(np.int64) - 1)
