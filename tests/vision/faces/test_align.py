"""Face chips beside dlib's own, at every scale, and alignment by a detector's points."""

from typing import Any

import dlib
import numpy as np
import numpy.typing as npt
import pytest

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces import align
from postern.vision.faces.align import CHIP, LandmarkAligner
from postern.vision.faces.detect import Face, YuNet
from postern.vision.faces.embed import Embedder
from postern.vision.faces.landmarks import Landmarks
from tests.vision.faces.conftest import Dlib, Found
from tests.vision.faces.pictures import hopper, portraits, scaled

#: Grey levels. dlib cuts off what OpenCV rounds, so that an exact copy still differs by one.
_ONE = 1


def apart(peer: Dlib, image: Image, box: Box) -> npt.NDArray[np.int64]:
    """How far our chip and dlib's, made of the same landmarks, lie apart in grey levels."""
    shape = peer.points(image, box)
    points = np.array([(p.x, p.y) for p in shape.parts()], np.float32)
    theirs, ours = peer.chip(image, shape), align.chip(image, points)
    assert (CHIP, CHIP, 3) == ours.shape
    return np.asarray(np.abs(theirs.astype(int) - ours.astype(int)))


def dlib_shape(points: npt.NDArray[np.int64]) -> Any:
    """The points as dlib's own landmarks; the box plays no part in a chip."""
    parts = dlib.points([dlib.point(int(x), int(y)) for x, y in points])
    return dlib.full_object_detection(dlib.rectangle(0, 0, 10, 10), parts)


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.3, 1.7, 2.0, 2.5, 3.0, 4.0, 6.0, 7.3])
@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_chip_is_dlibs(
    peer: Dlib, found_by_dlib: dict[str, Found], name: str, factor: float
) -> None:
    """Every pixel is within one grey level, for faces of 58 to 1,200 pixels."""
    box = found_by_dlib[name].boxes[0][0]
    large = Box(*(int(edge * factor) for edge in edges(box)))

    assert apart(peer, scaled(portraits()[name], factor), large).max() <= _ONE


@pytest.mark.parametrize("factor", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_chip_is_dlibs_when_the_camera_is_turned(
    peer: Dlib, found_by_dlib: dict[str, Found], turn: int, factor: float
) -> None:
    """A camera on its side or on its head changes nothing, neither here nor there."""
    box = found_by_dlib["hopper"].boxes[0][0]
    image = scaled(hopper(), factor)
    shape = peer.points(image, Box(*(int(factor * edge) for edge in edges(box))))
    points = np.array([(p.x, p.y) for p in shape.parts()], np.int64)
    for _ in range(turn):  # As np.rot90 turns: to the right edge's distance.
        points = np.stack([points[:, 1], image.shape[1] - 1 - points[:, 0]], axis=1)
        image = np.rot90(image).copy()

    theirs = peer.chip(image, dlib_shape(points))
    ours = align.chip(image, points.astype(np.float32))

    assert np.abs(theirs.astype(int) - ours.astype(int)).max() <= _ONE


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_chip_is_dlibs_when_the_face_is_cut(
    peer: Dlib, found_by_dlib: dict[str, Found], factor: float
) -> None:
    """At the picture's edge too, but for the one line of pixels that OpenCV fades out."""
    box = found_by_dlib["hopper"].boxes[0][0]
    large = scaled(hopper(), factor)
    shape = peer.points(large, Box(*(int(factor * edge) for edge in edges(box))))
    points = np.array([(p.x, p.y) for p in shape.parts()], np.int64)
    left = int(points[:, 0].min())
    cut, points = large[:, left:].copy(), points - np.array([left, 0])

    theirs = peer.chip(cut, dlib_shape(points))
    ours = align.chip(cut, points.astype(np.float32))

    wrong = np.abs(theirs.astype(int) - ours.astype(int)).max(axis=2) > _ONE
    assert (ours == 0).all(axis=2).mean() > 0.1
    assert wrong.sum() <= 3 * CHIP


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_chip_is_black_where_the_picture_ends(factor: float) -> None:
    """A face outside the picture shows nothing, near or far, halved or not."""
    far = np.array([[960, 0], [940, 0], [880, 0], [900, 0], [920, 40]], np.float32) * factor
    white = np.full((300, 300, 3), 255, np.uint8)

    assert not align.chip(white, far).any()


def test_aligner_tells_how_much_of_the_face_the_picture_shows(
    yunet: YuNet, finder: Landmarks
) -> None:
    """All of it in a portrait; less the more is cut away, whatever box the detector draws."""
    [face] = yunet.faces(hopper())
    shown = []
    for cut in (0, int(face.box.x0), int(face.box.x0 + 0.3 * face.box.width)):
        picture = hopper()[:, cut:].copy()
        [found] = yunet.faces(picture)
        whole = Box(face.box.x0 - cut, face.box.y0, face.box.x1 - cut, face.box.y1)
        by_landmarks = LandmarkAligner(finder).align(picture, Face(whole, 1.0, None))
        by_points = LandmarkAligner(finder).align(picture, found)
        shown.append((by_points.inside, by_landmarks.inside))

    assert [(1.0, 1.0), (1.0, 1.0)] == shown[:2]
    assert max(shown[2]) < 0.9


def test_extract_is_black_for_a_face_without_extent() -> None:
    """Landmarks in one place are no face, and no error either."""
    assert not align.chip(hopper(), np.full((5, 2), 30, np.float32)).any()


def test_aligner_says_how_a_face_stands_by_the_detectors_points(finder: Landmarks) -> None:
    """Points that say that the head is turned are believed, whatever the landmarks fit."""
    turned = np.array([[20, 30], [40, 30], [48, 42], [24, 52], [40, 52]], np.float32)

    aligned = LandmarkAligner(finder).align(hopper(), Face(Box(10, 10, 60, 60), 0.9, turned))

    assert 20.0 == aligned.geometry.eyes_px
    assert 0.9 == pytest.approx(aligned.geometry.yaw)


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
def test_aligner_agrees_for_both_detectors(
    yunet: YuNet,
    finder: Landmarks,
    embedder: Embedder,
    found_by_dlib: dict[str, Found],
    name: str,
) -> None:
    """Both bring a face to the same place and size: the chips embed as looks of one person."""
    image = portraits()[name]
    [face] = yunet.faces(image)
    by_points = LandmarkAligner(finder).align(image, face)
    framed = Face(found_by_dlib[name].boxes[0][0], 1.0, None)
    by_landmarks = LandmarkAligner(finder).align(image, framed)

    vectors = embedder.vectors(np.stack([by_points.chip, by_landmarks.chip]))

    assert 0.9 < by_points.geometry.eyes_px / by_landmarks.geometry.eyes_px < 1.1
    assert abs(by_points.geometry.yaw) < 0.1
    assert abs(by_landmarks.geometry.yaw) < 0.1
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.3


def test_similarity_finds_what_moved_the_points() -> None:
    """A turn, a scale and a shift come back, and a slow solution of the same equations agrees."""
    rng = np.random.default_rng(1)
    source = rng.normal(size=(5, 2))
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])

    found = align.similarity(source, source @ turn.T + [3.0, -2.0])

    assert found == pytest.approx(np.column_stack([turn, [3.0, -2.0]]))

    target = rng.normal(size=(5, 2))
    rows = [[x, -y, 1, 0] for x, y in source] + [[y, x, 0, 1] for x, y in source]
    a, b, dx, dy = np.linalg.lstsq(np.array(rows), target.T.ravel(), rcond=None)[0]

    assert align.similarity(source, target) == pytest.approx(np.array([[a, -b, dx], [b, a, dy]]))
