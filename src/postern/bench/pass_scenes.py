"""Drawn pictures of a pass held up beside a face, as a door's camera would see them.

A pinhole camera, a flat pass at a known distance, and what spoils pictures: slant, turn, blur, weak
contrast, a patch of glare, noise and JPEG. What is not drawn: a rolling shutter, and the pattern
that a screen's pixels and a sensor's make together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from postern.frame import Image

Floats = npt.NDArray[np.float32]

#: Degrees across the picture of a usual door camera.
VIEW_DEG = 70.0
#: Degrees: how far a pass leans away, about any axis, and how far it is turned, at most.
MAX_TILT, MAX_TURN = 35.0, 30.0
#: Grey levels of dark and light modules; deviation of the noise; quality of the JPEG.
DARK, LIGHT, NOISE, QUALITY = (5.0, 45.0), (140.0, 235.0), 3.0, 60
#: Pixels: deviation of the blur.
BLUR = (0.4, 1.1)
#: Grey levels that the patch of glare adds in its middle, and its deviation in widths of the pass.
GLARE, GLARE_SIZE = (40.0, 110.0), 0.1
#: Centimetres: a head with its surroundings, and how far behind the pass it is.
_HEAD_CM, _BEHIND_CM = 22.0, 20.0
#: Pixels of the drawing for each module, and for each pixel of the picture.
_FINE, _OVERSAMPLED = 8, 4


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera's picture.

    Attributes:
        width: Pixels.
        height: Pixels.
    """

    width: int
    height: int

    @property
    def focal(self) -> float:
        """Pixels that a centimetre takes at a distance of a centimetre."""
        return float(self.width / 2 / np.tan(np.radians(VIEW_DEG / 2)))


@dataclass(frozen=True, slots=True)
class Held:
    """How a pass is held.

    Attributes:
        width_cm: Of the code, quiet zone included.
        distance_cm: From the camera.
        beside: Whether it is held beside the face, or in the middle.
    """

    width_cm: float
    distance_cm: float
    beside: bool = True


def backdrop(random: np.random.Generator, camera: Camera, pictures: Sequence[Image]) -> Floats:
    """A place full of other things: pictures at random sizes, (H, W, 3), grey levels."""
    size = (camera.width, camera.height)
    scene = cv2.resize(_any(random, pictures), size, interpolation=cv2.INTER_CUBIC)
    for _ in range(3):
        side = int(random.integers(camera.height // 6, camera.height // 3))
        x, y = random.integers(0, camera.width - side), random.integers(0, camera.height - side)
        small = cv2.resize(_any(random, pictures), (side, side), interpolation=cv2.INTER_AREA)
        scene[y : y + side, x : x + side] = small
    return scene.astype(np.float32)


def picture(
    random: np.random.Generator,
    camera: Camera,
    modules: npt.NDArray[np.bool_],
    held: Held,
    portraits: Sequence[Image],
) -> Image:
    """A face and a pass before the camera, (H, W, 3), uint8, blue-green-red.

    Args:
        random: Decides how the pass leans, what spoils the picture, and whose face it is.
        camera: Takes it.
        modules: (n, n), true where the code is dark, quiet zone included.
        held: Where the pass is.
        portraits: Faces; backgrounds are made of them, too.
    """
    scene = backdrop(random, camera, portraits)
    _put_face(random, scene, camera, held, portraits)
    _put_pass(random, scene, _corners(random, camera, held), modules)
    return develop(random, scene)


def develop(random: np.random.Generator, scene: Floats) -> Image:
    """What the camera makes of a scene: blurred, noisy, compressed."""
    soft = cv2.GaussianBlur(scene, (0, 0), random.uniform(*BLUR))
    soft = soft + random.normal(0.0, NOISE, scene.shape).astype(np.float32)
    exposed = np.clip(soft, 0.0, 255.0).astype(np.uint8)
    _, data = cv2.imencode(".jpg", exposed, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _any(random: np.random.Generator, pictures: Sequence[Image]) -> Image:
    return pictures[int(random.integers(len(pictures)))]


def _put_face(
    random: np.random.Generator,
    scene: Floats,
    camera: Camera,
    held: Held,
    portraits: Sequence[Image],
) -> None:
    side = int(_HEAD_CM * camera.focal / (held.distance_cm + _BEHIND_CM))
    face = cv2.resize(_any(random, portraits), (side, side), interpolation=cv2.INTER_CUBIC)
    x, y = camera.width // 4 - side // 2, camera.height // 2 - side // 2
    left, top = max(x, 0), max(y, 0)
    shown = face[top - y :, left - x :][: camera.height - top, : camera.width - left]
    scene[top : top + shown.shape[0], left : left + shown.shape[1]] = shown


def _corners(random: np.random.Generator, camera: Camera, held: Held) -> npt.NDArray[np.float64]:
    """Where a pass's corners are seen, (4, 2), pixels, clockwise from the upper left."""
    axis, half = random.uniform(0.0, 2 * np.pi), held.width_cm / 2
    lean = np.array([np.cos(axis), np.sin(axis), 0.0]) * np.radians(random.uniform(0, MAX_TILT))
    turn = np.array([0.0, 0.0, np.radians(random.uniform(-MAX_TURN, MAX_TURN))])
    aside = camera.width * 0.18 * held.distance_cm / camera.focal if held.beside else 0.0
    flat = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    placed = flat @ (cv2.Rodrigues(lean)[0] @ cv2.Rodrigues(turn)[0]).T
    placed += (aside, 0.0, held.distance_cm)
    middle = np.array([camera.width / 2, camera.height / 2])
    return np.asarray(placed[:, :2] / placed[:, 2:] * camera.focal + middle, np.float64)


def _put_pass(
    random: np.random.Generator,
    scene: Floats,
    corners: npt.NDArray[np.float64],
    modules: npt.NDArray[np.bool_],
) -> None:
    limits = np.array(scene.shape[1::-1])
    low = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, limits - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 2, low + 1, limits)
    dark, light = random.uniform(*DARK), random.uniform(*LIGHT)
    drawn = np.where(modules, np.float32(dark), np.float32(light)).repeat(_FINE, 0).repeat(_FINE, 1)
    seen = _seen(drawn, corners - low, high - low)
    cover = _seen(np.ones_like(drawn), corners - low, high - low)
    seen += _glare(random, seen.shape, float(np.ptp(corners, axis=0).max())) * cover
    view = scene[low[1] : high[1], low[0] : high[0]]
    view *= 1.0 - cover[..., None]
    view += seen[..., None]


def _seen(
    drawn: Floats, corners: npt.NDArray[np.float64], size: npt.NDArray[np.int_]
) -> Floats:  # fmt: skip
    """A square drawing in perspective; each pixel is the mean over its area, as a sensor's is."""
    side = drawn.shape[0]
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) - 0.5
    target = (corners * _OVERSAMPLED - 0.5).astype(np.float32)
    width, height = int(size[0]), int(size[1])
    fine = cv2.warpPerspective(
        drawn,
        cv2.getPerspectiveTransform(square, target),
        (width * _OVERSAMPLED, height * _OVERSAMPLED),
    )
    return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _glare(random: np.random.Generator, shape: tuple[int, ...], wide: float) -> Floats:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    y, x = random.uniform(0, shape[0]), random.uniform(0, shape[1])
    away = ((rows - y) ** 2 + (columns - x) ** 2) / (2 * (GLARE_SIZE * wide) ** 2)
    return np.asarray(random.uniform(*GLARE) * np.exp(-away), np.float32)
