"""A schedule in one line: its days and spans, as somebody would say them."""

from itertools import groupby

from postern.core.schedule import Schedule, Span

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def week(schedule: Schedule) -> str:
    """Such as `Mon-Fri 07:00-19:00, Sat 09:00-12:00 (Europe/Bucharest; 2 exceptions)`."""
    parts = []
    for spans, days in groupby(range(len(_DAYS)), key=schedule.weekly.__getitem__):
        first, *rest = days
        name = f"{_DAYS[first]}-{_DAYS[rest[-1]]}" if rest else _DAYS[first]
        if spans:
            parts.append(f"{name} {' '.join(map(_span, spans))}")
    odd = len(schedule.exceptions)
    exceptions = f"; {odd} exception{'s' if odd != 1 else ''}" if odd else ""
    return f"{', '.join(parts) or 'never'} ({schedule.zone}{exceptions})"


def _span(span: Span) -> str:
    return f"{span.start:%H:%M}-{span.end:%H:%M}"
