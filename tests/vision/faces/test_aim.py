"""What a camera shows of a face: the very flaws of the recogniser, and what to do."""

from typing import Any

import cv2
import numpy as np
import pytest

from postern.cli.demo.door import Portrait, enrolment_frames
from postern.core.look import Flaw
from postern.frame import Image
from postern.vision.faces import load
from postern.vision.faces.aim import FaceAim
from postern.vision.faces.load import DetectorName
from postern.vision.faces.recogniser import FaceRecogniser
from postern.vision.model import Models
from tests.needs import shared
from tests.vision.faces.conftest import _YUNET
from tests.vision.faces.pictures import astronaut, frame, hopper, scaled


def aim_of(models: Models, detector: DetectorName) -> FaceAim:
    """What measures with that detector."""
    if detector == "yunet":
        shared(_YUNET)
    gate = load.load_gate(models, detector)
    return FaceAim(gate.detector, gate.aligner, gate.limits)


def turned_down(image: Image, gain: float) -> Image:
    """The picture with less or more light."""
    return np.asarray(np.clip(image.astype(np.float32) * gain, 0, 255), np.uint8)


def pictures() -> list[Image]:
    """Faces large and small, soft, dark, bright, cut, side by side; and nobody."""
    clear, wide = astronaut(), hopper()
    found = [scaled(clear, factor) for factor in (0.2, 0.3, 1.6)]
    found += [np.asarray(cv2.GaussianBlur(clear, (0, 0), s), np.uint8) for s in (3, 5, 7)]
    found += [turned_down(clear, gain) for gain in (0.06, 0.12, 1.5, 2.5)]
    found += [np.ascontiguousarray(wide[:, 225:]), np.ascontiguousarray(clear[100:])]
    found += [np.hstack([clear, clear]), np.zeros((240, 320, 3), np.uint8), wide]
    return found + enrolment_frames(Portrait.COLLINS, seed=3)[:3]


@pytest.mark.parametrize("detector", ["dlib", "yunet"])
def test_good_is_what_the_recogniser_takes(
    models: Models, detector: DetectorName, request: pytest.FixtureRequest
) -> None:
    """Face by face and flaw by flaw; but for what dlib's gate asks of a face's mirror image, which
    takes a vector."""
    aim = aim_of(models, detector)
    recogniser: FaceRecogniser = request.getfixturevalue(f"by_{detector}")
    seen: set[Flaw] = set()
    for image in pictures():
        sightings, targets = recogniser.sightings(frame(image)), aim.targets(image)
        assert [one.look.box for one in sightings] == [one.box for one in targets]
        for sighting, target in zip(sightings, targets, strict=True):
            found = set(sighting.look.flaws)
            if target.good and detector == "dlib":
                found -= {Flaw.TURNED_AWAY}
            assert found == set(target.flaws), target
            seen |= found

    lacking = {Flaw.SEVERAL_FACES, Flaw.CLIPPED, Flaw.BLURRED, Flaw.TOO_DARK, Flaw.TOO_BRIGHT}
    assert lacking <= seen


def test_size_is_told_in_pixels_and_falls_with_the_face(models: Models) -> None:
    """With what is needed by the recogniser's own limits."""
    gate = load.load_gate(models, "dlib")
    aim = FaceAim(gate.detector, gate.aligner, gate.limits)
    sizes = [aim.targets(scaled(astronaut(), factor))[0].size_px for factor in (2.0, 1.5, 1.0)]

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] / sizes[2] == pytest.approx(2.0, rel=0.1)
    first = aim.targets(astronaut())[0].measures[0]
    assert ("between the eyes", gate.limits.min_eyes_px) == (first.name, first.least)


def test_small_face_is_told_how_many_pixels_it_lacks(models: Models) -> None:
    """With the detector that finds it at all."""
    (target,) = aim_of(models, "yunet").targets(scaled(astronaut(), 0.3))

    assert target.advice.startswith("Move the camera closer, or zoom in: between the eyes ")
    assert target.advice.endswith("pixels, at least 20 pixels needed.")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda image: turned_down(image, 0.12), "Put a lamp before the face"),
        (lambda image: turned_down(image, 1.5), "Keep sun and lamps off"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 3), "Focus the camera"),
        (lambda image: np.hstack([image, image]), "one person at a time"),
    ],
)
def test_advice_says_what_to_do(models: Models, spoil: Any, said: str) -> None:
    """For what is most in the way; a clear face needs none."""
    aim = aim_of(models, "dlib")
    image = np.asarray(spoil(astronaut()), np.uint8)

    assert "" == aim.targets(astronaut())[0].advice
    assert said in " ".join(m.advice for m in aim.targets(image)[0].measures)


def test_glare_is_told(models: Models) -> None:
    """As the share of pixels that show nothing any more."""
    aim = aim_of(models, "dlib")

    def glare(image: Image) -> float:
        return next(m.value for m in aim.targets(image)[0].measures if m.name == "in glare")

    assert glare(astronaut()) < 5.0 < glare(turned_down(astronaut(), 1.8))
