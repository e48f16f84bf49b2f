"""dlib's two face networks as ONNX graphs, made from the layers of its files.

Batch normalisation and affine layers are folded into the convolution before them, and the pictures'
normalisation is the graph's first step, so that whoever runs it gives plain pixels.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from postern.vision.faces.dlib_file import Floats, Layer

#: Red, green, blue; what dlib subtracts before it divides by 256 (dlib, input_rgb_image).
_MEANS = (122.782, 117.001, 104.298)
#: dlib's batch normalisation adds this to the variance (dlib, DEFAULT_BATCH_NORM_EPS).
_EPSILON = 1e-4
_OPSET, _IR = 17, 8
_CHIP = 150
_WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)


def embedder(layers: Sequence[Layer]) -> bytes:
    """The face embedder: ``chips`` (N, 3, 150, 150) float32, red-green-blue, 0..255, in dlib's
    alignment, to ``vectors`` (N, 128) float32.

    dlib's residual network of 29 convolutions: a stem, then blocks of two 3x3 convolutions; a block
    that halves the picture skips with a 2x2 average, padded with zeros to the larger of the shapes.
    """
    graph = _Graph(iter(layers), "affine")
    x = graph.relu(graph.convolve(graph.normalise("chips"), stride=2, padding=0))
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    size, width = 35, 32
    for at, next_width in enumerate(_WIDTHS):
        down = next_width != width or at == len(_WIDTHS) - 1
        x, size = _block(graph, x, size, width, next_width, down)
        width = next_width
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    full = next(graph.layers).weights.reshape(-1, 128)
    vectors = graph.node("MatMul", [x, graph.constant(full)], output="vectors")
    return graph.model([("chips", ["n", 3, _CHIP, _CHIP])], [(vectors, ["n", 128])])


def detector(layers: Sequence[Layer]) -> bytes:
    """The face detector: ``pyramid`` (1, 3, H, W) float32, red-green-blue, 0..255, to ``scores``
    (1, 1, h, w) float32, one for every eighth pixel; a face is where the score is positive.
    """
    graph = _Graph(iter(layers), "bn")
    x = graph.normalise("pyramid")
    for stride, padding in ((2, 0), (2, 0), (2, 0), (1, 2), (1, 2), (1, 2)):
        x = graph.relu(graph.convolve(x, stride, padding))
    x = graph.convolve(x, 1, 4, last=True)
    scores = graph.node("Identity", [x], output="scores")
    return graph.model(
        [("pyramid", [1, 3, "rows", "columns"])], [(scores, [1, 1, "score_rows", "score_columns"])]
    )


def _block(
    graph: "_Graph", x: str, size: int, width: int, next_width: int, down: bool
) -> tuple[str, int]:
    """One residual block; gives its output's name and side length."""
    stride, padding = (2, 0) if down else (1, 1)
    main = graph.relu(graph.convolve(x, stride, padding))
    main = graph.convolve(main, 1, 1)
    skip = x
    if down:
        skip = graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
    main_size = (size - 3) // 2 + 1 if down else size
    skip_size = (size - 2) // 2 + 1 if down else size
    larger = max(main_size, skip_size)
    main = graph.pad(main, 0, larger - main_size)
    skip = graph.pad(skip, next_width - width, larger - skip_size)
    return graph.relu(graph.node("Add", [main, skip])), larger


class _Graph:
    """An ONNX graph under construction."""

    def __init__(self, layers: Iterator[Layer], folded: str) -> None:
        self.layers = layers
        self._folded = folded
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: list[int]) -> str:
        name = output or f"{kind.lower()}_{len(self._nodes)}"
        node = helper.make_node(kind, inputs, [name])
        node.attribute.extend(helper.make_attribute(key, of) for key, of in attributes.items())
        self._nodes.append(node)
        return name

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def normalise(self, name: str) -> str:
        means = self.constant(np.array(_MEANS, np.float32).reshape(1, 3, 1, 1))
        scale = self.constant(np.array(1 / 256, np.float32))
        return self.node("Mul", [self.node("Sub", [name, means]), scale])

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def pad(self, x: str, channels: int, pixels: int) -> str:
        if channels == 0 and pixels == 0:
            return x
        ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self.node("Pad", [x, self.constant(ends)])

    def convolve(self, x: str, stride: int, padding: int, last: bool = False) -> str:
        """The next convolution with what follows it folded in."""
        layer = next(self.layers)
        filters, rows, columns = layer.shape[:3]
        biases = layer.weights[-filters:].astype(np.float64)
        kernel = layer.weights[:-filters].reshape(filters, -1, rows, columns).astype(np.float64)
        if not last:
            gain, shift = self._gain_and_shift(next(self.layers).weights, filters)
            kernel, biases = kernel * gain.reshape(-1, 1, 1, 1), biases * gain + shift
        inputs = [x, self._floats(kernel), self._floats(biases)]
        return self.node(
            "Conv", inputs, kernel_shape=[rows, columns],
            strides=[stride] * 2, pads=[padding] * 4,
        )  # fmt: skip

    def _gain_and_shift(
        self, weights: Floats, filters: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        parts = weights.astype(np.float64).reshape(-1, filters)
        gamma, beta = parts[0], parts[1]
        if self._folded == "affine":
            return gamma, beta
        mean, variance = parts[4], parts[5]
        gain = gamma / np.sqrt(variance + _EPSILON)
        return gain, beta - mean * gain

    def _floats(self, values: npt.NDArray[np.float64]) -> str:
        return self.constant(values.astype(np.float32))

    def model(
        self, inputs: list[tuple[str, list[int | str]]], outputs: list[tuple[str, list[int | str]]]
    ) -> bytes:
        graph = helper.make_graph(
            self._nodes, "postern",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs],
            self._constants,
        )  # fmt: skip
        opset = [helper.make_opsetid("", _OPSET)]
        model: ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=_IR)
        model.producer_name = "postern"
        return bytes(model.SerializeToString(deterministic=True))
