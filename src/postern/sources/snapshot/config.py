"""What an operator says about a camera that gives one picture at a time."""

from dataclasses import dataclass
from typing import ClassVar

from postern.sources.network import NetworkCamera, Scheme


@dataclass(frozen=True, slots=True)
class Config(NetworkCamera):
    """Which camera: its `url` is that of its picture, http://HOST/PATH or https://."""

    SCHEMES: ClassVar = (Scheme("http", 80, secure=False), Scheme("https", 443, secure=True))

    fps: float = 4.0
