"""What one frame showed: a face, a plate or a pass, and whatever spoils it."""

from dataclasses import dataclass
from enum import StrEnum

from postern.core.errors import invalid
from postern.core.moment import Moment


class Kind(StrEnum):
    """What a recogniser looks for."""

    FACE = "face"
    PLATE = "plate"
    PASS = "pass"  # noqa: S105 - the word of the trade, not a password


class Flaw(StrEnum):
    """Why a look cannot be compared; each one is something that a person can change."""

    TOO_SMALL = "too_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    SEVERAL_FACES = "several_faces"
    CLIPPED = "clipped"
    UNREADABLE = "unreadable"


ADVICE: dict[Flaw, str] = {
    Flaw.TOO_SMALL: "come closer",
    Flaw.TOO_DARK: "more light on the face or plate is needed",
    Flaw.TOO_BRIGHT: "step out of the glare",
    Flaw.BLURRED: "hold still",
    Flaw.TURNED_AWAY: "look at the camera",
    Flaw.SEVERAL_FACES: "one person at a time",
    Flaw.CLIPPED: "move into the middle of the picture",
    Flaw.UNREADABLE: "the plate cannot be read",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the full frame; x grows to the right and y downwards."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise invalid("A box needs a positive width and height.")

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    def grown(self, factor: float) -> "Box":
        """The box `factor` times as wide and high around the same middle; `factor` above 0."""
        dx, dy = self.width * (factor - 1) / 2, self.height * (factor - 1) / 2
        return Box(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def iou(self, other: "Box") -> float:
        """Intersection over union with `other`, in [0, 1]."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        shared = max(width, 0.0) * max(height, 0.0)
        return shared / (self.width * self.height + other.width * other.height - shared)


@dataclass(frozen=True, slots=True)
class Look:
    """One face, plate or pass in one frame. It holds no picture and no vector.

    Attributes:
        kind: What it is.
        box: Where it was.
        score: The detector's confidence, in [0, 1].
        flaws: What spoils it; empty for a look that can be compared.
        seen: When the frame was captured.
    """

    kind: Kind
    box: Box
    score: float
    flaws: tuple[Flaw, ...]
    seen: Moment
