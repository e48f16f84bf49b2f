"""The demo's barrier: cars drive up to a camera, wait, and leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from postern.cli.demo.clip import FPS, HEIGHT, WIDTH, Camera, Floats, eased, write
from postern.frame import Image

#: Seconds of a visit: driving up, waiting, driving off; and of the empty lane after it.
_UP_S, _WAIT_S, _OFF_S, _EMPTY_S = 1.2, 1.8, 0.6, 2.4
VISIT_S = _UP_S + _WAIT_S + _OFF_S + _EMPTY_S
_COLOURS = ((140, 96, 40), (52, 52, 170), (150, 150, 150), (70, 110, 60), (40, 40, 44))


@dataclass(frozen=True, slots=True)
class Visit:
    """One car.

    Attributes:
        plate: What its plate shows, with blanks as printed.
        blur: How far its plate is smeared, in pixels of the plate's drawing; 0 for none.
    """

    plate: str
    blur: float = 0.0


def write_barrier_clip(path: Path, visits: Sequence[Visit], seed: int) -> None:
    """Writes a clip in which the cars come one after the other, `VISIT_S` seconds each."""
    write(path, _frames(visits, seed))


def empty_lane(count: int, seed: int) -> Iterator[Image]:
    """So many pictures of the lane with nobody in it."""
    camera, lane = Camera(seed), _lane(np.random.default_rng(seed))
    for at in range(count):
        yield camera.filmed(lane, at / FPS)


def draw_plate(text: str, width: int = 520, height: int = 112) -> Image:
    """A plate as European ones look, (H, W, 3) uint8 blue-green-red."""
    picture = Pictures.new("RGB", (width, height), (246, 246, 243))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((2, 2, width - 3, height - 3), 10, outline=(20, 20, 20), width=4)
    pen.rectangle((6, 6, 50, height - 7), fill=(18, 60, 160))
    font = ImageFont.truetype(_font(), round(height * 0.86))
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    room = width - 74
    drawn = Pictures.new("L", (round(right - left), round(bottom - top)), 0)
    ImageDraw.Draw(drawn).text((-left, -top), text, font=font, fill=255)
    fitted = drawn.resize((min(room, round((right - left) * 0.92)), round(height * 0.64)))
    spot = (60 + (room - fitted.width) // 2, (height - fitted.height) // 2)
    picture.paste((18, 18, 22), spot, fitted)
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def _font() -> str:
    return str(matplotlib.get_data_path()) + "/fonts/ttf/DejaVuSansMono-Bold.ttf"


def _frames(visits: Sequence[Visit], seed: int) -> Iterator[Image]:
    camera = Camera(seed)
    lane = _lane(np.random.default_rng(seed))
    second = 0.0
    for at, visit in enumerate(visits):
        car = _car(visit, _COLOURS[at % len(_COLOURS)])
        for step in range(round(VISIT_S * FPS)):
            scene = lane.copy()
            place = _place(step / FPS)
            if place is not None:
                _drive(scene, car, *place)
            yield camera.filmed(scene, second)
            second += 1 / FPS


def _place(at_s: float) -> tuple[float, float] | None:
    """How large a car is drawn and how far it has sunk below the picture; None when gone."""
    if at_s < _UP_S:
        return 0.25 + 0.75 * eased(at_s / _UP_S), 0.0
    if at_s < _UP_S + _WAIT_S:
        return 1.0, 0.0
    off = (at_s - _UP_S - _WAIT_S) / _OFF_S
    return (1.0 + 0.5 * off, 420 * off) if off < 1.0 else None


def _lane(rng: np.random.Generator) -> Floats:
    """The empty lane: sky, a wall, tarmac that runs to the horizon, kerbs and a barrier's post."""
    scene = np.empty((HEIGHT, WIDTH, 3), np.float32)
    scene[:] = np.linspace(190, 150, HEIGHT, dtype=np.float32)[:, None, None]
    cv2.rectangle(scene, (0, 60), (WIDTH, 150), (118, 128, 136), -1)
    for x in range(0, WIDTH, 64):
        cv2.line(scene, (x, 60), (x, 150), (104, 114, 122), 1)
    cv2.fillPoly(scene, [np.array([[0, 360], [640, 360], [420, 140], [220, 140]])], (84, 84, 86))
    cv2.fillPoly(scene, [np.array([[0, 360], [0, 250], [220, 140]])], (96, 128, 104))
    cv2.fillPoly(scene, [np.array([[640, 360], [640, 250], [420, 140]])], (96, 128, 104))
    cv2.rectangle(scene, (560, 120), (590, 320), (40, 170, 220), -1)
    for y in range(130, 320, 40):
        cv2.rectangle(scene, (560, y), (590, y + 18), (235, 235, 235), -1)
    grain = cv2.GaussianBlur(rng.normal(0, 14, scene.shape).astype(np.float32), (0, 0), 1.2)
    return scene + grain


def _car(visit: Visit, colour: tuple[int, int, int]) -> Image:
    """A car from the front, (300, 420, 4) uint8; the last channel is what it covers."""
    car = np.zeros((300, 420, 4), np.uint8)
    _body(car, colour)
    plate = draw_plate(visit.plate)
    if visit.blur:
        plate = np.asarray(cv2.GaussianBlur(plate, (0, 0), visit.blur), np.uint8)
    small = cv2.resize(plate, (150, 34), interpolation=cv2.INTER_AREA)
    car[222:256, 135:285, :3] = small
    return car


def _body(car: Image, colour: tuple[int, int, int]) -> None:
    dark = tuple(int(c * 0.6) for c in colour)
    cv2.fillPoly(car, [np.array([[70, 110], [115, 20], [305, 20], [350, 110]])], (*dark, 255))
    cv2.fillPoly(car, [np.array([[92, 106], [128, 32], [292, 32], [328, 106]])], (92, 84, 74, 255))
    cv2.rectangle(car, (30, 105), (390, 270), (*colour, 255), -1)
    cv2.rectangle(car, (30, 105), (390, 118), (*dark, 255), -1)
    for x in (36, 324):
        cv2.ellipse(car, (x + 30, 158), (34, 20), 0, 0, 360, (232, 238, 240, 255), -1)
        cv2.rectangle(car, (x - 2, 268), (x + 62, 298), (24, 24, 24, 255), -1)
    cv2.rectangle(car, (120, 140), (300, 200), (30, 30, 32, 255), -1)
    for y in range(146, 200, 12):
        cv2.line(car, (122, y), (298, y), (88, 88, 92, 255), 2)
    cv2.rectangle(car, (30, 214), (390, 264), (*dark, 255), -1)


def _drive(scene: Floats, car: Image, scale: float, sunk: float) -> None:
    """Draws the car into the lane; its wheels stay on the tarmac that leads to the horizon."""
    size = (round(420 * scale), round(300 * scale))
    near = cv2.resize(car, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x = WIDTH // 2 - size[0] // 2
    y = round(140 + 210 * scale + sunk) - size[1]
    top, bottom = max(0, y), min(HEIGHT, y + size[1])
    left, right = max(0, x), min(WIDTH, x + size[0])
    if top >= bottom or left >= right:
        return
    part = near[top - y : bottom - y, left - x : right - x].astype(np.float32)
    cover = part[:, :, 3:] / 255
    spot = scene[top:bottom, left:right]
    spot[:] = spot * (1 - cover) + part[:, :, :3] * cover
