"""Plates and scenes that the tests draw themselves."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FACES = ("DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "DejaVuSansMono-Bold.ttf")
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
PATTERNS = ("LLLDDDD", "DLLLDDD", "LLLDDD", "DDDLLL", "LLDLDL", "LDDLLL", "LLDDLLL", "LLLDLDD")


@dataclass(frozen=True)
class Spoiling:
    """What a camera does to a picture: shares of the plate's height, grey levels, JPEG quality."""

    blur: float = 0.0
    noise: float = 0.0
    quality: int = 90
    gain: float = 1.0


CLEAN = Spoiling()


def plate_number(rng, pattern=None):
    """A random plate of one of the usual patterns."""
    pattern = pattern or PATTERNS[rng.integers(len(PATTERNS))]
    pools = {"L": LETTERS, "D": DIGITS}
    return "".join(pools[kind][rng.integers(len(pools[kind]))] for kind in pattern)


def line_of_text(
    text, height, squeeze=0.75, face=FACES[0], ink=(20, 20, 20), paper=(230, 230, 230)
):
    """The text alone, `height` pixels from the top to the foot of its capitals, RGB."""
    font = ImageFont.truetype(str(FONTS / face), height * 2)
    left, top, right, bottom = font.getbbox(text)
    size = (round(right - left) + 4, round(bottom - top) + 4)
    picture = Picture.new("RGB", size, paper)
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, fill=ink, font=font)
    width = max(4, round((right - left) * squeeze * height / (bottom - top)))
    return picture.resize((width, height), Picture.Resampling.LANCZOS)


def plate(text, height=120, above="", below="", gap="", squeeze=0.75, face=FACES[0], colours=None):
    """A plate, BGR: the number, optionally a state's name above and a slogan below."""
    ink, paper = colours or ((25, 25, 60), (232, 232, 226))
    body = round(height * (0.52 if above or below else 0.66))
    number = line_of_text(gap.join((text[:3], text[3:])), body, squeeze, face, ink, paper)
    width = number.width + round(height * 0.5)
    sheet = Picture.new("RGB", (width, height), paper)
    sheet.paste(number, ((width - number.width) // 2, (height - body) // 2))
    for words, y in ((above, 0.05), (below, 0.82)):
        if words:
            small = line_of_text(words, round(height * 0.13), 0.9, FACES[0], ink, paper)
            sheet.paste(small, ((width - small.width) // 2, round(height * y)))
    ImageDraw.Draw(sheet).rectangle(
        (2, 2, width - 3, height - 3), outline=ink, width=max(2, height // 40)
    )
    return cv2.cvtColor(np.asarray(sheet), cv2.COLOR_RGB2BGR)


def car(rng, size=(720, 1280)):
    """A street and a car's rear without any writing, BGR."""
    height, width = size
    sky = np.linspace(150, 90, height)[:, None, None] * np.ones((1, width, 3))
    image = np.clip(sky + rng.normal(0, 3, (height, width, 3)), 0, 255).astype(np.uint8)
    colour = tuple(int(c) for c in rng.integers(20, 200, 3))
    x, y = width // 4, height // 4
    cv2.rectangle(image, (x, y), (3 * x, round(3.4 * y)), colour, -1)
    cv2.rectangle(image, (x + 60, y + 20), (3 * x - 60, y + height // 6), (70, 60, 55), -1)
    for lamp in (x + 30, 3 * x - 90):
        cv2.rectangle(image, (lamp, 2 * y), (lamp + 60, 2 * y + 40), (30, 30, 190), -1)
    return image


def scene(rng, sheet, width=160, where=None, turn=0.0, spoil=CLEAN, background=None):
    """A scene with the plate in it, BGR, and the plate's box (x0, y0, x1, y1).

    Args:
        rng: Where the scene's chances come from.
        sheet: A plate as `plate` gives it.
        width: The plate's width in the scene, pixels.
        where: Its centre, pixels; by default in the middle of the car.
        turn: Radians by which the plate hangs askew.
        spoil: What the camera does.
        background: A scene to paste it into; by default a car is drawn.
    """
    image = car(rng) if background is None else background.copy()
    rows, columns = image.shape[:2]
    x, y = where or (columns / 2, rows * 0.62)
    h, w = sheet.shape[:2]
    scale = width / w
    soft = cv2.GaussianBlur(sheet, (0, 0), max(0.35 / scale, 0.01)) if scale < 0.7 else sheet
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    m = np.array([[c, -s, x - c * w / 2 + s * h / 2], [s, c, y - s * w / 2 - c * h / 2]])
    mask = cv2.warpAffine(np.ones((h, w), np.float32), m, (columns, rows))[..., None]
    pasted = cv2.warpAffine(soft, m, (columns, rows), flags=cv2.INTER_LINEAR)
    image = (image * (1 - mask) + pasted * mask * spoil.gain).clip(0, 255).astype(np.uint8)
    if spoil.blur > 0:
        image = cv2.GaussianBlur(image, (0, 0), spoil.blur * h * scale)
    noisy = image + rng.normal(0, max(spoil.noise, 1e-6), image.shape)
    _, data = cv2.imencode(
        ".jpg", noisy.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, spoil.quality]
    )
    ends = np.array([[0, 0, 1], [w, 0, 1], [w, h, 1], [0, h, 1]]) @ m.T
    x0, y0 = ends.min(0)
    x1, y1 = ends.max(0)
    return cv2.imdecode(data, cv2.IMREAD_COLOR), (x0, y0, x1, y1)
