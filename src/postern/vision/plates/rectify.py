"""A line of text turned upright and brought to the reader's height."""

import cv2
import numpy as np

from postern.frame import Image
from postern.vision.plates.detect import Line

#: Pixels; what the reader was trained on.
HEIGHT = 48
#: Pixels. The shortest input that holds two characters and the longest that a plate needs; the
#: reader takes one step per 8 pixels.
NARROWEST, WIDEST = 64, 320


def rectify(image: Image, line: Line) -> Image:
    """The line alone, cut from the picture at its full resolution.

    Args:
        image: (H, W, 3), uint8, blue-green-red.
        line: Where the text is, in this picture's pixels.

    Returns:
        (48, W', 3), uint8; W' keeps the line's shape, a multiple of 8 in 64..320.
    """
    width = round(line.width / max(line.height, 1.0) * HEIGHT / 8) * 8
    width = min(max(width, NARROWEST), WIDEST)
    corners = line.corners()[:3].astype(np.float32)
    # Far above the target's resolution a plain warp would skip pixels; shrink first.
    shrink = max(1.0, line.height / HEIGHT / 1.5)
    if shrink > 1.0:
        image, corners = _shrunk(image, corners, shrink)
    target = np.array([[0, 0], [width, 0], [width, HEIGHT]], np.float32)
    m = cv2.getAffineTransform(corners, target)
    chip = cv2.warpAffine(
        image, m, (width, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.ascontiguousarray(chip, np.uint8)


def _shrunk(image: Image, corners: "np.ndarray", shrink: float) -> tuple[Image, "np.ndarray"]:
    reach = 8 * shrink
    fourth = corners[0] + corners[2] - corners[1]
    around = np.vstack([corners, fourth])
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(around.min(0) - reach).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(around.max(0) + reach).astype(int), (x0 + 1, y0 + 1), (width, height))
    cut = image[y0:y1, x0:x1]
    size = (max(1, round((x1 - x0) / shrink)), max(1, round((y1 - y0) / shrink)))
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    scale = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])
    return np.ascontiguousarray(small, np.uint8), ((corners - (x0, y0)) * scale).astype(np.float32)
