"""Schedules as text: canonical JSON with the time zone by its name."""

import json
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from postern.core.errors import PosternError, invalid
from postern.core.schedule import Schedule, Span

VERSION = 1


def encode(schedule: Schedule) -> str:
    """The one text of a schedule.

    Raises:
        PosternError: `invalid` where its time zone has no name to find it by again.
    """
    record = {
        "v": VERSION,
        "zone": _zone_name(schedule),
        "weekly": [_spans(day) for day in schedule.weekly],
        "exceptions": [[day.isoformat(), _spans(spans)] for day, spans in schedule.exceptions],
    }
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def decode(text: str) -> Schedule:
    """The schedule that a text stands for.

    Raises:
        PosternError: `invalid` where it is damaged, or this machine does not know its time zone.
    """
    try:
        record = json.loads(text)
        schedule = Schedule(
            ZoneInfo(record["zone"]),
            tuple(_parse_spans(day) for day in record["weekly"]),
            tuple(
                (date.fromisoformat(d), _parse_spans(spans)) for d, spans in record["exceptions"]
            ),
        )
        same = encode(schedule) == text
    except ZoneInfoNotFoundError:
        raise invalid(
            "A schedule is in a time zone that this machine does not know.",
            "Update the package tzdata.",
        ) from None
    except (ValueError, TypeError, KeyError, OSError, RecursionError):
        raise _damaged() from None
    if not same:
        raise _damaged()
    return schedule


def _zone_name(schedule: Schedule) -> str:
    if isinstance(schedule.zone, ZoneInfo) and schedule.zone.key:
        return schedule.zone.key
    raise invalid("A schedule's time zone needs a name, such as Europe/Bucharest.")


def _spans(spans: tuple[Span, ...]) -> list[list[str]]:
    return [[span.start.isoformat(), span.end.isoformat()] for span in spans]


def _parse_spans(spans: Any) -> tuple[Span, ...]:  # noqa: ANN401 - as JSON gives it
    return tuple(Span(time.fromisoformat(start), time.fromisoformat(end)) for start, end in spans)


def _damaged() -> PosternError:
    return invalid("A kept schedule is damaged.", "Add its permit again.")
