"""What a decoding process is told to do, and how it tells back what it finds.

A job goes to the process over its standard input: it may hold a password, and arguments and
environments can be read by others. What comes back is read in `taken.py`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import nan
from typing import BinaryIO

from postern.core.errors import PosternError
from postern.pixels import Pixels

#: Bytes of a job, and of what is told instead of a picture.
MOST_JOB, MOST_WORDS = 16 * 1024, 2 * 1024
PICTURE, FAILURE = 1, 2
#: Kind, width, height, seconds of arrival on the monotonic clock, seconds of the stream's own time
#: (NaN where unknown), bytes that follow.
HEAD = struct.Struct("<4sHIIddI")
MARK = b"PSTN"


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
        in_clear: Whether the password may be sent so that anybody on the way can read it.
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
    in_clear: bool = False
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
class Decoded:
    """One decoded picture, as it is sent.

    Attributes:
        pixels: The picture.
        arrived_s: When its data had come, on this machine's monotonic clock.
        time_s: When it is presented, in seconds of the stream's own time; None where unknown.
    """

    pixels: Pixels
    arrived_s: float
    time_s: float | None


def write_picture(out: BinaryIO, decoded: Decoded) -> None:
    """Sends a picture. Waits for as long as nobody takes it."""
    pixels, time_s = decoded.pixels, nan if decoded.time_s is None else decoded.time_s
    size = len(pixels.data)
    out.write(
        HEAD.pack(MARK, PICTURE, pixels.width, pixels.height, decoded.arrived_s, time_s, size)
    )
    out.write(pixels.data)
    out.flush()


def write_failure(out: BinaryIO, error: PosternError) -> None:
    """Sends what went wrong, as the last thing."""
    words = json.dumps([error.message, error.hint]).encode()[:MOST_WORDS]
    out.write(HEAD.pack(MARK, FAILURE, 0, 0, 0.0, nan, len(words)) + words)
    out.flush()
