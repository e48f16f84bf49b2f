"""Orders about access points: locked down, held open, evacuated; by whom, why and until when."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from postern.core.access_point import AccessPoint
from postern.core.errors import invalid
from postern.core.ids import AccessPointId, OrderId
from postern.core.moment import check_utc

#: An order that is to last longer is a change of the site, and belongs into its permits.
MOST = timedelta(days=7)
#: Characters of who ordered it, and why. A shorter reason is none.
MAX_BY, MIN_WHY, MAX_WHY = 64, 4, 200


class Mode(StrEnum):
    """What an access point does for everybody alike."""

    NORMAL = "normal"
    FREE_FLOW = "free_flow"
    LOCKDOWN = "lockdown"
    EVACUATION = "evacuation"


#: What each mode does, for an operator and for the record.
DOES: dict[Mode, str] = {
    Mode.NORMAL: "opens for those who may pass",
    Mode.FREE_FLOW: "held open for everybody",
    Mode.LOCKDOWN: "entries let nobody in; exits open as always",
    Mode.EVACUATION: "what opens in an evacuation is held open",
}


@dataclass(frozen=True, slots=True)
class Order:
    """Somebody's order that access points are in a mode.

    Attributes:
        id: Its name.
        mode: Which; never `NORMAL`, which is where there is no order.
        access_points: Where; everywhere if empty.
        by: Who ordered it.
        why: What for.
        since: When; aware UTC.
        until: When it ends by itself; None for when somebody ends it. Free flow always has an end.
    """

    id: OrderId
    mode: Mode
    access_points: frozenset[AccessPointId]
    by: str
    why: str
    since: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_utc(self.since, self.until)
        if self.mode is Mode.NORMAL:
            raise invalid("Normal is where there is no order.", "End those that there are.")
        if not (MIN_WHY <= len(self.why.strip()) <= len(self.why) <= MAX_WHY) or not (
            self.why.isprintable()
        ):
            raise invalid(
                f"An order has a reason of {MIN_WHY} to {MAX_WHY} printable characters, which "
                "stands in the record."
            )
        if not (0 < len(self.by.strip()) <= len(self.by) <= MAX_BY and self.by.isprintable()):
            raise invalid(f"Whoever orders has a name of 1 to {MAX_BY} printable characters.")
        self._check_end()

    def _check_end(self) -> None:
        if self.until is None:
            if self.mode is Mode.FREE_FLOW:
                raise invalid("Free flow has to end by itself.", "Say until when, or for how long.")
            return
        if not self.since < self.until:
            raise invalid("An order ends after it begins.")
        if self.mode is not Mode.EVACUATION and not self.until - self.since <= MOST:
            raise invalid(
                f"Free flow and lockdown end after {MOST.days} days at most.",
                "What lasts longer is a matter of permits.",
            )

    def covers(self, access_point: AccessPointId) -> bool:
        """Whether it is about an access point."""
        return not self.access_points or access_point in self.access_points

    def holds(self, now: datetime, *, trusted: bool) -> bool:
        """Whether it is in force.

        A calendar that cannot be relied on ends neither a lockdown nor an evacuation, and cannot
        tell that free flow has not ended: each then does what lets nobody in and holds nobody.

        Args:
            now: What the calendar shows; aware UTC.
            trusted: Whether it can be relied on.
        """
        if self.mode is Mode.FREE_FLOW:
            return trusted and self.until is not None and self.since <= now < self.until
        over = trusted and self.until is not None and not now < self.until
        return not over


def mode_at(
    access_point: AccessPoint,
    orders: Iterable[Order],
    now: datetime,
    *,
    trusted: bool,
    ended: Collection[OrderId] = (),
) -> Mode:
    """The mode that an access point is in.

    An evacuation comes before a lockdown where the access point opens in one, and a lockdown
    before free flow.

    Args:
        access_point: Which one.
        orders: Every order of the site.
        now: What the calendar shows; aware UTC.
        trusted: Whether it can be relied on.
        ended: Orders that are over by another clock.
    """
    modes = {
        order.mode
        for order in orders
        if order.covers(access_point.id)
        and order.id not in ended
        and order.holds(now, trusted=trusted)
    }
    if Mode.EVACUATION in modes and access_point.opens_in_evacuation:
        return Mode.EVACUATION
    if Mode.LOCKDOWN in modes:
        return Mode.LOCKDOWN
    return Mode.FREE_FLOW if Mode.FREE_FLOW in modes else Mode.NORMAL
