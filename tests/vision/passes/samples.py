"""A pass's text, and pictures that it is held up in."""

import cv2
import numpy as np

from postern.bench.pass_reading import sample
from postern.bench.pass_scenes import Camera, Held, picture
from postern.core.ids import CameraId
from postern.frame import Frame, Image
from postern.vault.passes import PREFIX
from postern.vision.passes.symbol import symbol
from tests.people import moment

TEXT = sample()
OTHER = PREFIX + "0" * 100
CAMERA = Camera(1280, 720)


def crowd(count: int = 6) -> list[Image]:
    """Blots of colour that stand in for portraits."""
    random = np.random.default_rng(8)
    coarse = random.integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    return [
        np.asarray(cv2.resize(one, (190, 190), interpolation=cv2.INTER_CUBIC), np.uint8)
        for one in coarse
    ]


def shown(text: str = TEXT, seed: int = 1, cm: float = 9.7, away_cm: float = 35.0) -> Image:
    """A picture of a pass of so many centimetres so far away."""
    random = np.random.default_rng(seed)
    return picture(random, CAMERA, symbol(text).modules, Held(cm, away_cm), crowd())


def drawn(text: str, module: int = 4) -> Image:
    """A code as it is, (H, W, 3)."""
    grey = np.where(symbol(text).modules, 0, 255).astype(np.uint8)
    flat = grey.repeat(module, 0).repeat(module, 1)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_GRAY2BGR), np.uint8)


def frame(image: Image) -> Frame:
    """A picture of the door's camera."""
    return Frame(CameraId("door-camera"), image, moment(3.0), 7)
