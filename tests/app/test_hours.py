"""Schedules as an operator writes them."""

import tomllib
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from postern.app import hours
from postern.app.place import Place
from postern.app.problem import Problem
from postern.app.toml_lines import locate
from postern.core.schedule import DAYS, Schedule, Span

ZONE = ZoneInfo("Europe/Bucharest")
MORNING, NIGHT = Span(time(8), time(12)), Span(time(22), time(6))
WHOLE_DAY = Span(time(0), time(0))


def read(text: str) -> tuple[Schedule, list[Problem]]:
    """The schedule of a text, and what is noted about it."""
    place = Place(tomllib.loads(text), locate(text), "schedule.s")
    return hours.schedule(place, ZONE), place.problems


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("08:00-12:00", MORNING),
        ("8:00-12:00", MORNING),
        ("08:00 - 12:00", MORNING),
        ("08:00–12:00", MORNING),
        ("22:00-06:00", NIGHT),
        ("00:00-24:00", WHOLE_DAY),
        ("22:15-24:00", Span(time(22, 15), time(0))),
        ("00:00-00:01", Span(time(0), time(0, 1))),
    ],
)
def test_a_span_is_read(written, span):
    """As people write times of day."""
    schedule, problems = read(f'monday = ["{written}"]')

    assert ((span,), []) == (schedule.weekly[0], problems)


@pytest.mark.parametrize(
    "written",
    ['"08:00"', '"8-12"', '"08:00-12:00, 13:00-14:00"', '"24:00-08:00"', '"08:00-24:01"', '""']
    + ['"08:60-09:00"', '"25:00-26:00"', '"08:00-08:00"', '"00:00-00:00"', '"٠٨:00-09:00"']
    + ["8", "true", "08:00:00", '["08:00-12:00"]', '"08:00-12:00\\n"'],
)
def test_a_span_that_is_none_is_refused(written):
    """A span that begins when it ends may be meant as never or as always, so it is neither."""
    schedule, problems = read(f"every_day = [\n  '10:00-11:00',\n  {written} ]")

    assert [(3, "schedule.s.every_day[1]")] == [(p.line, p.path) for p in problems]
    assert (Span(time(10), time(11)),) == schedule.weekly[0]


@pytest.mark.parametrize("value", ['"08:00-12:00"', "8", "{}", "true"])
def test_a_day_that_is_no_list_is_refused_with_an_example(value):
    """Brackets are easily forgotten where there is one span."""
    _, problems = read(f"\nmonday = {value}")

    assert [(2, 'Write ["08:00-18:00"], or [] for closed.')] == [(p.line, p.hint) for p in problems]


def test_the_most_particular_key_speaks_for_a_day_in_whatever_order():
    """A day's own before `weekdays` before `every_day`; a day nobody speaks for is closed."""
    schedule, problems = read(
        'tuesday = []\nweekdays = ["08:00-12:00"]\nsaturday = ["22:00-06:00"]\n'
    )
    everyday, more = read('sunday = []\nmonday = ["22:00-06:00"]\nevery_day = ["08:00-12:00"]')

    day, night = (MORNING,), (NIGHT,)
    assert (day, (), day, day, day, night, ()) == schedule.weekly
    assert (night, day, day, day, day, day, ()) == everyday.weekly
    assert [] == problems + more


@pytest.mark.parametrize(
    "text",
    ['exceptions = { "2026-12-25" = [], 2026-12-24 = ["08:00-12:00"] }']
    + ['[exceptions]\n2026-12-25 = []\n2026-12-24 = ["08:00-12:00"]'],
)
def test_exceptions_replace_days(text):
    """Inline or as a table of their own."""
    schedule, problems = read(f"every_day = ['22:00-06:00']\n{text}")

    assert [] == problems
    expected = ((date(2026, 12, 25), ()), (date(2026, 12, 24), (MORNING,)))
    assert expected == schedule.exceptions


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-29", "christmas", "20261225", "26-12-25"])
def test_an_exception_on_no_day_is_refused(day):
    """With its line."""
    _, problems = read(f"[exceptions]\n{day} = []")

    assert [(2, f"schedule.s.exceptions.{day} is no day of the calendar.")] == [
        (p.line, p.message) for p in problems
    ]


@pytest.mark.parametrize("value", ["[]", "'2026-12-25'", "['2026-12-25']"])
def test_exceptions_that_are_no_table_are_refused(value):
    """A list of days does not say when they are open."""
    _, problems = read(f"exceptions = {value}")

    assert ["schedule.s.exceptions"] == [p.path for p in problems]


def test_a_misspelt_day_is_refused_with_the_right_one():
    """Otherwise that day would be closed and nobody would know why."""
    _, problems = read("wednessday = []")

    assert ["Did you mean wednesday?"] == [p.hint for p in problems]


def test_an_empty_schedule_is_refused():
    """It would never be open."""
    assert 1 == len(read("")[1])


def test_the_zone_is_the_site_s():
    """Ten in the morning in Bucharest is eight o'clock UTC in winter."""
    schedule, _ = read('every_day = ["10:00-11:00"]')

    assert schedule.covers(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
    assert not schedule.covers(datetime(2026, 1, 5, 10, 0, tzinfo=UTC))
    assert len(DAYS) == len(schedule.weekly)
