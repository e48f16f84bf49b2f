"""dlib's serialised files, read without dlib.

The files hold integers as one control byte (the low four bits count the bytes that follow, the high
bit is the sign) and little-endian bytes; floats as an integer mantissa and an integer exponent of
two; tensors as a version, four sizes, and little-endian float32.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import ldexp, prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from postern.core.errors import PosternError, invalid

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
T = TypeVar("T")

#: The first of dlib's exponents that stand for infinities and NaN (dlib, float_details).
_NOT_FINITE = 32000
#: Everything is kept as float32.
_LARGEST = float(np.finfo(np.float32).max)

_LAYER = re.compile(rb"\x01([\x04-\x08])(con_4|affine_|fc_2|bn_con2)")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with weights.

    Attributes:
        kind: dlib's name of it without the version: ``con``, ``affine``, ``fc`` or ``bn``.
        weights: Its tensors one after the other, float32, flat. For ``con`` filters, then biases;
            for ``affine`` gamma, then beta; for ``fc`` inputs x outputs in rows; for ``bn`` gamma,
            beta, mean, inverse deviation, running mean, running variance.
        shape: For ``con`` (filters, rows, columns, row stride, column stride, row padding, column
            padding); empty otherwise.
    """

    kind: str
    weights: Floats
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShapePredictor:
    """dlib's cascade of regression trees for landmarks.

    Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014.

    Attributes:
        initial: The mean shape, (L, 2) float32, in the unit square of the face box.
        anchors: For each stage and sample point the landmark it hangs on, (S, P) int64.
        deltas: Its offset from that landmark, (S, P, 2) float32.
        splits: For each stage, tree and inner node two sample points, (S, T, 2**D - 1, 2) int64.
        thresholds: Go left where their difference is above it, (S, T, 2**D - 1) float32.
        leaves: Shape increments, (S, T, 2**D, L, 2) float32.
    """

    initial: Floats
    anchors: Integers
    deltas: Floats
    splits: Integers
    thresholds: Floats
    leaves: Floats


def read_layers(data: bytes) -> list[Layer]:
    """The layers with weights of a dlib network, from its input to its output.

    Raises:
        PosternError: `invalid` where the bytes are not laid out as described.
    """
    layers = []
    at = 0
    while match := _LAYER.search(data, at):
        name = match.group(2).decode()
        if len(name) != match.group(1)[0]:
            at = match.end()
            continue
        layer, at = _read_layer(name, Reader(data, match.end()))
        layers.append(layer)
    if not layers:
        raise invalid("The file is no network of dlib.")
    return layers


def read_shape_predictor(data: bytes) -> ShapePredictor:
    """A shape predictor's trees.

    Raises:
        PosternError: `invalid` where the bytes are not laid out as described.
    """
    reader = Reader(data, 0)
    if reader.integer() != 1:
        raise _no_predictor()
    initial = reader.points()
    forests = reader.several(lambda: reader.several(lambda: _read_tree(reader)))
    anchors = reader.several(lambda: reader.several(reader.integer))
    deltas = reader.several(lambda: reader.several(lambda: [reader.real(), reader.real()]))
    try:
        predictor = ShapePredictor(
            initial,
            np.array(anchors, np.int64),
            np.array(deltas, np.float32),
            np.array([[tree[0] for tree in stage] for stage in forests], np.int64),
            np.array([[tree[1] for tree in stage] for stage in forests], np.float32),
            np.array([[tree[2] for tree in stage] for stage in forests], np.float32),
        )
    except (ValueError, OverflowError):  # Trees or stages of different sizes; huge integers.
        raise _no_predictor() from None
    _check(predictor)
    return predictor


