"""The demo's door: people walk up to a camera, look about, and leave.

The portraits are in the public domain: Eileen Collins, NASA, from scikit-image; Grace Hopper, US
Navy, from matplotlib.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

import cv2
import matplotlib
import numpy as np

from postern.cli.demo.clip import FPS, HEIGHT, WIDTH, Camera, Floats, eased, write
from postern.core.errors import Code, PosternError
from postern.frame import Image
from postern.picture import decode

_IN_S, _STAY_S, _OUT_S, _EMPTY_S = 0.9, 3.6, 0.7, 2.6
VISIT_S = _IN_S + _STAY_S + _OUT_S + _EMPTY_S


class Portrait(StrEnum):
    """Who comes to the demo's door."""

    COLLINS = "Eileen Collins"
    HOPPER = "Grace Hopper"


@dataclass(frozen=True, slots=True)
class Pose:
    """How a portrait is shown in one frame.

    Attributes:
        scale: Of the portrait, relative to how near people stand in the end.
        shift: Pixels to the right and down.
        roll: Degrees.
        turn: How far the far side shrinks, -1..1.
        light: Gain from the left to the right side, -1..1.
        gain: Of all light.
        soft: Blur in pixels.
    """

    scale: float
    shift: tuple[float, float]
    roll: float
    turn: float
    light: float
    gain: float
    soft: float


@dataclass(frozen=True, slots=True)
class _Crop:
    """Head and shoulders of a portrait, and how tall they are drawn in the end."""

    image: Image
    height_px: int


def write_door_clip(path: Path, visits: Sequence[Portrait], seed: int) -> None:
    """Writes a clip in which these people come one after the other, `VISIT_S` seconds each."""
    write(path, _frames(visits, seed))


def enrolment_frames(portrait: Portrait, seed: int) -> list[Image]:
    """Frames of somebody who enrols, each (360, 640, 3) uint8; at least three looks differ."""
    camera = Camera(seed)
    crop = _crop(portrait)
    corridor = _corridor(np.random.default_rng(seed))
    # A flat picture hardly changes when it is turned: light and blur make the looks differ, with
    # either detector, and there are more of them than an enrolment takes.
    poses = [
        Pose(0.97, (0, 0), 0.0, 0.0, 0.0, 1.0, 0.0),
        Pose(1.04, (-18, 4), -6.0, -1.0, 0.5, 0.92, 1.4),
        Pose(0.84, (16, -6), 8.0, 1.0, -0.5, 0.45, 0.0),
        Pose(1.00, (6, 8), 4.0, -0.4, -0.6, 0.50, 2.0),
        Pose(0.78, (-8, 2), -9.0, 0.8, 0.9, 0.48, 0.0),
        Pose(1.08, (-8, 2), 9.0, 0.9, 0.9, 0.95, 2.6),
    ]
    return [camera.filmed(_shown(corridor, crop, pose), 0.0) for pose in poses]


def _frames(visits: Sequence[Portrait], seed: int) -> Iterator[Image]:
    camera = Camera(seed)
    corridor = _corridor(np.random.default_rng(seed))
    second = 0.0
    for portrait in visits:
        crop = _crop(portrait)
        for step in range(round(VISIT_S * FPS)):
            pose = _pose(step / FPS)
            scene = corridor if pose is None else _shown(corridor, crop, pose)
            yield camera.filmed(scene, second)
            second += 1 / FPS


def _pose(at_s: float) -> Pose | None:
    if at_s < _IN_S:
        nearer = eased(at_s / _IN_S)
        return Pose(0.5 + 0.45 * nearer, (-330 * (1 - nearer), 0), 0.0, 0.0, 0.0, 1.0, 0.8)
    stay = at_s - _IN_S
    if stay < _STAY_S:
        share = stay / _STAY_S
        swing = float(np.sin(2 * np.pi * share))
        sway = float(np.sin(2 * np.pi * share * 1.5 + 0.4))
        return Pose(
            0.96 + 0.08 * sway, (14 * swing, 5 * sway), 7.0 * sway, 0.6 * swing, -0.5 * sway,
            1.0 + 0.16 * swing, 0.4 + 0.4 * abs(sway),
        )  # fmt: skip
    out = (stay - _STAY_S) / _OUT_S
    return Pose(0.96, (430 * eased(out), 0), 0.0, 0.3, 0.0, 1.0, 0.8) if out < 1.0 else None


