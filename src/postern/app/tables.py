"""The tables of `site.toml` as they are written, each checked by the core's own rules."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from postern.app.witness import WitnessEntry
from postern.core.access_point import AccessPoint, Area, Direction, Evacuation, Passback
from postern.core.errors import invalid
from postern.core.ids import AccessPointId, AreaId, CameraId
from postern.core.person import check_name
from postern.mqtt.words import Broker

#: What may stand in a topic of Home Assistant's discovery.
_NODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Days. Longer than a year is no minimal memory, whatever the reason.
MAX_RETENTION_DAYS = 366
#: Hours in a leap year. Anti-passback that resets later never does.
MAX_RESET_HOURS = 8784.0


@dataclass(frozen=True, slots=True)
class SiteTable:
    """`[site]`."""

    name: str
    data: Path = Path("data")
    time_zone: str | None = None
    retention_days: int = 30

    def __post_init__(self) -> None:
        check_name(self.name)
        if not 1 <= self.retention_days <= MAX_RETENTION_DAYS:
            raise invalid(f"Events are kept for 1 to {MAX_RETENTION_DAYS} days.")


@dataclass(frozen=True, slots=True)
class AreaTable:
    """`[area.NAME]`."""

    capacity: int | None = None
    passback: Passback = Passback.OFF
    passback_resets_hours: float | None = None

    def __post_init__(self) -> None:
        self.named(AreaId("area"))

    def named(self, name: AreaId) -> Area:
        """The area.

        Raises:
            PosternError: `invalid` where a number is out of its range.
        """
        hours = self.passback_resets_hours
        if hours is not None and not 0.0 < hours <= MAX_RESET_HOURS:
            raise invalid(
                f"Anti-passback resets after more than 0 and at most {MAX_RESET_HOURS:.0f} hours."
            )
        resets = None if hours is None else timedelta(hours=hours)
        return Area(name, self.capacity, self.passback, resets)


@dataclass(frozen=True, slots=True)
class AccessPointTable:
    """`[access_point.NAME]`."""

    cameras: tuple[str, ...]
    actuator: str
    area: str | None = None
    direction: Direction = Direction.ENTRY
    hold_s: float = 1.0
    opens_within_s: float = 10.0
    held_open_s: float = 30.0
    evacuation: Evacuation | None = None

    def __post_init__(self) -> None:
        self.named(AccessPointId("access point"), Area(AreaId("area")))

    def named(self, name: AccessPointId, area: Area) -> AccessPoint:
        """The access point.

        Raises:
            PosternError: `invalid` where a number is out of its range.
        """
        cameras = tuple(map(CameraId, self.cameras))
        return AccessPoint(
            name,
            area,
            cameras,
            self.direction,
            self.hold_s,
            self.opens_within_s,
            self.held_open_s,
            self.evacuation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTable(Broker):
    """`[mqtt]`: Home Assistant behind a broker.

    Attributes:
        prefix: Where Home Assistant listens for devices.
        node: What this site is called in topics, and to Home Assistant for ever.
        commands: Whether it may open access points.
    """

    prefix: str = "homeassistant"
    node: str = "postern"
    commands: bool = False

    def __post_init__(self) -> None:
        Broker.__post_init__(self)  # `super()` does not know classes with slots.
        for name in (self.prefix, self.node):
            if not _NODE.fullmatch(name):
                raise invalid("A prefix or node has 1 to 64 letters, digits, - and _.")


@dataclass(frozen=True, slots=True)
class WitnessTable:
    """`[witness.NAME]`."""

    url: str
    key: str

    def __post_init__(self) -> None:
        self.named("witness")

    def named(self, name: str) -> WitnessEntry:
        """The witness.

        Raises:
            PosternError: `invalid` where its address or its key cannot be one.
        """
        return WitnessEntry(name, self.url, self.key)
