"""Which plate looks belong to one vehicle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postern.frame import Template


@dataclass(frozen=True, slots=True)
class PlateContinuity:
    """Implements `postern.frame.Continuity` by what two readings have in common.

    Attributes:
        min_shared: Of two readings' slots, the mean mass that both give to the same characters. Two
            plates that differ in half of their characters share less.
    """

    min_shared: float = 0.5

    def same(self, probes: Sequence[Template], new: Template) -> bool:
        """See `Continuity.same`. Readings of different length are of different plates: it costs a
        wavering reader a few looks, and never lends one vehicle's reading to the next."""
        mine = np.asarray(new.values, np.float32)
        last = np.asarray(probes[-1].values, np.float32)
        if mine.shape != last.shape or not len(mine):
            return False
        return bool(np.minimum(mine, last).sum(axis=1).mean() >= self.min_shared)

    def differs(self, probes: Sequence[Template], new: Template) -> bool:
        """See `Continuity.differs`. Every frame of a vehicle adds a little; how little, the matcher
        knows."""
        return True
