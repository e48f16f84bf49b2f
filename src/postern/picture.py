"""Pictures from bytes: sniffed, measured before they are decoded, and limited."""

import struct

import cv2
import numpy as np

from postern.core.errors import invalid
from postern.frame import Image
from postern.pixels import MAX_PIXELS

MAX_BYTES = 20 * 1024 * 1024


def decode(data: bytes) -> Image:
    """The picture in a JPEG, PNG, BMP or PGM/PPM file.

    Args:
        data: The file's bytes; what they are is judged by their first bytes, never by a name.

    Returns:
        (H, W, 3), uint8, blue-green-red.

    Raises:
        PosternError: `invalid` where the bytes are too many, are no picture, hold too many pixels,
            or are damaged.
    """
    if len(data) > MAX_BYTES:
        raise invalid(f"The picture has {len(data)} bytes; at most {MAX_BYTES} are taken.")
    width, height = size(data)
    if width * height > MAX_PIXELS:
        raise invalid(f"The picture has {width} x {height} pixels; at most {MAX_PIXELS} are taken.")
    if width < 1 or height < 1:
        raise invalid("The picture has no pixels.")
    image = _decoded(data)
    if image is None:
        raise invalid("The picture is damaged and cannot be decoded.")
    return image


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, read from the header without decoding.

    Raises:
        PosternError: `invalid` where the bytes are no JPEG, PNG, BMP or PGM/PPM picture.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", data[16:24])
            return int(width), int(height)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data.startswith(b"BM"):
            width, height = struct.unpack("<ii", data[18:26])
            return int(width), abs(int(height))
        if data[:2] in (b"P5", b"P6"):
            return _netpbm_size(data)
    except (struct.error, ValueError, IndexError):
        raise invalid("The picture's header is damaged.") from None
    raise invalid("The file is no JPEG, PNG, BMP or PGM/PPM picture.")


def is_picture(head: bytes) -> bool:
    """Whether a file that begins with these bytes (two at least) says that it is a picture.

    It may still be damaged; `decode` finds out.
    """
    return head.startswith((b"\x89PNG", b"\xff\xd8", b"BM", b"P5", b"P6"))


def _decoded(data: bytes) -> "Image | None":
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.ascontiguousarray(image, dtype=np.uint8)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    # ITU-T T.81, annex B.2.2: a frame header is marker, length, precision, lines, samples per line.
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            raise ValueError
        marker = data[at + 1]
        if marker == 0xFF:  # A fill byte before the marker proper (B.1.1.2).
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise ValueError


def _netpbm_size(data: bytes) -> tuple[int, int]:
    words = [line.split(b"#")[0] for line in data[:512].split(b"\n")]
    fields = b" ".join(words).split()
    return int(fields[1]), int(fields[2])