def _check(predictor: ShapePredictor) -> None:
    """Refuses trees that lead outside their own arrays."""
    anchors, deltas, splits = predictor.anchors, predictor.deltas, predictor.splits
    leaves, thresholds = predictor.leaves, predictor.thresholds
    if anchors.ndim != 2 or splits.ndim != 4 or leaves.ndim != 5:
        raise _no_predictor()
    stages, trees, inner = splits.shape[:3]
    whole = inner > 0 and (inner + 1) & inner == 0  # Every tree is full: 2**D - 1 inner nodes.
    fits = (
        whole
        and len(anchors) == stages
        and deltas.shape == (*anchors.shape, 2)
        and thresholds.shape == (stages, trees, inner)
        and leaves.shape == (stages, trees, inner + 1, *predictor.initial.shape)
    )
    if not fits or not _within(anchors, len(predictor.initial)):
        raise _no_predictor()
    if not _within(splits, anchors.shape[1]):
        raise _no_predictor()


def _within(indices: Integers, count: int) -> bool:
    return bool(indices.size and indices.min() >= 0 and indices.max() < count)


class Reader:
    """Reads dlib's numbers one after the other.

    Args:
        data: The file's bytes.
        at: Where to begin.
    """

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def integer(self) -> int:
        """The next integer."""
        try:
            control = self._data[self.at]
        except IndexError:
            raise _cut() from None
        end = self.at + 1 + (control & 0x0F)
        if end > len(self._data):
            raise _cut()
        value = int.from_bytes(self._data[self.at + 1 : end], "little")
        self.at = end
        return -value if control & 0x80 else value

    def real(self) -> float:
        """The next floating-point number."""
        mantissa, exponent = self.integer(), self.integer()
        # dlib writes what is not finite with exponents from 32000 on.
        if not exponent < _NOT_FINITE:
            raise invalid("A number of the file is not finite.")
        try:
            value = ldexp(mantissa, exponent)
        except OverflowError:
            value = float("inf")
        if not abs(value) <= _LARGEST:
            raise invalid("A number of the file is not finite.")
        return value

    def several(self, read: Callable[[], T]) -> list[T]:
        """A list, whose length goes before it; each of its parts takes a byte at least, so that
        one longer than the file ends as one that is cut off.
        """
        return [read() for _ in range(self.integer())]

    def tensor(self) -> Floats:
        """The next tensor, flat."""
        if self.integer() != 2:
            raise invalid("A tensor of the file has an unknown version.")
        sizes = [self.integer() for _ in range(4)]
        if min(sizes) < 0 or 4 * prod(sizes) > len(self._data) - self.at:
            raise _cut()
        count = prod(sizes)
        end = self.at + 4 * count
        values = np.frombuffer(self._data, "<f4", count, self.at).astype(np.float32)
        self.at = end
        return values

    def points(self) -> Floats:
        """The next matrix of real numbers as points, (N, 2). Its sizes are stored negated."""
        rows, columns = -self.integer(), -self.integer()
        if rows < 0 or columns < 0 or rows * columns % 2:
            raise invalid("A matrix of the file has an unknown layout.")
        values = [self.real() for _ in range(rows * columns)]
        return np.array(values, np.float32).reshape(-1, 2)


def _read_layer(name: str, reader: Reader) -> tuple[Layer, int]:
    kind = name.split("_")[0]
    if kind == "fc":
        for _ in range(2):
            reader.integer()  # Outputs and inputs; the tensor's size says the rest.
    weights = reader.tensor()
    shape: tuple[int, ...] = ()
    if kind == "con":
        shape = tuple(reader.integer() for _ in range(7))
    if kind == "bn":
        _skip_views(reader)
        weights = np.concatenate([weights, *(reader.tensor() for _ in range(4))])
    return Layer(kind, weights, shape), reader.at


def _skip_views(reader: Reader) -> None:
    """Passes over gamma's and beta's views into the parameter tensor: version and four sizes."""
    for _ in range(2):
        for _ in range(5):
            reader.integer()


def _read_tree(reader: Reader) -> tuple[list[list[int]], list[float], list[Floats]]:
    nodes = reader.several(lambda: ([reader.integer(), reader.integer()], reader.real()))
    leaves = reader.several(reader.points)
    return [split for split, _ in nodes], [threshold for _, threshold in nodes], leaves


def _no_predictor() -> PosternError:
    return invalid("The file is no shape predictor of dlib.")


def _cut() -> PosternError:
    return invalid("The file of dlib ends too early.")
