"""Schedules: when permits may count, as `site.toml` has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from litestar import Response, get
from litestar.params import FromPath

from postern.api.call import ONE, call
from postern.api.paging import Page, whole
from postern.api.version import IfNoneMatch, shown
from postern.core.errors import Code, PosternError
from postern.core.role import Right
from postern.core.schedule import DAYS, Span
from postern.core.schedule import Schedule as KeptSchedule
from postern.web.given import Given


@dataclass(frozen=True, slots=True)
class OddDay:
    """A day that is not as its weekday is.

    Attributes:
        day: The day.
        spans: When it counts on that day; never where there are none.
    """

    day: date
    spans: Sequence[str]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a permit counts.

    Attributes:
        name: What `site.toml` calls it; null where it has no such schedule any more.
        zone: The time zone of its times.
        weekly: The spans that begin on each day, such as `22:00-06:00`, which ends on the next.
        exceptions: Days that are not as their weekday is.
    """

    name: str | None
    zone: str
    weekly: Mapping[str, Sequence[str]]
    exceptions: Sequence[OddDay]


class Schedules(Protocol):
    """What `site.toml` says of schedules."""

    @property
    def schedules(self) -> Mapping[str, KeptSchedule]:
        """All of them, by name."""
        ...


@get("/schedules", **call("listSchedules", "List schedules", Right.READ, Right.WATCH))
def list_schedules(schedules: Given[Schedules]) -> Response[Page[Schedule]]:
    """By name. They are changed in `site.toml`."""
    return whole([week(one, name) for name, one in sorted(schedules.schedules.items())])


@get(
    "/schedules/{schedule:str}",
    **call("getSchedule", "Show a schedule", Right.READ, Right.WATCH, refused=ONE),
)
def get_schedule(
    schedules: Given[Schedules], schedule: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[Schedule]:
    """Of that name."""
    found = schedules.schedules.get(schedule)
    if found is None:
        raise PosternError(Code.NOT_FOUND, "There is no schedule of that name.")
    return shown(week(found, schedule), if_none_match)


SCHEDULES = [list_schedules, get_schedule]


def week(schedule: KeptSchedule, name: str | None) -> Schedule:
    """A schedule as it is shown."""
    days = zip(DAYS, schedule.weekly, strict=True)
    return Schedule(
        name,
        str(schedule.zone),
        {day: [_span(span) for span in spans] for day, spans in days},
        [OddDay(day, [_span(span) for span in spans]) for day, spans in schedule.exceptions],
    )


def _span(span: Span) -> str:
    return f"{span.start:%H:%M}-{span.end:%H:%M}"
