"""The embedder beside dlib's own."""

import numpy as np
import pytest

from postern.frame import Image
from postern.vision.faces import align
from postern.vision.faces.embed import DIMENSIONS, Embedder
from postern.vision.faces.landmarks import Landmarks
from tests.vision.faces.conftest import Dlib, Found


def chips(finder: Landmarks, found: dict[str, Found], count: int) -> Image:
    """Chips, (N, 150, 150, 3), of both portraits, shaken, lit differently and one of noise."""
    rng = np.random.default_rng(2)
    made = [rng.integers(0, 256, (align.CHIP, align.CHIP, 3), dtype=np.uint8)]
    while len(made) < count:
        for one in found.values():
            points = finder.find(one.image, one.boxes[0][0])
            shaken = points + rng.normal(scale=3.0, size=points.shape).astype(np.float32)
            light = align.chip(one.image, shaken) * rng.uniform(0.5, 1.3)
            made.append(light.clip(0, 255).astype(np.uint8))
    return np.stack(made[:count])


@pytest.fixture(scope="module")
def twenty(finder: Landmarks, found_by_dlib: dict[str, Found]) -> Image:
    return chips(finder, found_by_dlib, 20)


def test_vectors_are_dlibs(embedder: Embedder, peer: Dlib, twenty: Image) -> None:
    """Twenty chips embed as dlib embeds them, to 1e-5 in every number."""
    theirs = np.stack([peer.vector(chip) for chip in twenty])

    assert np.abs(embedder.vectors(twenty) - theirs).max() < 1e-5


def test_vectors_are_the_same_alone_and_together(embedder: Embedder, twenty: Image) -> None:
    """How many chips go in at once changes nothing that counts."""
    alone = np.concatenate([embedder.vectors(chip[None]) for chip in twenty[:4]])

    assert np.abs(alone - embedder.vectors(twenty[:4])).max() < 1e-6
    assert np.array_equal(alone[0], embedder.vectors(twenty[:1])[0])


def test_vectors_of_nothing_are_none(embedder: Embedder) -> None:
    """No chip gives an empty array of the right width."""
    assert (0, DIMENSIONS) == embedder.vectors(np.empty((0, 150, 150, 3), np.uint8)).shape
