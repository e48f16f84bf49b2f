"""Pictures of faces for the tests: two public-domain portraits, and what is made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.frame import Frame, Image
from tests.needs import missing, shared

MOMENT = Moment(datetime(2026, 3, 4, 12, 0, tzinfo=UTC), 1000.0)


def astronaut() -> Image:
    """Eileen Collins (NASA), 512x512; one clear face, about 95 pixels wide."""
    return _portrait("skimage", "data/astronaut.png").copy()


def hopper() -> Image:
    """Grace Hopper (US Navy), 512x600; one clear face, about 165 pixels wide."""
    return _portrait("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").copy()


def portraits() -> dict[str, Image]:
    """Both, by name."""
    return {"astronaut": astronaut(), "hopper": hopper()}


def scaled(image: Image, factor: float) -> Image:
    """The picture `factor` times as wide and high."""
    smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=smooth), np.uint8)


def frame(image: Image) -> Frame:
    """The picture as a camera's frame."""
    return Frame(CameraId("door"), image, MOMENT, 0)


def read(path: Path) -> Image:
    """A picture file, (H, W, 3) blue-green-red."""
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)


def as_seen(image: Image) -> Image:
    """A small picture cut tightly around a face, with a rim and enlarged, as a camera sees it."""
    framed = cv2.copyMakeBorder(image, 20, 20, 20, 20, cv2.BORDER_REPLICATE)
    return scaled(np.asarray(framed, np.uint8), 2.2)


def people(data_set: str) -> list[Path]:
    """The folders of a shared data set, one per person."""
    return sorted(path for path in shared(f"data/{data_set}").iterdir() if path.is_dir())


def strange_pictures() -> Iterator[tuple[str, Image]]:
    """Pictures without a face, many of them of sizes that nobody thought of."""
    rng = np.random.default_rng(0)
    yield "blank", np.full((360, 640, 3), 127, np.uint8)
    yield "black", np.zeros((360, 640, 3), np.uint8)
    yield "noise", rng.integers(0, 256, (360, 640, 3), dtype=np.uint8)
    for height, width in ((1, 1), (2, 3), (9, 9), (31, 500), (33, 33), (1, 2000), (3000, 1),
                          (40, 3000), (3000, 40), (0, 7), (7, 0)):  # fmt: skip
        yield f"{height}x{width}", rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@cache
def _portrait(package: str, file: str) -> Image:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        missing(f"the package {package}, which carries a portrait, is not installed")
        raise AssertionError
    image = read(Path(spec.submodule_search_locations[0]) / file)
    image.flags.writeable = False
    return image
