"""People who exist only as numbers: every person a point, every look a little beside it."""

import numpy as np

from postern.vision.faces.calibration import Calibration, calibrate, strangers
from postern.vision.faces.cohort import Cohort, Vectors

#: How far people and how far one person's looks lie apart, per dimension.
_PEOPLE, _LOOKS = 0.05, 0.03
DIMENSIONS = 16


def people(count: int, seed: int, looks: int = 6) -> list[Vectors]:
    """For each person (looks, 16) float32."""
    rng = np.random.default_rng(seed)
    middles = _PEOPLE * rng.standard_normal((count, 1, DIMENSIONS))
    around = _LOOKS * rng.standard_normal((count, looks, DIMENSIONS))
    return list((middles + around).astype(np.float32))


def cohort(seed: int = 99) -> Cohort:
    """Four hundred vectors of nobody."""
    drawn = _PEOPLE * np.random.default_rng(seed).standard_normal((400, DIMENSIONS))
    return Cohort(drawn.astype(np.float32))


def as_is(references: Vectors) -> Vectors:
    """A vault that changes nothing."""
    return references


def calibration(count: int = 250, seed: int = 1) -> Calibration:
    """The tables of so many people."""
    names = {"embedder": "model", "detector": "none"}
    return calibrate(strangers("made up", people(count, seed), as_is), [], cohort(), names)
