"""Small videos and pictures, made on the spot; every picture tells its own number."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from postern.frame import Image

SIZE = (96, 64)  # Width and height in pixels.
BLOCK = 16


def picture(number: int, size: tuple[int, int] = SIZE) -> Image:
    """A picture, (H, W, 3), whose upper left blocks are `number`, 0..63, in binary."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    for bit in range(6):
        if number >> bit & 1:
            image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 230
    image[BLOCK : 2 * BLOCK] = (0, 0, 255)  # Red, so that swapped colours show.
    return image


def number_of(image: Image) -> int:
    """The number that a picture, decoded, still tells."""
    centres = [int(image[BLOCK // 2, bit * BLOCK + BLOCK // 2].mean()) for bit in range(6)]
    return sum((centre > 160) << bit for bit, centre in enumerate(centres))


def write_video(
    path: Path,
    numbers: Sequence[int],
    *,
    codec: str = "libx264",
    fps: int = 10,
    times: Sequence[int] | None = None,
    size: tuple[int, int] = SIZE,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """A video of these pictures; `times` are in steps of 1/fps, one after the other if left out."""
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps, options=options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = 5
        if rotation:
            stream.set_display_rotation(rotation)
        for number, at in zip(numbers, times or range(len(numbers)), strict=True):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="bgr24")
            frame.pts, frame.time_base = at, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_picture(path: Path, number: int) -> Path:
    """A picture file in the format of its suffix."""
    cv2.imwrite(str(path), picture(number))
    return path