def _corridor(rng: np.random.Generator) -> Floats:
    scene = np.empty((HEIGHT, WIDTH, 3), np.float32)
    scene[:] = (172, 178, 182)
    cv2.fillPoly(scene, [np.array([[0, 0], [220, 70], [220, 270], [0, 360]])], (150, 158, 164))
    cv2.fillPoly(scene, [np.array([[640, 0], [420, 70], [420, 270], [640, 360]])], (150, 158, 164))
    cv2.fillPoly(scene, [np.array([[0, 360], [220, 270], [420, 270], [640, 360]])], (116, 120, 124))
    cv2.fillPoly(scene, [np.array([[0, 0], [220, 70], [420, 70], [640, 0]])], (206, 208, 208))
    cv2.rectangle(scene, (270, 110), (370, 270), (122, 132, 138), -1)
    grain = cv2.GaussianBlur(rng.normal(0, 8, scene.shape).astype(np.float32), (0, 0), 1.5)
    return scene + grain


def _shown(corridor: Floats, crop: _Crop, pose: Pose) -> Floats:
    """The corridor with the portrait in that pose before it."""
    height, width = crop.image.shape[:2]
    warp = _warp(pose, (width, height), crop.height_px / height)
    size = (WIDTH, HEIGHT)
    drawn = cv2.warpPerspective(_lit(crop.image, pose), warp, size, flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(_oval(width, height), warp, size, flags=cv2.INTER_LINEAR)
    if pose.soft:
        drawn = cv2.GaussianBlur(drawn, (0, 0), pose.soft)
    share = cover[:, :, None]
    return np.asarray(corridor * (1 - share) + drawn * share, np.float32)


def _warp(pose: Pose, size: tuple[int, int], fit: float) -> Floats:
    """From the portrait's pixels to the picture's: turned about its middle, standing on the rim."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    centred = (corners - (width / 2, height / 2)) * fit * pose.scale
    squeeze = 1 - 0.10 * pose.turn * np.sign(centred[:, 0])
    centred[:, 0] *= 1 - 0.08 * abs(pose.turn)
    centred[:, 1] *= squeeze
    angle = np.deg2rad(pose.roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (WIDTH / 2 + pose.shift[0], HEIGHT / 2 + 8 + pose.shift[1])
    placed = (centred @ turn.T + middle).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, placed), np.float32)


def _lit(image: Image, pose: Pose) -> Floats:
    side = np.linspace(-1, 1, image.shape[1], dtype=np.float32)[None, :, None]
    gain = pose.gain * (1 + 0.35 * pose.light * side)
    return np.asarray(image * gain, np.float32)


def _oval(width: int, height: int) -> Floats:
    """What the portrait covers: its own background fades into the corridor."""
    cover = np.zeros((height, width), np.float32)
    middle = (width // 2, round(height * 0.52))
    cv2.ellipse(cover, middle, (round(width * 0.40), round(height * 0.46)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), width * 0.035), np.float32)


def _crop(portrait: Portrait) -> _Crop:
    if portrait is Portrait.COLLINS:
        image = decode(_package_file("skimage", "data/astronaut.png"))
        return _Crop(np.ascontiguousarray(image[0:300, 80:370]), 330)
    data = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg").read_bytes()
    return _Crop(np.ascontiguousarray(decode(data)[20:420, 70:450]), 330)


def _package_file(package: str, name: str) -> bytes:
    """A file inside a package that is located but not imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PosternError(
            Code.NOT_FOUND,
            "The demo's portraits are not installed.",
            "Install them with: pip install 'postern[demo]'.",
        )
    return Path(spec.submodule_search_locations[0], name).read_bytes()
