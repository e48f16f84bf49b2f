"""Named schedules from their tables: ``monday = ["08:00-18:00", "22:00-06:00"]``."""

import re
from datetime import date, time, tzinfo

from postern.app.place import Place
from postern.core.schedule import DAYS, Schedule, Span

EVERY_DAY, WEEKDAYS, EXCEPTIONS = "every_day", "weekdays", "exceptions"
KEYS = (EVERY_DAY, WEEKDAYS, *DAYS, EXCEPTIONS)

_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2}) ?[-–] ?([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXAMPLE = 'Write ["08:00-18:00"], or [] for closed.'


def schedule(place: Place, zone: tzinfo) -> Schedule:
    """A schedule from its table; what is wrong with it is noted and left out.

    Args:
        place: The table. A day's own key counts before `weekdays`, and that before `every_day`.
        zone: The time zone of its wall clock.
    """
    place.refuse_strangers(KEYS)
    if not place.table:
        place.refuse("is never open.", 'Write, for example: every_day = ["08:00-18:00"]')
    spans = {key: _spans(day) for key, day in place.every() if key in KEYS and key != EXCEPTIONS}
    weekly = tuple(next((spans[key] for key in _keys_of(day) if key in spans), ()) for day in DAYS)
    return Schedule(zone, weekly, _exceptions(place))


def _keys_of(day: str) -> tuple[str, ...]:
    """The keys that may speak for a day, the most particular first."""
    return (day, WEEKDAYS, EVERY_DAY) if day in DAYS[:5] else (day, EVERY_DAY)


def _exceptions(place: Place) -> tuple[tuple[date, tuple[Span, ...]], ...]:
    if EXCEPTIONS not in place.table:
        return ()
    days = place.at(EXCEPTIONS)
    if not isinstance(days.value, dict):
        days.refuse("must be a table of days.", 'Write { "2026-12-25" = [] }.')
    read = ((_day(key, each), _spans(each)) for key, each in days.every())
    return tuple((day, spans) for day, spans in read if day is not None)


def _day(key: str, place: Place) -> date | None:
    try:
        if _DATE.fullmatch(key):
            return date.fromisoformat(key)
    except ValueError:
        pass
    place.refuse("is no day of the calendar.", 'Write it as in "2026-12-25".')
    return None


def _spans(place: Place) -> tuple[Span, ...]:
    if not isinstance(place.value, list):
        place.refuse("must be a list of times in brackets.", _EXAMPLE)
        return ()
    spans = (_span(place.at(n)) for n in range(len(place.value)))
    return tuple(span for span in spans if span is not None)


def _span(place: Place) -> Span | None:
    written = _SPAN.fullmatch(place.value) if isinstance(place.value, str) else None
    if written is None:
        place.refuse("must be two times of day.", _EXAMPLE)
        return None
    start_h, start_min, end_h, end_min = map(int, written.groups())
    if (end_h, end_min) == (24, 0):
        end_h = 0
    elif (start_h, start_min) == (end_h, end_min):
        # To the core it is a day and a night; whoever writes it may as well mean "never".
        place.refuse("begins and ends at the same time.", 'A whole day is "00:00-24:00".')
        return None
    try:
        return Span(time(start_h, start_min), time(end_h, end_min))
    except ValueError:
        place.refuse("must be two times of day.", "They lie between 00:00 and 24:00.")
        return None
