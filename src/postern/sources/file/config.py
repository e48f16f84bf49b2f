"""What an operator says about a recording."""

from dataclasses import dataclass
from pathlib import Path

from postern.core.errors import invalid

MAX_FPS = 240.0


@dataclass(frozen=True, slots=True)
class Config:
    """Which file, and how it is played.

    Attributes:
        path: A video, a picture, or a folder of pictures (played in the order of their names;
            hidden files and folders inside it are left out).
        fps: Pictures per second; a video has its own times.
        loop: Whether it begins again at its end, without a pause.
        realtime: Whether frames come when they are due; else as fast as they are taken.
    """

    path: Path
    fps: float = 5.0
    loop: bool = False
    realtime: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.fps <= MAX_FPS:
            raise invalid(f"Pictures per second must be more than 0 and at most {MAX_FPS:.0f}.")
