"""Both detectors: dlib's beside dlib itself, YuNet on the portraits, and pictures without faces."""

import cv2
import numpy as np
import pytest

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces.detect import ConvolutionalDetector, Detector, Face, YuNet, suppress
from postern.vision.faces.quality import geometry
from postern.vision.model import Models, open_session
from tests.vision.faces.conftest import Found
from tests.vision.faces.pictures import hopper, portraits, scaled, strange_pictures

#: Pixels. dlib rounds to whole ones; the other half is for what the two pyramids' resizing makes
#: of the score next door. One and a half was asked for.
_APART_PX = 0.75


def assert_finds_the_same(ours: Detector, theirs: dict[str, Found]) -> None:
    for name, found in theirs.items():
        faces = ours.faces(found.image)
        assert len(found.boxes) == len(faces), name
        for (box, score), face in zip(found.boxes, faces, strict=True):
            assert face.score == pytest.approx(score, abs=1e-3), name
            assert edges(face.box) == pytest.approx(edges(box), abs=_APART_PX), name


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


@pytest.fixture(params=["yunet", "convolutional"])
def detector(request: pytest.FixtureRequest) -> Detector:
    found: Detector = request.getfixturevalue(request.param)
    return found


def test_convolutional_finds_what_dlib_finds_in_portraits(
    convolutional: ConvolutionalDetector, found_by_dlib: dict[str, Found]
) -> None:
    """Scores are dlib's to a thousandth and boxes to less than a pixel, at several scales."""

    assert_finds_the_same(convolutional, found_by_dlib)


def test_convolutional_finds_what_dlib_finds_in_the_wild(
    convolutional: ConvolutionalDetector, found_in_lfw: dict[str, Found]
) -> None:
    """The same holds for pictures of faces-lfw."""

    assert_finds_the_same(convolutional, found_in_lfw)


def test_large_picture_takes_no_more_than_a_small_one(detector: Detector) -> None:
    """A camera of 4K is searched at a fixed size: what it takes would grow with its pixels."""
    small = np.zeros((540, 960, 3), np.uint8)
    small[100:440, 300:640] = cv2.resize(portraits()["astronaut"], (340, 340))
    large = cv2.resize(small, (3840, 2160), interpolation=cv2.INTER_NEAREST)

    [found], [larger] = detector.faces(small), detector.faces(np.asarray(large, np.uint8))

    assert larger.score == pytest.approx(found.score, abs=0.05)
    assert edges(larger.box) == pytest.approx([4 * edge for edge in edges(found.box)], abs=12.0)


@pytest.mark.parametrize(("name", "picture"), list(strange_pictures()))
def test_detectors_find_nothing_where_nobody_is(
    detector: Detector, name: str, picture: Image
) -> None:
    """Blank, noisy, tiny and very long pictures hold no face, and none of them is an error."""

    assert () == detector.faces(picture), name


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_detectors_find_the_face_of_a_portrait(detector: Detector, name: str) -> None:
    """There is exactly one, in the same place for both of them."""
    middle = {"astronaut": (224, 115), "hopper": (252, 195)}[name]

    [face] = detector.faces(portraits()[name])

    assert face.box.x0 < middle[0] < face.box.x1
    assert face.box.y0 < middle[1] < face.box.y1
    assert 80 < face.box.width < 200


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_yunet_orders_its_points_as_documented(yunet: YuNet, name: str) -> None:
    """Eyes and mouth corners come left before right as the picture shows them, the nose between."""
    [face] = yunet.faces(portraits()[name])
    assert face.points is not None
    left_eye, right_eye, nose, left_mouth, right_mouth = face.points

    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert 0.3 < geometry(left_eye, right_eye, nose).pitch < 0.95


def test_yunet_orders_its_points_as_documented_when_mirrored(yunet: YuNet) -> None:
    """Left is the picture's left, whoever's eye that is."""
    [face] = yunet.faces(np.ascontiguousarray(hopper()[:, ::-1]))
    assert face.points is not None

    assert face.points[0, 0] < face.points[1, 0]
    assert face.points[3, 0] < face.points[4, 0]


def test_yunet_places_faces_alike_at_every_size(models: Models, yunet: YuNet) -> None:
    """Box and points are in pixels of the picture given, whatever size it is searched at."""
    [face] = yunet.faces(hopper())
    session = open_session(models.read("yunet"), "yunet")
    coarse = YuNet(session, max_side=320)
    larger = scaled(hopper(), 2.5)

    for found, factor in ((coarse.faces(hopper()), 1.0), (yunet.faces(larger), 2.5)):
        [other] = found
        assert other.points is not None
        assert face.points is not None
        tolerance = 0.05 * face.box.width
        assert np.divide(edges(other.box), factor) == pytest.approx(edges(face.box), abs=tolerance)
        assert other.points / factor == pytest.approx(face.points, abs=tolerance)


def test_detectors_give_the_same_for_the_same(detector: Detector) -> None:
    """A recorded attempt can be looked at again."""
    first, second = (detector.faces(hopper()) for _ in range(2))

    assert [(face.box, face.score) for face in first] == [(f.box, f.score) for f in second]


def test_suppress_keeps_the_surest_of_those_that_overlap() -> None:
    """Two boxes on one face are one face; a face beside it stays."""
    sure = Face(Box(0, 0, 100, 100), 0.9, None)
    same = Face(Box(10, 0, 110, 100), 0.8, None)
    beside = Face(Box(200, 0, 300, 100), 0.5, None)

    assert (sure, beside) == suppress([beside, same, sure], 0.3)
