"""Vectors as bytes: whole steps and one scale, so that the norm is kept.

dlib's embeddings are not of unit length and are compared by Euclidean distance; a scale per vector
keeps both. The scale is the largest entry over the top step, and the step below the lowest is never
used.

A fresh reference has steps of one byte, as the calibration tables have it. Each re-keying turns it
into other axes and rounds anew: with one byte the errors would add up, so from then on the steps
have two bytes, 258 times finer, and what is added stays far below the first rounding.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid
from postern.vault.rotation import Rotation, turn, turn_back

Levels = npt.NDArray[np.int8] | npt.NDArray[np.int16]
_TOP = np.float32(127.0)
_FINE_TOP = np.float32(32767.0)


@dataclass(frozen=True, slots=True)
class Quantised:
    """One vector in whole steps.

    Attributes:
        levels: (d,) int8, -127 to 127, or int16, -32767 to 32767.
        scale: What one step is worth; finite and positive.
    """

    levels: Levels = field(repr=False)
    scale: np.float32

    def wipe(self) -> None:
        """Overwrites the steps; nothing can be had from them afterwards."""
        self.levels.fill(0)


def quantise(vector: npt.NDArray[np.float32], *, fine: bool = False) -> Quantised:
    """The nearest whole steps, halves to even.

    Args:
        vector: (d,) float32, finite and not all zero.
        fine: Whether a step has two bytes.

    Raises:
        PosternError: `invalid` for a vector that is empty, all zero, or not finite.
    """
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise invalid("A template to be sealed is one vector of finite numbers.")
    top = _FINE_TOP if fine else _TOP
    scale = np.float32(max(vector.max(), -vector.min()) / top)
    if not scale > 0.0:
        raise invalid("A template of nothing but zeros cannot be sealed.")
    # In one place, so that nothing of the vector is left behind in memory that is given back.
    steps = np.divide(vector, scale, dtype=np.float32)
    np.rint(steps, out=steps)
    np.clip(steps, -top, top, out=steps)
    levels: Levels = steps.astype(np.int16) if fine else steps.astype(np.int8)
    steps.fill(0.0)
    return Quantised(levels, scale)


def dequantise(quantised: Quantised) -> npt.NDArray[np.float32]:
    """The vector that the steps stand for, (d,) float32."""
    values = quantised.levels.astype(np.float32)
    values *= quantised.scale
    return values


def roundtrip(vectors: npt.NDArray[np.float32], rotation: Rotation) -> npt.NDArray[np.float32]:
    """Vectors as they come back from the vault, in the axes they went in.

    Calibration tables are made on these, so that what the vault costs is in the bound.

    Args:
        vectors: (N, d) float32; N = 0 gives (0, d).
        rotation: (d, d).

    Returns:
        (N, d) float32.

    Raises:
        PosternError: `invalid` as for `quantise`.
    """
    if vectors.ndim != 2:
        raise invalid("A round trip takes rows of vectors, shape (N, d).")
    kept = np.empty(vectors.shape, np.float32)
    for row, turned in zip(kept, turn(vectors, rotation), strict=True):
        row[:] = dequantise(quantise(turned))
    return turn_back(kept, rotation)
