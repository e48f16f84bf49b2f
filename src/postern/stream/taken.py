"""What a decoding process tells back.

It is believed in nothing: a stream may have taken the process over. Sizes are bounded before
anything is set aside for them, and words are cleaned before anybody reads them.
"""

import json
from dataclasses import dataclass
from io import BufferedIOBase
from math import isfinite

import numpy as np

from postern.core.errors import Code, PosternError
from postern.frame import Image
from postern.pixels import MAX_PIXELS
from postern.stream.job import FAILURE, HEAD, MARK, MOST_WORDS, PICTURE

#: Characters of a sentence that comes back.
_MOST_SENTENCE = 300


@dataclass(frozen=True, slots=True)
class Taken:
    """One decoded picture.

    Attributes:
        image: (H, W, 3), uint8, blue-green-red.
        arrived_s: When its data had come, on this machine's monotonic clock.
        time_s: When it is presented, in seconds of the stream's own time; None where unknown.
    """

    image: Image
    arrived_s: float
    time_s: float | None


def read_taken(source: BufferedIOBase) -> Taken | None:
    """The next picture; None where nothing more comes.

    Raises:
        PosternError: What the process tells of its failure; `unavailable` where it talks nonsense.
    """
    head = source.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise _nonsense()
    mark, kind, width, height, arrived_s, time_s, size = HEAD.unpack(head)
    if mark == MARK and kind == FAILURE and size <= MOST_WORDS:
        raise _failure(source.read(size))
    sound = mark == MARK and kind == PICTURE and isfinite(arrived_s)
    if not (sound and 0 < width * height <= MAX_PIXELS and size == width * height * 3):
        raise _nonsense()
    image = np.empty((height, width, 3), np.uint8)
    # One call fills it all, unless the process dies on the way.
    if source.readinto(image.data.cast("B")) < size:
        return None
    return Taken(image, arrived_s, time_s if isfinite(time_s) else None)


def _failure(words: bytes) -> PosternError:
    try:
        message, hint = map(_clean, json.loads(words))
        # Whatever a camera did, it may be mended, and is asked again.
        return PosternError(Code.UNAVAILABLE, message, hint)
    except (ValueError, TypeError, RecursionError):
        return _nonsense()


def _clean(words: object) -> str:
    """Words that do nothing to a terminal or a log."""
    if not isinstance(words, str):
        raise TypeError
    return "".join(c if c.isprintable() else "?" for c in words[:_MOST_SENTENCE])


def _nonsense() -> PosternError:
    return PosternError(
        Code.UNAVAILABLE, "What decodes the camera's pictures talks nonsense; it is started anew."
    )
