"""What a decoding process is told to do, and what it tells back.

Rules of this file:
1. A job goes to the process over its standard input: it may hold a password, and arguments and
   environments can be read by others.
2. What comes back is believed in nothing: a stream may have taken the process over. Sizes are
   bounded before anything is set aside for them, and words are cleaned before anybody reads them.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from io import BufferedIOBase
from math import isfinite, nan
from typing import BinaryIO

import numpy as np

from postern.core.errors import Code, PosternError
from postern.frame import MAX_PIXELS, Image

#: Bytes of a job, and of what is told instead of a picture.
MOST_JOB, MOST_WORDS = 16 * 1024, 2 * 1024
#: Characters of a sentence that comes back.
_MOST_SENTENCE = 300
_PICTURE, _FAILURE = 1, 2
#: Kind, width, height, seconds of arrival on the monotonic clock, seconds of the stream's own time
#: (NaN where unknown), bytes that follow.
_HEAD = struct.Struct("<4sHIIddI")
_MARK = b"PSTN"


class Means(StrEnum):
    """How pictures are fetched.

    `device` and `file` are opened by FFmpeg by their path, `rtsp` speaks RTSP over a connection
    that is handed over, `snapshot` asks a web address for one picture after the other.
    """

    DEVICE = "device"
    RTSP = "rtsp"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Job:
    """One camera to decode.

    Attributes:
        means: How.
        target: The device's path, or the path and query of the address.
        name: What to call the camera in errors.
        host: The address's host as the operator wrote it, with its port; empty for a device.
        secure: Whether the connection is encrypted (TLS).
        authority: The path of the certificate that the camera must show, or of who signed it;
            empty for this system's authorities.
        user: Who asks; empty for nobody.
        password: Its password.
        most_fps: Pictures a second that are given at most, while others are passed over; 0 for all.
        format: FFmpeg's name of the format; empty to find out.
        options: FFmpeg's options.
        hardware: Whether a decoder in hardware may be used where there is one.
        address: The number to connect to, where the process does that itself.
        port: Its port.
    """

    means: Means
    target: str
    name: str
    host: str = ""
    secure: bool = False
    authority: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    most_fps: float = 0.0
    format: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    hardware: bool = False
    address: str = ""
    port: int = 0

    def encode(self) -> bytes:
        """The job as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Job":
        """The inverse of `encode`; the line comes from this very program."""
        told = json.loads(line)
        return cls(**{**told, "means": Means(told["means"])})


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


def write_picture(out: BinaryIO, taken: Taken) -> None:
    """Sends a picture. Waits for as long as nobody takes it."""
    height, width, _ = taken.image.shape
    time_s = nan if taken.time_s is None else taken.time_s
    out.write(
        _HEAD.pack(_MARK, _PICTURE, width, height, taken.arrived_s, time_s, taken.image.nbytes)
    )
    out.write(taken.image.data.cast("B"))
    out.flush()


def write_failure(out: BinaryIO, error: PosternError) -> None:
    """Sends what went wrong, as the last thing."""
    words = json.dumps([error.message, error.hint]).encode()[:MOST_WORDS]
    out.write(_HEAD.pack(_MARK, _FAILURE, 0, 0, 0.0, nan, len(words)) + words)
    out.flush()


def read_taken(source: BufferedIOBase) -> Taken | None:
    """The next picture; None where nothing more comes.

    Raises:
        PosternError: What the process tells of its failure; `unavailable` where it talks nonsense.
    """
    head = source.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise _nonsense()
    mark, kind, width, height, arrived_s, time_s, size = _HEAD.unpack(head)
    if mark == _MARK and kind == _FAILURE and size <= MOST_WORDS:
        raise _failure(source.read(size))
    sound = mark == _MARK and kind == _PICTURE and isfinite(arrived_s)
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
    except (ValueError, TypeError):
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
