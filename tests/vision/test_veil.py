"""A live picture in which nobody can be recognised and no plate can be read."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from postern.cli.demo.barrier import Visit, write_barrier_clip
from postern.cli.demo.clip import still
from postern.cli.demo.door import Portrait, enrolment_frames
from postern.core.look import Box
from postern.frame import Image
from postern.picture import decode
from postern.vision.faces.detect import Detector, Face
from postern.vision.faces.load import load_detector
from postern.vision.model import Models, read_manifest
from postern.vision.plates.recogniser import PlateRecogniser
from postern.vision.plates.recogniser import load as load_plates
from postern.vision.veil import HELD_S, POINTS, SHOWN, Veil
from tests.vision.faces.pictures import MOMENT, hopper


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Those that are built in."""
    return Models(tmp_path_factory.mktemp("models"), read_manifest())


@pytest.fixture(scope="module")
def detector(models: Models) -> Detector:
    """dlib's detector."""
    return load_detector(models, "dlib")


class Blind:
    """A detector that finds nobody."""

    def faces(self, image: Image) -> tuple[Face, ...]:
        return ()


def detail(image: Image) -> float:
    """How much of a picture differs from one point to the next, in grey levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


@pytest.mark.parametrize("portrait", Portrait)
def test_no_face_is_left_in_the_picture(portrait: Portrait, detector: Detector) -> None:
    """What was there is gone, and no detector finds a face any more, at either size."""
    for image in enrolment_frames(portrait, seed=3):
        (face,) = detector.faces(image)
        picture = Veil(detector).shown(image, MOMENT)
        x0, y0, x1, y1 = (round(v) for v in (face.box.x0, face.box.y0, face.box.x1, face.box.y1))
        was, now = image[y0:y1, x0:x1], picture[y0:y1, x0:x1]

        assert detail(now) < detail(was) / 4
        assert np.abs(now.astype(int) - was).mean() > 15
        assert () == detector.faces(picture)
        assert () == detector.faces(np.asarray(cv2.resize(picture, None, fx=2, fy=2), np.uint8))


def test_several_faces_and_those_in_the_background_are_covered(detector: Detector) -> None:
    """Not only that of whoever is nearest."""
    near, far = hopper(), cv2.resize(hopper(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    image = np.full((600, 800, 3), 120, np.uint8)
    image[:, :512] = near[:600]
    image[300:, 520:776] = far[:300, :256]
    assert 2 == len(detector.faces(image))

    assert () == detector.faces(Veil(detector).shown(image, MOMENT))


def test_face_stays_covered_where_the_detector_misses_it(detector: Detector) -> None:
    """For a while; then what is there is somebody else's place."""
    image = enrolment_frames(Portrait.COLLINS, seed=3)[0]
    (face,) = detector.faces(image)
    once = Once(detector)
    veil = Veil(once)
    covered = veil.shown(image, MOMENT)
    missed = veil.shown(image, MOMENT.plus(HELD_S))
    later = veil.shown(image, MOMENT.plus(HELD_S + 0.1))

    assert np.array_equal(covered, missed)
    assert not np.array_equal(covered, later)
    assert face.box.width > 0


class Once:
    """A detector that finds faces in the first picture only."""

    def __init__(self, detector: Detector) -> None:
        self._detector: Detector = detector

    def faces(self, image: Image) -> tuple[Face, ...]:
        found, self._detector = self._detector.faces(image), Blind()
        return found


def test_what_no_detector_finds_is_too_coarse_to_be_somebody(detector: Detector) -> None:
    """All of the picture, also where nobody was found."""
    image = enrolment_frames(Portrait.COLLINS, seed=3)[4]
    picture = Veil(Blind()).shown(image, MOMENT)

    assert (360, SHOWN, 3) == picture.shape
    few = cv2.resize(picture, (POINTS, 72), interpolation=cv2.INTER_AREA)
    again = cv2.resize(few, (SHOWN, 360), interpolation=cv2.INTER_LINEAR)
    assert np.abs(again.astype(int) - picture).mean() < 3.0
    assert detail(picture) < detail(image) / 4


def test_plate_that_is_named_cannot_be_read(models: Models, tmp_path: Path) -> None:
    """Nor found, where it was good before."""
    plates: PlateRecogniser = load_plates(models)
    image = _barrier(tmp_path)
    (plate,) = plates.plates(image)
    assert "KAMP417" == plates.text(plate.slots)
    x, y = plate.line.centre
    box = Box(x - plate.line.width / 2, y - 20, x + plate.line.width / 2, y + 20)

    assert () == plates.plates(Veil(Blind()).shown(image, MOMENT, [box]))


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000), (1080, 1920)])
def test_any_picture_can_be_shown(size: tuple[int, int]) -> None:
    """And any box, also one outside it."""
    image = np.zeros((*size, 3), np.uint8)
    boxes = [Box(-50, -50, -10, -10), Box(1e6, 0, 2e6, 10), Box(0, 0, 1e-3, 1e-3)]

    assert SHOWN == Veil(Blind()).shown(image, MOMENT, boxes).shape[1]


def _barrier(folder: Path) -> Image:
    write_barrier_clip(folder / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    return decode(still(folder / "barrier.mp4", 2.0))
