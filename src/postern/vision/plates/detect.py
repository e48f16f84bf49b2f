"""Lines of text in a picture, by the differentiable-binarisation detector of PP-OCR.

The network gives each pixel the chance that it lies in the shrunken core of a line of text
(M. Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020). Cores are
cut out at a threshold, boxed by their rectangle of least area, and grown back to the whole line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from postern.frame import Image
from postern.vision.model import run

if TYPE_CHECKING:
    import onnxruntime as ort

#: The network halves its input five times.
STRIDE = 32
#: Core pixels are kept above this chance (PP-OCRv6's own configuration), whole cores above that:
#: lower than its own 0.5, because a line that is no text costs one reading and a plate that is not
#: found costs the visit (rendered scenes at 1280 pixels: 91 of 100 located at 0.3, 81 at 0.5).
CORE, LINE = 0.3, 0.3
#: A core lost `area * GROW / perimeter` pixels on each side when it was shrunk (likewise).
GROW = 1.6
#: Pixels of the network's map; anything thinner holds no readable character.
THINNEST = 3.0
#: A picture full of text must not stall the lane: lines beyond this many, the faintest, are left.
MOST = 64


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text.

    Attributes:
        centre: (x, y), pixels of the picture.
        width: Along the text, pixels; the longer side.
        height: Across the text, pixels.
        angle: Radians by which the text's direction is turned from the x axis, clockwise as seen,
            in (-pi/2, pi/2].
        score: Mean chance of its core, in [0, 1].
    """

    centre: tuple[float, float]
    width: float
    height: float
    angle: float
    score: float

    @property
    def along(self) -> npt.NDArray[np.float64]:
        """Unit vector of the reading direction, (2,)."""
        return np.array([np.cos(self.angle), np.sin(self.angle)])

    @property
    def across(self) -> npt.NDArray[np.float64]:
        """Unit vector from the line's top to its bottom, (2,)."""
        return np.array([-np.sin(self.angle), np.cos(self.angle)])

    def corners(self) -> npt.NDArray[np.float64]:
        """Top left, top right, bottom right, bottom left as the text is read, (4, 2), pixels."""
        u, v = self.along * self.width / 2, self.across * self.height / 2
        offsets = np.stack([-u - v, u - v, u + v, v - u])
        return np.asarray(np.array(self.centre) + offsets, np.float64)


class Detector:
    """Finds lines of text.

    Args:
        session: PP-OCR's text detector, input ``x`` (1, 3, H, W).
    """

    def __init__(self, session: "ort.InferenceSession") -> None:
        self._session = session

    def lines(self, image: Image, scale: float) -> tuple[Line, ...]:
        """Every line of text, brightest core first.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
            scale: The picture is brought to this many times its size, roundly.
        """
        height, width = image.shape[:2]
        rows, columns = (max(STRIDE, round(n * scale / STRIDE) * STRIDE) for n in (height, width))
        chances = run(self._session, {"x": _input(image, columns, rows)})[0][0, 0]
        found = _lines(chances, width / columns, height / rows)
        return tuple(sorted(found, key=lambda line: -line.score)[:MOST])


def _input(image: Image, columns: int, rows: int) -> npt.NDArray[np.float32]:
    shrinks = columns < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    sized = np.asarray(cv2.resize(image, (columns, rows), interpolation=how), np.uint8)
    return network_input(sized)[None]


def network_input(image: Image) -> npt.NDArray[np.float32]:
    """A picture as both PP-OCR networks take it: (3, H, W), float32, blue-green-red, -1..1."""
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / np.float32(127.5) - 1


def _lines(chances: npt.NDArray[np.float32], x_scale: float, y_scale: float) -> list[Line]:
    # One step of dilation joins cores that a dot or a screw had cut in two.
    core = cv2.dilate((chances > CORE).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(core, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = (_line(chances, np.asarray(o, np.int32), x_scale, y_scale) for o in outlines)
    return [line for line in found if line is not None]


def _line(
    chances: npt.NDArray[np.float32], outline: npt.NDArray[np.int32], x_scale: float, y_scale: float
) -> Line | None:
    middle, (a, b), degrees = cv2.minAreaRect(outline)
    if not min(a, b) >= THINNEST:
        return None
    score = _mean_inside(chances, _corners(middle, (a, b), degrees))
    if not score >= LINE:
        return None
    # A rectangle offset by d on every side has a least-area box of exactly these sides.
    d = a * b * GROW / (2 * (a + b))
    grown = _corners(middle, (a + 2 * d, b + 2 * d), degrees)
    scaled = grown * np.array([x_scale, y_scale], np.float32)
    (x, y), (w, h), degrees = cv2.minAreaRect(scaled)
    if w < h:
        w, h, degrees = h, w, degrees + 90.0
    angle = float(np.deg2rad((degrees + 90.0) % 180.0 - 90.0))
    return Line((float(x), float(y)), float(w), float(h), angle, score)


def _corners(
    middle: Sequence[float], size: tuple[float, float], degrees: float
) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.boxPoints((middle, size, degrees)), np.float32)


def _mean_inside(chances: npt.NDArray[np.float32], corners: npt.NDArray[np.float32]) -> float:
    height, width = chances.shape
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(mask, [np.round(corners - (x0, y0)).astype(np.int32)], 1)
    return float(cv2.mean(chances[y0 : y1 + 1, x0 : x1 + 1], mask)[0])
