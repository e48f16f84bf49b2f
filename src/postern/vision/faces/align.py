"""A face turned upright and brought to the size that the embedder takes: dlib's face chip."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces.detect import Face
from postern.vision.faces.landmarks import Landmarks
from postern.vision.faces.pyramid import halve
from postern.vision.faces.quality import Geometry, geometry

#: Pixels.
CHIP = 150
_PADDING = 0.25
#: Where dlib puts its five landmarks in a chip without padding, in chip sides (dlib,
#: get_face_chip_details): eye corners outer and inner right, outer and inner left, base of nose.
_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)

#: Pixels; by how much dlib moves a point when it halves a picture (dlib, pyramid_down<2>).
_HALVED_SHIFT = (1.25, 0.75)

#: Pixels. dlib makes nothing of what is smaller than this (ibidem).
_MIN_HALVED = 9

#: dlib's box around a face beside that of a detector that gives points: the same middle, and this
#: many times the side of the square as large as it (the mean over 100 pictures of faces-lfw).
_BOX_SIDE = 0.90

#: Points of the chip's middle, where eyes, nose, mouth and cheeks are, (3, 100) with ones below.
_MIDDLE = np.stack(
    [*(grid.ravel() for grid in np.meshgrid(*[np.arange(30.0, 121.0, 10.0)] * 2)), np.ones(100)]
)

Points = npt.NDArray[np.float32]
Chip = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A face ready to be judged and embedded.

    Attributes:
        chip: (150, 150, 3) uint8 blue-green-red, upright.
        geometry: How the face stands.
        inside: Which share of the face's middle lies within the picture, in [0, 1]; the rest of it
            is black in the chip.
    """

    chip: Chip
    geometry: Geometry
    inside: float


class Aligner(Protocol):
    """Turns a detected face upright."""

    def align(self, image: Image, face: Face) -> Aligned:
        """The face's chip and geometry, from the frame it was found in."""
        ...


class LandmarkAligner:
    """Aligns as dlib does, by its own landmarks within the detector's box.

    Where the detector gives points of its own, they say how the face stands: unlike landmarks that
    are fitted to a box, they follow a face that turns away. The chip is cut by the landmarks all
    the same, since strangers are told apart better so (docs/benchmarks/faces.md).

    Args:
        landmarks: Finds them.
    """

    def __init__(self, landmarks: Landmarks) -> None:
        self._landmarks = landmarks

    def align(self, image: Image, face: Face) -> Aligned:
        """See `Aligner.align`."""
        box = face.box if face.points is None else _as_dlib_frames(face.box)
        found = self._landmarks.find(image, box)
        to_image = _by_landmarks(found)
        chip, inside = extract(image, to_image), _inside(image, to_image)
        if face.points is not None:
            left, right, nose = face.points[0], face.points[1], face.points[2]
        else:
            right, left, nose = found[0:2].mean(axis=0), found[2:4].mean(axis=0), found[4]
        return Aligned(chip, geometry(left, right, nose), inside)


def _as_dlib_frames(box: Box) -> Box:
    half = _BOX_SIDE * float(np.sqrt(box.width * box.height)) / 2
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return Box(x - half, y - half, x + half, y + half)


def chip(image: Image, landmarks: Points) -> Chip:
    """The face chip, (150, 150, 3) uint8 blue-green-red; black where the picture ends.

    Args:
        image: The frame, (H, W, 3) uint8 blue-green-red.
        landmarks: dlib's five landmarks, (5, 2), pixels.
    """
    return extract(image, _by_landmarks(landmarks))


def _by_landmarks(landmarks: Points) -> npt.NDArray[np.float64]:
    targets = (_PADDING + _MEAN_FACE) / (2 * _PADDING + 1) * CHIP
    return similarity(targets, landmarks.astype(np.float64))


def _inside(image: Image, to_image: npt.NDArray[np.float64]) -> float:
    """Which share of the chip's middle, sampled every ten pixels, the picture shows."""
    x, y = to_image @ _MIDDLE
    shown = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
    return float(shown.mean())


def extract(image: Image, to_image: npt.NDArray[np.float64]) -> Chip:
    """What a similarity, (2, 3), from chip to picture shows, as a chip.

    A face much larger than the chip is halved first, so that pixels are averaged, not skipped.
    """
    if not np.hypot(to_image[0, 0], to_image[1, 0]) > 0.0:
        return np.zeros((CHIP, CHIP, 3), np.uint8)  # All points of the face are one.
    warp = _between_pixel_centres(to_image)
    halvings = _halvings(float(np.hypot(warp[0, 0], warp[1, 0])) * (CHIP - 1))
    source = image
    if halvings:
        # Only the face's surroundings, cut as dlib cuts them: halving drops every second row from
        # the cut's first on, so that a cut one pixel off shows other pixels.
        x0, y0, x1, y1 = _surroundings(image, warp, halvings)
        source = image[y0:y1, x0:x1]
        warp[:, 2] -= (x0, y0)
    for _ in range(halvings):
        if min(source.shape[:2]) < _MIN_HALVED:
            return np.zeros((CHIP, CHIP, 3), np.uint8)
        source = halve(source)
        warp /= 2
        warp[:, 2] -= _HALVED_SHIFT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(source, warp, (CHIP, CHIP), flags=flags), np.uint8)


def _halvings(side: float) -> int:
    """How often a face of `side` pixels is halved: until once more would be below the chip."""
    count = 0
    while side / 2 + 1 > CHIP:
        side, count = side / 2, count + 1
    return count


def _surroundings(
    image: Image, warp: npt.NDArray[np.float64], halvings: int
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, the last two not included, of what is halved: the chip's corners
    and a border that the filter eats into (dlib, extract_image_chips).
    """
    border = 2.0
    for _ in range(halvings):
        border = 2 * border + 2
    ends = np.array([[0, CHIP - 1, 0, CHIP - 1], [0, 0, CHIP - 1, CHIP - 1], [1, 1, 1, 1]])
    corners = warp @ ends
    last = np.array([image.shape[1] - 1, image.shape[0] - 1], np.float64)
    first = np.floor(np.maximum(corners.min(axis=1) - border, 0) + 0.5)
    final = np.floor(np.minimum(corners.max(axis=1) + border, last) + 0.5)
    # An end before the beginning, of a face outside the picture, cuts nothing out.
    after = np.maximum(final + 1, first)
    return int(first[0]), int(first[1]), int(after[0]), int(after[1])


def _between_pixel_centres(to_image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same similarity as dlib draws it: it takes the chip's middle, at half its side, to a
    rectangle's middle, and the outermost of its pixels to the outermost of that rectangle's.
    """
    turn, middle = to_image[:, :2], to_image @ np.array([CHIP / 2, CHIP / 2, 1.0])
    scale = float(np.hypot(turn[0, 0], turn[1, 0]))
    drawn = turn / scale * (CHIP * scale - 1) / (CHIP - 1)
    shift = middle - drawn @ np.array([(CHIP - 1) / 2] * 2)
    return np.column_stack([drawn, shift])


def similarity(
    source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The rotation, scale and shift, (2, 3), that best takes the points `source` to `target`.

    Umeyama, Least-squares estimation of transformation parameters, 1991, without reflection.
    """
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    weight = float((a * a).sum())
    cosine = float((a * b).sum()) / weight
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / weight
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = target.mean(axis=0) - turn @ source.mean(axis=0)
    return np.column_stack([turn, shift])
