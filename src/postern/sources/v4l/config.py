"""What an operator says about a camera at one of this machine's own ports."""

from dataclasses import dataclass
from pathlib import Path

from postern.core.errors import invalid
from postern.sources.size import check_size

MAX_FPS = 240.0


@dataclass(frozen=True, slots=True)
class Config:
    """Which camera, and what is asked of it; it answers with the nearest that it can do.

    Attributes:
        device: Its path, or N for /dev/videoN.
        width: Pixels.
        height: Pixels.
        fps: Pictures per second.
    """

    device: str | int = 0
    width: int = 640
    height: int = 480
    fps: float = 15.0

    def __post_init__(self) -> None:
        if isinstance(self.device, int) and self.device < 0:
            raise invalid("A camera's number is 0 or more.")
        check_size(self.width, self.height)
        if not 0.0 < self.fps <= MAX_FPS:
            raise invalid(f"Pictures per second must be more than 0 and at most {MAX_FPS:.0f}.")

    @property
    def path(self) -> Path:
        """Where the device is."""
        number = str(self.device)
        return Path(f"/dev/video{number}" if number.isdecimal() else number)
