"""What an operator says about a camera that streams over RTSP."""

from dataclasses import dataclass
from typing import ClassVar

from postern.sources.network import NetworkCamera, Scheme


@dataclass(frozen=True, slots=True)
class Config(NetworkCamera):
    """Which camera: its `url` is rtsp://HOST/PATH, or rtsps:// for an encrypted connection.

    Attributes:
        hardware: Whether to decode in hardware where there is such.
    """

    #: RFC 2326, section 3.2; the second is TLS on port 322 (RFC 7826, section 4.2).
    SCHEMES: ClassVar = (Scheme("rtsp", 554, secure=False), Scheme("rtsps", 322, secure=True))

    hardware: bool = True
