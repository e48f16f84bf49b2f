"""The five landmarks beside dlib's own."""

from collections.abc import Iterator

import numpy as np
import pytest

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces import landmarks
from postern.vision.faces.landmarks import Landmarks
from tests.vision.faces.conftest import Dlib, Found
from tests.vision.faces.pictures import hopper, people, portraits, read


def boxes_around(box: Box, count: int) -> Iterator[Box]:
    """The box, and others of whole pixels beside it, some of them over the picture's edge."""
    rng = np.random.default_rng(3)
    yield box
    for _ in range(count):
        side = int(box.width * rng.uniform(0.7, 1.6))
        x, y = (int(edge + rng.integers(-40, 41)) for edge in (box.x0, box.y0))
        yield Box(x, y, x + side, y + side)


def assert_where_dlib_puts_them(ours: Landmarks, peer: Dlib, image: Image, box: Box) -> None:
    theirs = np.array([(p.x, p.y) for p in peer.points(image, box).parts()], np.float64)
    # dlib rounds to whole pixels, so that half a pixel is what an exact copy reaches.
    assert np.abs(ours.find(image, box) - theirs).max() <= 0.5


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_landmarks_lie_where_dlib_puts_them(
    finder: Landmarks, peer: Dlib, found_by_dlib: dict[str, Found], name: str
) -> None:
    """In 60 boxes on and beside a face, every point rounds to dlib's."""
    box = found_by_dlib[name].boxes[0][0]

    for other in boxes_around(box, 59):
        assert_where_dlib_puts_them(finder, peer, portraits()[name], other)


def test_landmarks_lie_where_dlib_puts_them_in_the_wild(finder: Landmarks, peer: Dlib) -> None:
    """The same holds in 100 pictures of faces-lfw."""
    for path in people("faces-lfw")[::57][:100]:
        assert_where_dlib_puts_them(finder, peer, read(path / "0.jpg"), Box(47, 47, 142, 142))


def test_landmarks_are_finite_when_the_box_lies_outside_the_picture(finder: Landmarks) -> None:
    """Where the picture ends there is nothing to see, which is no error."""
    found = finder.find(hopper(), Box(-900.5, -900.5, -800.5, -800.5))

    assert (5, 2) == found.shape
    assert np.isfinite(found).all()


def test_unpack_gives_what_pack_took(finder: Landmarks) -> None:
    """The predictor survives being written, to the last bit."""
    predictor = finder._trees
    again = landmarks.unpack(landmarks.pack(predictor))

    for name in ("initial", "anchors", "deltas", "splits", "thresholds", "leaves"):
        before, after = getattr(predictor, name), getattr(again, name)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after), name
