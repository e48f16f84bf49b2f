"""Which face looks belong to one person, and which of them differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postern.frame import Template


@dataclass(frozen=True, slots=True)
class FaceContinuity:
    """Implements `postern.frame.Continuity` by distance in the face space.

    Attributes:
        min_apart: A look nearer than this to one that is there already is the same look again: two
            frames of one second with nothing moved lie closer (docs/benchmarks/faces.md).
        max_apart: A look farther than this from all that are there is of somebody else. Of pairs of
            pictures of faces-orl, 0.8 % of one person's and 0.4 % of two people's lie on the wrong
            side; of consecutive looks of one person hardly any.
    """

    min_apart: float = 0.15
    max_apart: float = 0.55

    def same(self, probes: Sequence[Template], new: Template) -> bool:
        """See `Continuity.same`."""
        return bool(min(self._distances(probes, new)) <= self.max_apart)

    def differs(self, probes: Sequence[Template], new: Template) -> bool:
        """See `Continuity.differs`."""
        return bool(min(self._distances(probes, new)) >= self.min_apart)

    def _distances(self, probes: Sequence[Template], new: Template) -> list[float]:
        mine = np.asarray(new.values, np.float64)
        return [
            float(np.linalg.norm(np.asarray(probe.values, np.float64) - mine)) for probe in probes
        ]
