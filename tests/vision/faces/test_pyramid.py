"""dlib's image pyramid: where the levels lie, and how pictures are made smaller."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.frame import Image
from postern.vision.faces import pyramid
from tests.vision.faces.pictures import astronaut


def halved_slowly(image: Image) -> Image:
    """dlib's five-tap filter, one pixel after the other."""
    weights = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
    rows, columns = (image.shape[0] - 3) // 2, (image.shape[1] - 3) // 2
    half = np.empty((rows, columns, 3), np.uint8)
    for row in range(rows):
        for column in range(columns):
            part = image[2 * row : 2 * row + 5, 2 * column : 2 * column + 5].astype(np.int64)
            half[row, column] = (part * weights[:, :, None]).sum(axis=(0, 1)) // 256
    return half


@settings(max_examples=30)
@given(st.integers(9, 30), st.integers(9, 30), st.integers(0, 9))
def test_halve_filters_as_dlib_does(rows: int, columns: int, seed: int) -> None:
    """Every pixel is the slow filter's, also where the sum does not divide."""
    image = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)

    assert np.array_equal(halved_slowly(image), pyramid.halve(image))


@settings(max_examples=60)
@given(st.integers(32, 300), st.integers(32, 300))
def test_build_places_levels_side_by_side(width: int, height: int) -> None:
    """Levels lie inside the layout and ten pixels apart, the first being the picture itself."""
    image = np.full((height, width, 3), 9, np.uint8)

    layout = pyramid.build(image)

    first = layout.levels[0]
    assert (width, height) == (first.width, first.height)
    used = np.zeros(layout.image.shape[:2], np.int64)
    for level in layout.levels:
        assert level.x >= 0
        assert level.y >= 0
        used[level.y : level.y + level.height, level.x : level.x + level.width] += 1
    assert used.sum() == sum(level.width * level.height for level in layout.levels)
    assert used.max() == 1


def test_build_fills_the_gaps_with_what_the_detector_takes_for_nothing() -> None:
    """Outside the levels the layout has the mean colour that the network subtracts."""
    layout = pyramid.build(np.zeros((100, 120, 3), np.uint8))

    assert (123, 117, 104) == tuple(layout.image[0, 0])
    assert not layout.image[11:111, 11:131].any()


def test_to_original_undoes_the_levels() -> None:
    """A point goes back as dlib takes it: by 6/5 and a third of a pixel with every level."""
    layout = pyramid.build(astronaut())
    level = layout.levels[3]

    x, y = layout.to_original(level.x + 50.0, level.y + 20.0, 3)

    assert (50 * 1.2**3 + 0.3 * (1 + 1.2 + 1.44)) == pytest.approx(x)
    assert (20 * 1.2**3 + 0.3 * (1 + 1.2 + 1.44)) == pytest.approx(y)
    assert 3 == layout.nearest_level(level.x + 50.0, level.y + 20.0)


def test_resize_puts_corners_on_corners() -> None:
    """The outermost pixels stay the outermost: nothing moves by half a pixel."""
    image = astronaut()

    smaller = pyramid.resize(image, 200, 150)

    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert np.array_equal(image[row, column], smaller[row, column])
