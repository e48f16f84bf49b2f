"""Five landmarks of a face in a given box: the corners of both eyes and the base of the nose.

dlib's cascade of regression trees, evaluated for all trees of a stage at once.
"""

import io

import numpy as np
import numpy.typing as npt

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces.dlib_file import ShapePredictor

Points = npt.NDArray[np.float32]


def pack(predictor: ShapePredictor) -> bytes:
    """The predictor as plain arrays one after the other, which load in milliseconds."""
    out = io.BytesIO()
    for array in (
        predictor.initial,
        predictor.anchors.astype(np.int16),
        predictor.deltas,
        predictor.splits.astype(np.int16),
        predictor.thresholds,
        predictor.leaves,
    ):
        np.save(out, array, allow_pickle=False)
    return out.getvalue()


def unpack(data: bytes) -> ShapePredictor:
    """The predictor that `pack` wrote."""
    source = io.BytesIO(data)
    initial, anchors, deltas, splits, thresholds, leaves = (
        np.load(source, allow_pickle=False) for _ in range(6)
    )
    return ShapePredictor(
        initial, anchors.astype(np.int64), deltas, splits.astype(np.int64), thresholds, leaves
    )


class Landmarks:
    """Finds the landmarks.

    Args:
        predictor: The trees.
    """

    def __init__(self, predictor: ShapePredictor) -> None:
        self._trees = predictor
        self._depth = int(np.log2(predictor.leaves.shape[2]))

    def find(self, image: Image, box: Box) -> Points:
        """The landmarks of the face in `box`.

        Args:
            image: (H, W, 3), uint8; the order of the colours does not matter.
            box: The face as dlib's detectors frame it.

        Returns:
            (5, 2) float32, pixels, in dlib's order: outer and inner corner of the eye on the
            picture's right, outer and inner corner of the one on its left, base of the nose.
        """
        trees = self._trees
        intensity = _Intensity(image, box)
        shape = trees.initial.copy()
        for stage in range(trees.anchors.shape[0]):
            turn = _similarity(trees.initial, shape)
            samples = trees.deltas[stage] @ turn.T + shape[trees.anchors[stage]]
            values = intensity.at(samples)
            first, second = trees.splits[stage, ..., 0], trees.splits[stage, ..., 1]
            left = values[first] - values[second] > trees.thresholds[stage]
            # One after the other and from the shape on, as dlib adds them: to the last bit.
            shape = np.concatenate([shape[None], self._leaves(stage, left)]).sum(axis=0)
        return intensity.to_pixels(shape).astype(np.float32)

    def _leaves(self, stage: int, left: npt.NDArray[np.bool_]) -> Points:
        """The leaf that each tree of a stage ends in, (T, L, 2)."""
        count = left.shape[0]
        every = np.arange(count)
        node = np.zeros(count, np.int64)
        for _ in range(self._depth):
            node = 2 * node + np.where(left[every, node], 1, 2)
        leaves: Points = self._trees.leaves[stage][every, node - left.shape[1]]
        return leaves


class _Intensity:
    """Grey levels at points of the unit square of a box; 0 outside the picture."""

    def __init__(self, image: Image, box: Box) -> None:
        self._image = image
        self._origin = np.array([box.x0, box.y0])
        self._size = np.array([box.width, box.height])

    def to_pixels(self, points: Points) -> npt.NDArray[np.float64]:
        return np.asarray(points.astype(np.float64) * self._size + self._origin)

    def at(self, points: Points) -> npt.NDArray[np.float32]:
        x, y = np.floor(self.to_pixels(points) + 0.5).astype(np.int64).T
        inside = (x >= 0) & (y >= 0) & (x < self._image.shape[1]) & (y < self._image.shape[0])
        pixels = self._image[np.where(inside, y, 0), np.where(inside, x, 0)]
        grey = pixels.astype(np.int64).sum(axis=1) // 3
        return np.where(inside, grey, 0).astype(np.float32)


def _similarity(source: Points, target: Points) -> npt.NDArray[np.float32]:
    """The rotation and scale, (2, 2), that best takes `source` to `target` after centring both.

    Umeyama, Least-squares estimation of transformation parameters, 1991; in two dimensions and
    without reflection it has this closed form. In double precision, as in dlib: a sample that is
    rounded to another pixel can send a tree another way.
    """
    a, b = (points.astype(np.float64) for points in (source, target))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    weight = float((a * a).sum())
    cosine = float((a * b).sum()) / weight
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / weight
    return np.array([[cosine, -sine], [sine, cosine]], np.float32)
