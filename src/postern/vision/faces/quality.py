"""Whether a face can be compared, and what to change where it cannot.

The limits are where comparisons begin to fail, not where pictures look bad; how they were found is
in docs/benchmarks/faces.md.
"""

from dataclasses import dataclass
from math import inf

import cv2
import numpy as np
import numpy.typing as npt

from postern.core.look import Flaw
from postern.vision.aim import saturated

#: Of a face and of its middle, within the picture. Both count: a detector may frame no more than
#: what it sees of a face, and a chip may hold the middle of a face whose chin is cut.
WHOLE = 0.9
#: Squared grey levels: what the Laplacian (1 1 -4 1 1) makes of rounding, whose variance is 1/12.
_ROUNDING = 20 / 12

Points = npt.NDArray[np.float32]
Chip = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a face stands towards the camera.

    Attributes:
        eyes_px: Distance between the eyes' middles, in pixels of the frame.
        yaw: How far the nose lies beside the middle of the eyes, in eye distances; 0 from the
            front, positive towards the picture's right.
        pitch: How far it lies below, likewise; about 0.6 from the front for a nose tip.
    """

    eyes_px: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What a look must reach.

    Attributes:
        min_eyes_px: Pixels between the eyes.
        max_yaw: In eye distances, to either side; 0.35 is about 20 degrees.
        min_pitch: In eye distances; less means that the head is raised or thrown back.
        max_pitch: More means that it is lowered.
        min_grey: Mean grey level of the chip's middle, 0..255.
        max_grey: Likewise.
        min_contrast: Standard deviation of grey levels in the chip's middle.
        min_sharpness: Variance of the chip's Laplacian over its grey variance.
        min_score: The detector's own confidence.
        max_mirror: Distance between the vectors of the chip and of its mirror image. Landmarks that
            are fitted to a profile look like those of a face from the front, so that `max_yaw` sees
            nothing; the mirror image of a profile is another face, though. Infinite: not asked.
    """

    min_eyes_px: float = 20.0
    max_yaw: float = 0.35
    min_pitch: float = 0.30
    max_pitch: float = 0.95
    min_grey: float = 30.0
    max_grey: float = 215.0
    min_contrast: float = 10.0
    min_sharpness: float = 0.008
    min_score: float = 0.0
    max_mirror: float = inf


def geometry(left_eye: Points, right_eye: Points, nose: Points) -> Geometry:
    """A face's geometry from three points, each (2,), in pixels of the frame.

    Args:
        left_eye: The middle of the eye on the picture's left.
        right_eye: The middle of the eye on its right.
        nose: The tip or base of the nose.
    """
    across = (right_eye - left_eye).astype(np.float64)
    distance = float(np.hypot(across[0], across[1]))
    if not distance > 0.0:
        return Geometry(0.0, float("inf"), float("inf"))
    along, down = across / distance, np.array([-across[1], across[0]]) / distance
    offset = nose.astype(np.float64) - (left_eye + right_eye) / 2
    return Geometry(distance, float(offset @ along) / distance, float(offset @ down) / distance)


@dataclass(frozen=True, slots=True)
class Tones:
    """How the middle of a face is lit and focused: skin and features alone, whatever the hair and
    the background are.

    Attributes:
        grey: Mean grey level, 0..255.
        contrast: Standard deviation of grey levels.
        sharpness: As `sharpness` has it.
        saturated: Share of pixels that are as bright as a pixel can be, or nearly, in [0, 1].
    """

    grey: float
    contrast: float
    sharpness: float
    saturated: float


def tones(chip: Chip) -> Tones:
    """How a face is lit and focused.

    Args:
        chip: The aligned face, (150, 150, 3) uint8.
    """
    grey_chip = np.asarray(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY), np.uint8)
    middle = grey_chip[30:120, 30:120]
    grey, contrast = float(middle.mean()), float(middle.std())
    return Tones(grey, contrast, sharpness(middle), saturated(middle))


def flaws(face: Geometry, chip: Chip, limits: Limits) -> tuple[Flaw, ...]:
    """What spoils a face, gravest first; empty where it can be compared.

    Args:
        face: How it stands.
        chip: The aligned face, (150, 150, 3) uint8.
        limits: What it must reach.
    """
    lit = tones(chip)
    checks = (
        (Flaw.TOO_SMALL, face.eyes_px >= limits.min_eyes_px),
        (Flaw.TURNED_AWAY, abs(face.yaw) <= limits.max_yaw),
        (Flaw.TURNED_AWAY, limits.min_pitch <= face.pitch <= limits.max_pitch),
        (Flaw.TOO_DARK, lit.grey >= limits.min_grey and lit.contrast >= limits.min_contrast),
        (Flaw.TOO_BRIGHT, lit.grey <= limits.max_grey),
        (Flaw.BLURRED, lit.sharpness >= limits.min_sharpness),
    )
    return tuple(dict.fromkeys(flaw for flaw, passed in checks if not passed))


def sharpness(grey: npt.NDArray[np.uint8]) -> float:
    """The variance of the Laplacian over the grey variance: independent of contrast, and little of
    light; 0 for a flat picture. What comes of rounding to whole grey levels does not count: in a
    face without contrast it would pass for edges, however blurred it is.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000.
    """
    variance = float(grey.var())
    if not variance > 0.0:
        return 0.0
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).var()) - _ROUNDING
    return max(0.0, edges) / variance
