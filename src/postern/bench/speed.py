"""The speed cases: what is timed beside which peer, on which pictures."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from postern.bench.peers import Case
from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.frame import Frame, Image
from postern.vision.faces.align import chip
from postern.vision.faces.load import (
    DetectorName,
    load_detector,
    load_embedder,
    load_landmarks,
    load_recogniser,
)
from postern.vision.model import Models
from postern.vision.plates.evaluate import labels, picture
from postern.vision.plates.recogniser import PlateRecogniser

#: Turns of each side; the slow peers take a second and more.
_MANY, _FEW = 60, 15


def face_cases(models: Models, scenes: Sequence[Image], at: Moment) -> Iterator[Case]:
    """The face cases.

    Args:
        models: The models; the YuNet case is left out where its pack is absent.
        scenes: Pictures of 640x360 with one face each, blue-green-red.
        at: Any moment; the frames need one.
    """
    scenes_rgb = [np.ascontiguousarray(scene[:, :, ::-1]) for scene in scenes]
    chips = [_chip(models, scene) for scene in scenes]
    chips_rgb = [np.ascontiguousarray(one[:, :, ::-1]) for one in chips]
    embedder, detector = load_embedder(models), load_detector(models, "dlib")
    yield Case(
        "face embedder, one chip", lambda image: embedder.vectors(image[None]),
        "dlib_embedder", chips, chips_rgb, _MANY, target=15.0,
    )  # fmt: skip
    yield Case(
        "built-in face detector, 640x360", detector.faces,
        "dlib_detector", scenes, scenes_rgb, _FEW, target=12.0,
    )  # fmt: skip
    if models.present("yunet"):
        look = _look(models, "yunet", at)
        yield Case(
            "whole face look with YuNet, 640x360, beside face_recognition with HOG", look,
            "face_recognition_hog", scenes, scenes_rgb, _MANY, target=5.0, limit_ms=12.0,
        )  # fmt: skip
    yield Case(
        "whole face look built in, 640x360, beside face_recognition with its CNN",
        _look(models, "dlib", at),
        "face_recognition_cnn", scenes, scenes_rgb, _FEW, target=10.0, limit_ms=90.0,
    )  # fmt: skip


def plate_case(recogniser: PlateRecogniser, folder: Path, every: int) -> Case:
    """The plate case, on every n-th photograph of plates-openalpr.

    Args:
        recogniser: Reads plates.
        folder: With ``us``, ``br`` and their listings.
        every: Which photographs.
    """
    chosen = [one for subset in ("us", "br")
              for one in labels(folder / subset, folder / f"{subset}.jsonl")][::every]  # fmt: skip
    images = [picture(one) for one in chosen]
    rgb = [np.ascontiguousarray(image[:, :, ::-1]) for image in images]
    return Case(
        "plates, whole photograph", recogniser.plates, "rapidocr", images, rgb, len(images),
        target=2.0,
    )  # fmt: skip


def _look(models: Models, detector: DetectorName, at: Moment) -> Callable[[Image], object]:
    recogniser = load_recogniser(models, detector)
    return lambda image: recogniser.sightings(Frame(CameraId("bench"), image, at, 0))


def _chip(models: Models, scene: Image) -> Image:
    """The chip that dlib itself would embed."""
    face = load_detector(models, "dlib").faces(scene)[0]
    found = load_landmarks(models).find(scene, face.box)
    return np.ascontiguousarray(chip(scene, found))
