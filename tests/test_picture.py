"""Pictures from bytes."""

import random
import struct
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.picture import MAX_BYTES, decode, is_picture, size
from tests.media import number_of, picture

SUFFIXES = (".jpg", ".png", ".bmp", ".ppm")


def encoded(suffix: str, number: int = 5) -> bytes:
    """A picture file's bytes."""
    done, data = cv2.imencode(suffix, picture(number))
    assert done
    return data.tobytes()


def huge_png(width: int, height: int) -> bytes:
    """A tiny file whose header promises a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_decode_gives_the_picture(suffix: str) -> None:
    """Every format taken comes back as (H, W, 3), uint8, blue-green-red."""
    image = decode(encoded(suffix))

    assert (64, 96, 3) == image.shape
    assert np.uint8 == image.dtype
    assert 5 == number_of(image)
    assert image[24, 48, 2] > 200 > image[24, 48, 0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_size_is_read_from_the_header(suffix: str) -> None:
    """Width and height without decoding."""
    assert (96, 64) == size(encoded(suffix))
    assert is_picture(encoded(suffix)[:8])


@pytest.mark.parametrize(("width", "height"), [(5001, 5000), (2**31, 2), (2**32 - 1, 2**32 - 1)])
def test_decode_refuses_too_many_pixels_before_decoding(width: int, height: int) -> None:
    """Attack: a file of 33 bytes that would fill the memory."""
    with pytest.raises(PosternError, match="pixels") as caught:
        decode(huge_png(width, height))

    assert Code.INVALID is caught.value.code


def test_decode_refuses_too_many_bytes() -> None:
    """20 MiB and one byte are too many, whatever they are."""
    with pytest.raises(PosternError, match="bytes"):
        decode(encoded(".png") + bytes(MAX_BYTES))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"GIF89a", b"P6", b"BM", b"\x89PNG\r\n\x1a\n"])
def test_decode_refuses_what_is_no_picture(data: bytes) -> None:
    """Other files and bare signatures are one clear sentence."""
    with pytest.raises(PosternError) as caught:
        decode(data)

    assert Code.INVALID is caught.value.code


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_decode_raises_only_our_errors_on_damage(suffix: str) -> None:
    """Attack: files with noise anywhere, or cut anywhere."""
    data, chance = encoded(suffix), random.Random(3)  # noqa: S311 - reproducible on purpose

    for _ in range(60):
        spoilt = bytearray(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)
        for _ in range(chance.randint(1, 4)):
            if spoilt:
                spoilt[chance.randrange(min(len(spoilt), 64))] = chance.randrange(256)
        with suppress(PosternError):  # And nothing else.
            decode(bytes(spoilt))
