"""A face chip as a vector that lies near those of the same face."""

from typing import Any

import numpy as np
import numpy.typing as npt

from postern.vision.model import run

Chip = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

#: Length of a vector.
DIMENSIONS = 128


class Embedder:
    """dlib's embedder.

    Args:
        session: On the graph of `dlib_graphs.embedder`.
        model: The sha256 that its templates carry.
    """

    def __init__(self, session: Any, model: str) -> None:  # noqa: ANN401
        self._session = session
        self.model = model

    def vectors(self, chips: npt.NDArray[np.uint8]) -> Vectors:
        """The vectors, (N, 128) float32, of face chips, (N, 150, 150, 3) uint8 blue-green-red."""
        pixels = chips[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        found: Vectors = run(self._session, {"chips": np.ascontiguousarray(pixels)})[0]
        return found
