"""The real models, loaded once, and dlib itself beside them."""

from dataclasses import dataclass
from typing import Any

import dlib
import numpy as np
import pytest

from postern.core.look import Box
from postern.frame import Image
from postern.vision.faces import load
from postern.vision.faces.detect import ConvolutionalDetector, YuNet
from postern.vision.faces.embed import Embedder
from postern.vision.faces.landmarks import Landmarks
from postern.vision.faces.recogniser import FaceRecogniser
from postern.vision.model import Models, open_session, read_manifest
from tests.needs import SHARED, shared
from tests.vision.faces.pictures import people, portraits, read

_YUNET = "models/yunet_n_dynamic.onnx"


@dataclass(frozen=True)
class Dlib:
    """dlib's own three models."""

    detector: Any
    landmarks: Any
    embedder: Any

    def points(self, image: Image, box: Box) -> Any:
        """Its landmarks in a box of whole pixels."""
        edges = (int(edge) for edge in (box.x0, box.y0, box.x1, box.y1))
        return self.landmarks(rgb(image), dlib.rectangle(*edges))

    def chip(self, image: Image, shape: Any) -> Image:
        """Its face chip, blue-green-red."""
        drawn = dlib.get_face_chip(rgb(image), shape, size=150, padding=0.25)
        return np.ascontiguousarray(drawn[..., ::-1])

    def vector(self, chip: Image) -> Any:
        """Its embedding of a chip, blue-green-red."""
        return np.array(self.embedder.compute_face_descriptor(rgb(chip)))


@dataclass(frozen=True)
class Found:
    """What dlib's detector found in a picture."""

    image: Image
    boxes: tuple[tuple[Box, float], ...]


def rgb(image: Image) -> Image:
    """The picture as dlib takes it."""
    return np.ascontiguousarray(image[..., ::-1])


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The installation's models, in a folder of this test run; with YuNet where it is shared."""
    found = Models(tmp_path_factory.mktemp("models"), read_manifest())
    if (SHARED / _YUNET).exists():
        found.import_file(SHARED / _YUNET)
    return found


@pytest.fixture(scope="session")
def peer(models: Models) -> Dlib:
    """dlib itself, on the same files."""
    return Dlib(
        dlib.cnn_face_detection_model_v1(str(models.path("face-detector-dlib"))),
        dlib.shape_predictor(str(models.path("face-landmarks-dlib"))),
        dlib.face_recognition_model_v1(str(models.path("face-embedder-dlib"))),
    )


@pytest.fixture(scope="session")
def found_by_dlib(peer: Dlib) -> dict[str, Found]:
    """What dlib's detector finds in the portraits."""
    return {name: _searched(peer, image) for name, image in portraits().items()}


@pytest.fixture(scope="session")
def found_in_lfw(peer: Dlib) -> dict[str, Found]:
    """What it finds in ten pictures of faces-lfw."""
    chosen = people("faces-lfw")[::600][:10]
    return {path.name: _searched(peer, read(path / "0.jpg")) for path in chosen}


@pytest.fixture(scope="session")
def convolutional(models: Models) -> ConvolutionalDetector:
    """Our detector on dlib's weights."""
    found = load.load_detector(models, "dlib")
    assert isinstance(found, ConvolutionalDetector)
    return found


@pytest.fixture(scope="session")
def finder(models: Models) -> Landmarks:
    """Our landmarks on dlib's trees."""
    return load.load_landmarks(models)


@pytest.fixture(scope="session")
def embedder(models: Models) -> Embedder:
    """Our embedder on dlib's weights."""
    return load.load_embedder(models)


@pytest.fixture(scope="session")
def yunet(models: Models) -> YuNet:
    """YuNet, where its pack is shared."""
    shared(_YUNET)
    return YuNet(open_session(models.read("yunet"), "yunet"))


@pytest.fixture(scope="session")
def by_yunet(models: Models) -> FaceRecogniser:
    """The whole recogniser with YuNet."""
    shared(_YUNET)
    return load.load_recogniser(models, "yunet")


@pytest.fixture(scope="session")
def by_dlib(models: Models) -> FaceRecogniser:
    """The whole recogniser with dlib's detector and landmarks."""
    return load.load_recogniser(models, "dlib")


def _searched(peer: Dlib, image: Image) -> Found:
    faces = peer.detector(rgb(image), 0)
    edges = [(face.rect.left(), face.rect.top(), face.rect.right(), face.rect.bottom())
             for face in faces]  # fmt: skip
    return Found(
        image,
        tuple((Box(*box), face.confidence) for box, face in zip(edges, faces, strict=True)),
    )
