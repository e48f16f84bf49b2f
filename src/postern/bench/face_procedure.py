"""The comparison as it runs at the door, for many people at once."""

import numpy as np

from postern.bench.looks import Vectors
from postern.bench.rates import Floats
from postern.vault.quantise import roundtrip
from postern.vault.rotation import derive_rotation
from postern.vision.faces.calibration import Calibration, fuse, score
from postern.vision.faces.cohort import Cohort
from postern.vision.faces.embed import DIMENSIONS

#: Any site's axes do: a rotation changes no distance, and rounding is alike in all of them.
_SECRET = b"measuring only".ljust(32, b".")


def kept(vectors: Vectors) -> Vectors:
    """References, (N, 128) float32, as they come back from a vault."""
    return roundtrip(vectors, derive_rotation(_SECRET, DIMENSIONS))


class DoorProcedure:
    """Implements `postern.bench.looks.Procedure` with the tables in use.

    Args:
        calibration: The tables.
        cohort: The cohort that they were made with, (C, 128) float32.
    """

    def __init__(self, calibration: Calibration, cohort: Vectors) -> None:
        self._calibration = calibration
        self._cohort = Cohort(cohort)

    def references(self, looks: Vectors) -> Vectors:
        """See `Procedure.references`: the mean of the looks, as it comes back from the vault."""
        return kept(np.asarray(looks.mean(axis=1), np.float32))

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        """See `Procedure.bounds`."""
        fused = np.stack([fuse(attempt) for attempt in probes])
        return self._calibration.attempt_bounds(score(references, fused, self._cohort))
