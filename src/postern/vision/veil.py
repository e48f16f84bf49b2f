"""A live picture in which nobody can be recognised and no plate can be read.

1. Every face that is found is filled with a few colours, well beyond its edges, and so is every
   place that whoever shows the picture names, such as a plate.
2. A face stays covered for a while after it was last found: detectors miss one now and then.
3. All of the picture is so coarse that what no detector finds, because it is small, far away or
   turned, has too few points left to be recognised by, or to be read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from postern.core.look import Box
from postern.core.moment import Moment
from postern.frame import Image
from postern.vision.faces.detect import Detector

#: Pixels: how wide the picture is shown, and searched. dlib's detector needs a face to be 70 pixels
#: wide, which is 35 of those that are shown.
SHOWN, SEARCHED = 640, 1280
#: Points across the whole picture: a face of 35 pixels is left with seven, a plate of 100 with 20
#: for all of its characters.
POINTS = 128
#: Points across what is covered, and how much larger that is than what was found.
_COVERED, _GROWN = 3, 1.5
#: Seconds that a face stays covered after it was last found.
HELD_S = 2.0


@dataclass(frozen=True, slots=True)
class _Held:
    """What was found; its box is in shares of the picture's width."""

    box: Box
    found: Moment


class Cover:
    """Makes pictures of one camera fit to be shown, where others have found what is in them."""

    def __init__(self) -> None:
        self._held: tuple[_Held, ...] = ()

    def shown(
        self, image: Image, seen: Moment, found: Iterable[Box], also: Iterable[Box] = ()
    ) -> Image:
        """The picture as it may be shown, `SHOWN` pixels wide.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
            seen: When it was taken.
            found: What is covered now and for a while, in pixels of `image`.
            also: What is covered in this picture only, likewise.
        """
        width = image.shape[1]
        kept = [held for held in self._held if 0.0 <= seen.since(held.found) <= HELD_S]
        self._held = (*kept, *(_Held(_scaled(box, 1 / width), seen) for box in found))
        boxes = [held.box for held in self._held] + [_scaled(box, 1 / width) for box in also]
        picture = _coarse(_widened(image, SHOWN))
        for box in boxes:
            _cover(picture, _scaled(box, SHOWN).grown(_GROWN))
        return picture


class Veil:
    """Makes pictures of one camera fit to be shown, and looks for faces itself.

    Args:
        detector: Finds faces.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._cover = Cover()

    def shown(self, image: Image, seen: Moment, also: Iterable[Box] = ()) -> Image:
        """The picture as it may be shown, `SHOWN` pixels wide.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
            seen: When it was taken.
            also: What else is covered, in pixels of `image`.
        """
        found = self._detector.faces(_widened(image, SEARCHED))
        scale = image.shape[1] / SEARCHED
        return self._cover.shown(image, seen, [_scaled(one.box, scale) for one in found], also)


def _widened(image: Image, width: int) -> Image:
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    shrinks = width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def _coarse(picture: Image) -> Image:
    height, width = picture.shape[:2]
    points = (POINTS, max(1, round(height * POINTS / width)))
    few = cv2.resize(picture, points, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _cover(picture: Image, box: Box) -> None:
    """Fills a box with a few colours of what is there; nothing where it lies outside."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, int(box.x0)), max(0, int(box.y0))
    x1, y1 = min(width, int(box.x1) + 1), min(height, int(box.y1) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    there = picture[y0:y1, x0:x1]
    few = cv2.resize(there, (_COVERED, _COVERED), interpolation=cv2.INTER_AREA)
    there[:] = cv2.resize(few, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)


def _scaled(box: Box, factor: float) -> Box:
    return Box(box.x0 * factor, box.y0 * factor, box.x1 * factor, box.y1 * factor)
