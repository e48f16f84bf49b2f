"""dlib's image pyramid: every scale of a picture laid out in one, for one pass of the detector.

The layout follows dlib's, to the pixel, so that the detector sees what it was trained on: levels of
5/6 of the one before, in a column below the picture until the next level fits beside, then back up
along the right side; 10 black pixels between levels and 11 around.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from postern.frame import Image

_RATIO = 5 / 6
_GAP, _RIM = 10, 11
_MIN_ROWS = 5
#: Pixels; what dlib adds to a point with every level that it raises it (dlib, pyramid_down<N>).
_RAISED_SHIFT = 0.3
#: Red, green, blue: the pixel that the detector's normalisation takes to nothing.
_NOTHING = (123, 117, 104)


@dataclass(frozen=True, slots=True)
class Level:
    """One scale of the picture within the layout, in whole pixels.

    Attributes:
        x: Left edge within the layout.
        y: Top edge.
        width: Width.
        height: Height.
    """

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pyramid:
    """All scales in one picture.

    Attributes:
        image: (H, W, 3), uint8, red-green-blue.
        levels: Where each scale lies; the first is the original.
    """

    image: Image
    levels: tuple[Level, ...]

    def to_original(self, x: float, y: float, level: int) -> tuple[float, float]:
        """The original's coordinates of a point in the layout, given its level."""
        x, y = x - self.levels[level].x, y - self.levels[level].y
        for _ in range(level):
            x, y = x / _RATIO + _RAISED_SHIFT, y / _RATIO + _RAISED_SHIFT
        return x, y

    def nearest_level(self, x: float, y: float) -> int:
        """The level that a point in the layout lies in or next to."""
        return min(range(len(self.levels)), key=lambda at: _distance(self.levels[at], x, y))


def build(image: Image) -> Pyramid:
    """The pyramid of a picture, (H, W, 3) uint8 red-green-blue, at least 5 rows high."""
    sizes = _sizes(image.shape[1], image.shape[0])
    levels, width, height = _place(sizes)
    layout = np.empty((height, width, 3), np.uint8)
    layout[:] = _NOTHING
    scaled = image
    for at, level in enumerate(levels):
        if at:
            scaled = resize(scaled, level.width, level.height)
        layout[level.y : level.y + level.height, level.x : level.x + level.width] = scaled
    return Pyramid(layout, tuple(levels))


def resize(image: Image, width: int, height: int) -> Image:
    """The picture in another size, interpolated between the four nearest pixels, corner on corner
    (dlib, resize_image). OpenCV's resize puts edge on edge, which shifts by up to half a pixel.
    """
    x_step = (image.shape[1] - 1) / max(width - 1, 1)
    y_step = (image.shape[0] - 1) / max(height - 1, 1)
    to_source = np.array([[x_step, 0, 0], [0, y_step, 0]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(image, to_source, (width, height), flags=flags,
                         borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(out, np.uint8)


def _sizes(width: int, height: int) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    while width * height > 0 and (not sizes or height >= _MIN_ROWS):
        sizes.append((width, height))
        width, height = 5 * width // 6, 5 * height // 6
    return sizes


def _place(sizes: list[tuple[int, int]]) -> tuple[list[Level], int, int]:
    """Where each level goes, and the layout's width and height."""
    column = _column_height(sizes)
    first_width, first_height = sizes[0]
    levels: list[Level] = []
    y = _RIM
    for width, height in sizes:
        if y >= column + _RIM:
            break
        levels.append(Level(_RIM, y, width, height))
        y += height + _GAP
    y -= _GAP
    for width, height in sizes[len(levels) :]:
        top = y - height
        left = _RIM + first_width - width
        if top < _RIM + first_height and left < _RIM + first_width:
            break  # It would lie on the original.
        levels.append(Level(left, top, width, height))
        y -= height + _GAP
    return levels, first_width + 2 * _RIM, column + 2 * _RIM


def _column_height(sizes: list[tuple[int, int]]) -> int:
    """How far the left column goes: until the next level fits beside the one above it and at least
    half of what is below the original is placed.
    """
    first_width, first_height = sizes[0]
    total = sum(height + _GAP for _, height in sizes) - 2 * _GAP
    column, before = 0, 0
    for width, height in sizes:
        fits = width <= first_width - before - _GAP
        if fits and (column - first_height) * 2 >= total - first_height:
            break
        column += height + _GAP
        before = width
    return column - _GAP


def _distance(level: Level, x: float, y: float) -> float:
    dx = max(level.x - x, 0.0, x - (level.x + level.width - 1))
    dy = max(level.y - y, 0.0, y - (level.y + level.height - 1))
    return dx * dx + dy * dy


def halve(image: npt.NDArray[np.uint8]) -> Image:
    """Half the picture: a 5x5 binomial filter at every second pixel from the third on
    (dlib, pyramid_down<2>); the rest of the division is dropped, as dlib does.
    """
    # OpenCV's has the same filter but rounds; with eight more bits, what it gives is the sum.
    summed = np.asarray(cv2.pyrDown(image.astype(np.uint16) << 8), np.uint16)
    rows, columns = (image.shape[0] - 3) // 2, (image.shape[1] - 3) // 2
    return (summed[1 : 1 + rows, 1 : 1 + columns] >> 8).astype(np.uint8)
