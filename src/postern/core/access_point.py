"""A door, barrier or bank machine, and the area it leads into."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from postern.core.errors import invalid
from postern.core.ids import AccessPointId, AreaId, CameraId


class Direction(StrEnum):
    """Which way an access point lets through. The way out is never blocked."""

    ENTRY = "entry"
    EXIT = "exit"


class Passback(StrEnum):
    """What happens to somebody who enters again without having left (ONVIF anti-passback)."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class Evacuation(StrEnum):
    """What becomes of an access point in an evacuation, or by fire."""

    OPEN = "open"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Area:
    """What access points lead into.

    Attributes:
        id: Its name.
        capacity: How many holders fit; None for no limit.
        passback: The rule against entering twice.
        passback_resets: After this long somebody counts as having left; None for never.
    """

    id: AreaId
    capacity: int | None = None
    passback: Passback = Passback.OFF
    passback_resets: timedelta | None = None

    def __post_init__(self) -> None:
        if self.capacity is not None and self.capacity < 1:
            raise invalid("An area holds at least one.")
        if self.passback_resets is not None and not self.passback_resets > timedelta(0):
            raise invalid("Anti-passback resets after a positive time.")


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """One place where somebody is let through.

    Attributes:
        id: Its name.
        area: What it leads into.
        cameras: Which cameras watch it.
        direction: Entry or exit.
        hold_s: For how long its actuator is driven, in seconds.
        opens_within_s: For how long after that it may be opened, and within which time it has to
            be, in seconds.
        held_open_s: For how long it may stand open, in seconds.
        evacuation: What becomes of it in an evacuation, or by fire; None for what is usual.
    """

    id: AccessPointId
    area: Area
    cameras: tuple[CameraId, ...]
    direction: Direction = Direction.ENTRY
    hold_s: float = 1.0
    opens_within_s: float = 10.0
    held_open_s: float = 30.0
    evacuation: Evacuation | None = None

    @property
    def opens_in_evacuation(self) -> bool:
        """Whether it is held open in an evacuation, or by fire: exits are unless they say not."""
        if self.evacuation is None:
            return self.direction is Direction.EXIT
        return self.evacuation is Evacuation.OPEN

    def __post_init__(self) -> None:
        if not 0.0 < self.opens_within_s <= 600.0:
            raise invalid("A door has to be opened within more than 0 and at most 600 seconds.")
        if not 0.0 < self.held_open_s <= 86400.0:
            raise invalid("A door may stand open for more than 0 seconds and at most a day.")
        if not 0.0 < self.hold_s <= 60.0:
            raise invalid("An actuator is driven for more than 0 and at most 60 seconds.")
