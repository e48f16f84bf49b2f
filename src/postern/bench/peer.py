"""Runs in the peers' own environment: answers timing requests of `postern.bench.peers`, one a line.

It imports nothing of Postern. A request names a case and a file of arrays; the answer is how long
the peer took, in seconds, and a short result that shows that it did the work.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Case = Callable[[Any], str]


def dlib_embedder() -> Case:
    """dlib's own embedder on a chip that is aligned already."""
    import dlib  # noqa: PLC0415 - present in this environment alone
    import face_recognition_models as models  # noqa: PLC0415

    model = dlib.face_recognition_model_v1(models.face_recognition_model_location())
    return lambda chip: f"{np.linalg.norm(np.array(model.compute_face_descriptor(chip))):.4f}"


def dlib_detector() -> Case:
    """dlib's own convolutional detector."""
    import dlib  # noqa: PLC0415
    import face_recognition_models as models  # noqa: PLC0415

    model = dlib.cnn_face_detection_model_v1(models.cnn_face_detector_model_location())
    return lambda image: str(len(model(image, 0)))


def face_recognition_hog() -> Case:
    """The face_recognition package as its documentation begins: detect with HOG, then encode."""
    import face_recognition  # noqa: PLC0415

    return lambda image: str(len(face_recognition.face_encodings(image)))


def face_recognition_cnn() -> Case:
    """The face_recognition package with its convolutional detector."""
    import face_recognition  # noqa: PLC0415

    def encode(image: Any) -> str:  # noqa: ANN401
        boxes = face_recognition.face_locations(image, number_of_times_to_upsample=0, model="cnn")
        return str(len(face_recognition.face_encodings(image, boxes)))

    return encode


def rapidocr() -> Case:
    """The rapidocr package called on the whole picture, with one thread."""
    from rapidocr import RapidOCR  # noqa: PLC0415

    one = {
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Global.log_level": "error",
    }
    engine = RapidOCR(params=one)

    def read(image: Any) -> str:  # noqa: ANN401
        found: Any = engine(np.ascontiguousarray(image[:, :, ::-1]))
        return " ".join(found.txts or ())

    return read


CASES: dict[str, Callable[[], Case]] = {
    "dlib_embedder": dlib_embedder,
    "dlib_detector": dlib_detector,
    "face_recognition_hog": face_recognition_hog,
    "face_recognition_cnn": face_recognition_cnn,
    "rapidocr": rapidocr,
}


def main() -> None:
    """Answers requests until standard input ends."""
    ready: dict[str, Case] = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["case"]
        if name not in ready:
            ready[name] = CASES[name]()
        image = np.load(request["image"])
        begun = time.perf_counter()
        result = ready[name](image)
        seconds = time.perf_counter() - begun
        sys.stdout.write(json.dumps({"seconds": seconds, "result": result}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
