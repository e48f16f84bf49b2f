"""Access points and areas, as `site.toml` has them, and how many are inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from litestar import Response, get
from litestar.params import FromPath

from postern.api.call import ONE, call
from postern.api.paging import Page, whole
from postern.api.version import IfNoneMatch, shown
from postern.core.access_point import AccessPoint as KeptAccessPoint
from postern.core.access_point import Area as KeptArea
from postern.core.access_point import Direction, Passback
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, AreaId
from postern.core.role import Right
from postern.web.given import Given


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """A door, barrier or bank machine.

    Attributes:
        id: Its name.
        area: What it leads into, or out of.
        direction: Which way.
        cameras: What watches it.
        hold_s: For how long its actuator is driven, in seconds.
        opens_within_s: Within which time it has to be opened then, in seconds.
        held_open_s: For how long it may stand open, in seconds.
        opens_in_evacuation: Whether it is held open in an evacuation, or by fire.
    """

    id: str
    area: str
    direction: Direction
    cameras: Sequence[str]
    hold_s: float
    opens_within_s: float
    held_open_s: float
    opens_in_evacuation: bool


@dataclass(frozen=True, slots=True)
class Area:
    """What access points lead into.

    Attributes:
        id: Its name.
        capacity: How many fit; null for no limit.
        passback: The rule against entering twice.
        occupancy: How many are inside; nobody is told who.
    """

    id: str
    capacity: int | None
    passback: Passback
    occupancy: int


class Places(Protocol):
    """What `site.toml` says of places."""

    @property
    def access_points(self) -> Mapping[AccessPointId, KeptAccessPoint]:
        """All of them, by name."""
        ...

    @property
    def areas(self) -> Mapping[AreaId, KeptArea]:
        """All of them, by name."""
        ...


class Occupied(Protocol):
    """Knows how full areas are; may be asked from any thread."""

    def occupancy(self, area: AreaId) -> int:
        """How many are inside; `unavailable`."""
        ...


@get(
    "/access-points",
    **call("listAccessPoints", "List access points", Right.READ, Right.WATCH),
)
def list_access_points(places: Given[Places]) -> Response[Page[AccessPoint]]:
    """By name. They are changed in `site.toml`."""
    return whole([_access_point(one) for _, one in sorted(places.access_points.items())])


@get(
    "/access-points/{access_point:str}",
    **call(
        "getAccessPoint", "Show an access point", Right.READ, Right.WATCH,
        refused=ONE,
    ),
)  # fmt: skip
def get_access_point(
    places: Given[Places], access_point: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[AccessPoint]:
    """Of that name."""
    found = places.access_points.get(AccessPointId(access_point))
    if found is None:
        raise PosternError(Code.NOT_FOUND, "There is no access point of that name.")
    return shown(_access_point(found), if_none_match)


@get("/areas", **call("listAreas", "List areas", Right.READ, Right.WATCH))
def list_areas(places: Given[Places], occupied: Given[Occupied]) -> Response[Page[Area]]:
    """By name, with how many are inside."""
    return whole([_area(one, occupied) for _, one in sorted(places.areas.items())])


@get("/areas/{area:str}", **call("getArea", "Show an area", Right.READ, Right.WATCH, refused=ONE))
def get_area(
    places: Given[Places],
    occupied: Given[Occupied],
    area: FromPath[str],
    if_none_match: IfNoneMatch = None,
) -> Response[Area]:
    """Of that name, with how many are inside."""
    found = places.areas.get(AreaId(area))
    if found is None:
        raise PosternError(Code.NOT_FOUND, "There is no area of that name.")
    return shown(_area(found, occupied), if_none_match)


ACCESS_POINTS = [list_access_points, get_access_point, list_areas, get_area]


def _access_point(kept: KeptAccessPoint) -> AccessPoint:
    return AccessPoint(
        kept.id, kept.area.id, kept.direction, kept.cameras, kept.hold_s, kept.opens_within_s,
        kept.held_open_s, kept.opens_in_evacuation,
    )  # fmt: skip


def _area(kept: KeptArea, occupied: Occupied) -> Area:
    return Area(kept.id, kept.capacity, kept.passback, occupied.occupancy(kept.id))
