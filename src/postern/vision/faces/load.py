"""The parts of the face recogniser, built from the models that are installed."""

from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from typing import Literal

import numpy as np

from postern.core.errors import Code, PosternError, invalid
from postern.vision.faces import dlib_graphs, landmarks
from postern.vision.faces.align import Aligner, LandmarkAligner
from postern.vision.faces.calibration import Calibration, from_json
from postern.vision.faces.cohort import Vectors
from postern.vision.faces.detect import ConvolutionalDetector, Detector, YuNet
from postern.vision.faces.dlib_file import read_layers, read_shape_predictor
from postern.vision.faces.embed import Embedder
from postern.vision.faces.landmarks import Landmarks
from postern.vision.faces.quality import Limits
from postern.vision.faces.recogniser import FaceRecogniser
from postern.vision.model import Models, open_session

DetectorName = Literal["yunet", "dlib"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A detector, what fits it, and the limits of its looks."""

    detector: Detector
    aligner: Aligner
    limits: Limits


def choose_detector(models: Models, wanted: str) -> DetectorName:
    """The detector to use: the one asked for or, for ``auto``, YuNet where its pack is there.

    Raises:
        PosternError: `invalid` for an unknown name; `not_found` where YuNet is wanted and absent.
    """
    if wanted == "auto":
        return "yunet" if models.present("yunet") else "dlib"
    if wanted == "dlib":
        return "dlib"
    if wanted != "yunet":
        raise invalid(f"There is no face detector called {wanted!r}.", "Use auto, yunet or dlib.")
    if not models.present("yunet"):
        raise PosternError(
            Code.NOT_FOUND,
            "The face detector yunet is not installed.",
            "Bring it with: postern models fetch yunet, or use the detector dlib.",
        )
    return "yunet"


def load_recogniser(models: Models, detector: DetectorName) -> FaceRecogniser:
    """The face recogniser with that detector.

    Raises:
        PosternError: `not_found` or `invalid` where a model is absent or not the right one.
    """
    gate = load_gate(models, detector)
    return FaceRecogniser(gate.detector, gate.aligner, load_embedder(models), gate.limits)


def load_gate(models: Models, detector: DetectorName) -> Gate:
    """What finds faces and judges them, and makes nothing of them.

    Raises:
        PosternError: As `load_recogniser`.
    """
    aligner = LandmarkAligner(load_landmarks(models))
    return Gate(load_detector(models, detector), aligner, limits_of(detector))


def limits_of(detector: DetectorName) -> Limits:
    """What a look must reach with that detector."""
    if detector == "yunet":
        return Limits()
    # dlib's landmark is the base of the nose, which lies lower than its tip. The last two limits
    # keep 95 % of faces-lfw and turn away 99 % of the profiles of faces-turning.
    return Limits(max_yaw=0.30, min_pitch=0.40, max_pitch=1.15, min_score=1.0, max_mirror=0.26)


def load_embedder(models: Models) -> Embedder:
    """The embedder; its graph is written on first use.

    Raises:
        PosternError: As `load_recogniser`.
    """
    graph = models.derive(
        "face-embedder",
        lambda: dlib_graphs.embedder(read_layers(models.read("face-embedder-dlib"))),
    )
    name = models.entry("face-embedder").sha256
    return Embedder(open_session(graph, "face-embedder"), name)


def load_calibration(detector: DetectorName) -> Calibration:
    """The shipped tables for that detector."""
    data = resources.files("postern.vision.faces").joinpath("data")
    return from_json(data.joinpath(f"calibration-{detector}.json").read_text("utf-8"))


def load_cohort(detector: DetectorName) -> Vectors:
    """The shipped cohort for that detector, (4000, 128) float32: vectors of nobody."""
    data = resources.files("postern.vision.faces").joinpath("data")
    return unpack_cohort(data.joinpath(f"cohort-{detector}.npy").read_bytes())


def pack_cohort(vectors: Vectors) -> bytes:
    """A cohort as int8, a row's largest value being 127, followed by the rows' scales."""
    scales = (np.abs(vectors).max(axis=1) / 127).astype(np.float32)
    out = BytesIO()
    np.save(out, np.rint(vectors / scales[:, None]).astype(np.int8), allow_pickle=False)
    np.save(out, scales, allow_pickle=False)
    return out.getvalue()


def unpack_cohort(data: bytes) -> Vectors:
    """The cohort that `pack_cohort` wrote."""
    source = BytesIO(data)
    rows = np.load(source, allow_pickle=False)
    scales = np.load(source, allow_pickle=False)
    vectors: Vectors = rows.astype(np.float32) * scales[:, None]
    return vectors


def load_detector(models: Models, detector: DetectorName) -> Detector:
    """A face detector; dlib's graph is written on first use.

    Raises:
        PosternError: As `load_recogniser`.
    """
    if detector == "yunet":
        return YuNet(open_session(models.read("yunet"), "yunet"))
    graph = models.derive(
        "face-detector",
        lambda: dlib_graphs.detector(read_layers(models.read("face-detector-dlib"))),
    )
    return ConvolutionalDetector(open_session(graph, "face-detector"))


def load_landmarks(models: Models) -> Landmarks:
    """dlib's five landmarks; its trees are written anew on first use.

    Raises:
        PosternError: As `load_recogniser`.
    """
    packed = models.derive(
        "face-landmarks",
        lambda: landmarks.pack(read_shape_predictor(models.read("face-landmarks-dlib"))),
    )
    return Landmarks(landmarks.unpack(packed))
