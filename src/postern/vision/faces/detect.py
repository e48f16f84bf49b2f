"""Faces in a picture, by either of two detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces import pyramid
from postern.vision.model import run

Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Face:
    """A face that a detector found.

    Attributes:
        box: Where, in pixels of the frame; may reach over its edge.
        score: The detector's own confidence; higher is surer.
        points: (5, 2) float32, pixels: the eye on the picture's left, the eye on its right, the
            tip of the nose, the corners of the mouth left and right; None where the detector gives
            none.
    """

    box: Box
    score: float
    points: Points | None


#: A face at least this wide, relative to the widest, is somebody at the access point and not in the
#: background.
BESIDE = 0.5


class Detector(Protocol):
    """Finds faces."""

    def faces(self, image: Image) -> tuple[Face, ...]:
        """The faces in a picture, (H, W, 3) uint8 blue-green-red, surest first."""
        ...


class ConvolutionalDetector:
    """dlib's convolutional detector; for faces of about 70 pixels and more.

    Args:
        session: On the graph of `dlib_graphs.detector`.
        min_score: Scores are 0 where the network is undecided and about 1 for a clear face.
        max_side: Pixels; a larger picture is scaled down to this before it is searched. What it
            takes grows with the picture's area: at 3840 x 2160 pixels it would be 1.8 GB.
    """

    #: Pixels, window side and stride of the score map (dlib, mmod_human_face_detector.dat).
    _WINDOW, _STRIDE, _OFFSET = 80, 8, 14
    #: Overlap above which the weaker of two detections is dropped (ibidem).
    _OVERLAP = 0.338

    def __init__(
        self,
        session: Any,  # noqa: ANN401
        min_score: float = 0.0,
        max_side: int = 960,
    ) -> None:
        self._session = session
        self._min_score = min_score
        self._max_side = max_side

    def faces(self, image: Image) -> tuple[Face, ...]:
        """See `Detector.faces`."""
        if image.size == 0:
            return ()
        scaled, scale = _reduced(image, self._max_side)
        if min(scaled.shape[:2]) < 32:  # The detector's window would lie outside on both sides.
            return ()
        layout = pyramid.build(np.ascontiguousarray(scaled[:, :, ::-1]))
        pixels = layout.image.transpose(2, 0, 1)[None].astype(np.float32)
        scores = run(self._session, {"pyramid": pixels})[0][0, 0]
        positive = np.argwhere(scores > self._min_score)
        found = [
            self._face(layout, scores, int(row), int(column), scale) for row, column in positive
        ]
        return suppress(found, self._OVERLAP)

    def _face(
        self,
        layout: pyramid.Pyramid,
        scores: npt.NDArray[np.float32],
        row: int,
        column: int,
        scale: float,
    ) -> Face:
        x = float(self._STRIDE * column + self._OFFSET)
        y = float(self._STRIDE * row + self._OFFSET)
        level = layout.nearest_level(x, y)
        half = (self._WINDOW - 1) / 2
        x0, y0 = layout.to_original(x - half, y - half, level)
        x1, y1 = layout.to_original(x + half, y + half, level)
        box = Box(x0 / scale, y0 / scale, x1 / scale, y1 / scale)
        return Face(box, float(scores[row, column]), None)


class YuNet:
    """YuNet: small, fast, and gives five points; finds faces from about 10 pixels on.

    Args:
        session: On the YuNet graph with a dynamic input.
        min_score: In [0, 1].
        max_side: Pixels; a larger picture is scaled down to this before it is searched.
    """

    _STRIDES = (8, 16, 32)
    _OVERLAP = 0.3

    def __init__(
        self,
        session: Any,  # noqa: ANN401
        min_score: float = 0.7,
        max_side: int = 640,
    ) -> None:
        self._session = session
        self._min_score = min_score
        self._max_side = max_side

    def faces(self, image: Image) -> tuple[Face, ...]:
        """See `Detector.faces`."""
        if image.size == 0:
            return ()
        scaled, scale = _reduced(image, self._max_side)
        padded = _pad_to_32(scaled)
        pixels = padded.transpose(2, 0, 1)[None].astype(np.float32)
        names = [output.name for output in self._session.get_outputs()]
        outputs = dict(zip(names, run(self._session, {"input": pixels}), strict=True))
        found = [face for stride in self._STRIDES
                 for face in self._decode(outputs, stride, padded.shape[1], scale)]  # fmt: skip
        return suppress(found, self._OVERLAP)

    def _decode(
        self, outputs: dict[str, npt.NDArray[np.float32]], stride: int, width: int, scale: float
    ) -> list[Face]:
        """Faces of one stride. Boxes are centre offsets and log sizes in strides, scores the
        geometric mean of class and objectness (libfacedetection.train, YuNet head).
        """
        classes = outputs[f"cls_{stride}"][0, :, 0].clip(0, 1)
        objects = outputs[f"obj_{stride}"][0, :, 0].clip(0, 1)
        scores = np.sqrt(classes * objects)
        found = []
        for at in np.flatnonzero(scores > self._min_score):
            cell = np.array([at % (width // stride), at // (width // stride)], np.float32)
            box = outputs[f"bbox_{stride}"][0, at]
            centre = (cell + box[:2]) * stride / scale
            half = np.exp(box[2:]) * stride / scale / 2
            points = outputs[f"kps_{stride}"][0, at].reshape(5, 2)
            corners = (*(centre - half).tolist(), *(centre + half).tolist())
            placed = ((points + cell) * stride / scale).astype(np.float32)
            found.append(Face(Box(*corners), float(scores[at]), placed))
        return found


def nearest(faces: Sequence[Face]) -> tuple[Face, ...]:
    """Whoever is at the access point, widest first: the widest face, and those beside it."""
    found = sorted(faces, key=lambda face: -face.box.width)
    return tuple(face for face in found if face.box.width >= BESIDE * found[0].box.width)


def share_inside(box: Box, image: Image) -> float:
    """Which share of a box's width, or of its height if that is less, lies within a picture."""
    height, width = image.shape[:2]
    inside_x = min(box.x1, width) - max(box.x0, 0.0)
    inside_y = min(box.y1, height) - max(box.y0, 0.0)
    return float(min(inside_x / box.width, inside_y / box.height))


def suppress(faces: list[Face], overlap: float) -> tuple[Face, ...]:
    """The faces without those that overlap a surer one by more than `overlap` (IoU)."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda f: (-f.score, f.box.x0, f.box.y0)):
        if all(face.box.iou(other.box) <= overlap for other in kept):
            kept.append(face)
    return tuple(kept)


def _reduced(image: Image, max_side: int) -> tuple[Image, float]:
    """A picture with no longer side than that, and what it was scaled by."""
    scale = min(1.0, max_side / max(image.shape[:2]))
    if scale == 1.0:
        return image, scale
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _pad_to_32(image: Image) -> Image:
    bottom, right = -image.shape[0] % 32, -image.shape[1] % 32
    if bottom == 0 and right == 0:
        return image
    padded = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return np.asarray(padded, np.uint8)
