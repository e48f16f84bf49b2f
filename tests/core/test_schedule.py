"""When a permit counts: days, nights, exceptions, and the two odd nights of the year."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import PosternError
from postern.core.schedule import DAYS, Schedule, Span

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ALL_DAY = Span(time(0), time(0))
OFFICE_HOURS = Span(time(8), time(18))
NIGHT = Span(time(22), time(6))
SMALL_HOURS = Span(time(2), time(3))
MINUTE = timedelta(minutes=1)

#: 2026-03-02 is a Monday.
MONDAY, SATURDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 7), date(2026, 3, 8)


def on(*days, zone=UTC, exceptions=(), spans=(OFFICE_HOURS,)):
    """A schedule with the same spans on each of `days` (0 for Monday), or every day."""
    chosen = days or range(7)
    weekly = tuple(spans if day in chosen else () for day in range(7))
    return Schedule(zone, weekly, tuple(exceptions))


def at(day, clock, zone=UTC, *, fold=0):
    """The moment, in UTC, at which the clocks of `zone` show `clock` on `day`."""
    return datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "covered"),
    [
        (time(7, 59, 59, 999_999), False),
        (time(8), True),
        (time(12), True),
        (time(17, 59, 59, 999_999), True),
        (time(18), False),
        (time(0), False),
    ],
)
def test_a_span_has_its_beginning_and_not_its_end(clock, covered):
    """Half-open, so that spans that meet neither overlap nor leave a gap."""
    assert covered == on().covers(at(MONDAY, clock))


def test_a_schedule_covers_only_its_days():
    """A weekday's span is not a Sunday's."""
    working_days = on(0, 1, 2, 3, 4)

    assert [True] * 5 + [False] * 2 == [
        working_days.covers(at(MONDAY + timedelta(days=k), time(12))) for k in range(7)
    ]


@pytest.mark.parametrize(
    ("day", "clock", "covered"),
    [
        (SUNDAY, time(21, 59), False),
        (SUNDAY, time(22), True),
        (SUNDAY + timedelta(days=1), time(0), True),
        (SUNDAY + timedelta(days=1), time(5, 59), True),
        (SUNDAY + timedelta(days=1), time(6), False),
        (SUNDAY + timedelta(days=1), time(22), False),
        (SUNDAY, time(3), False),
    ],
)
def test_a_night_runs_over_midnight_and_over_the_end_of_the_week(day, clock, covered):
    """Sunday's night ends on Monday morning, and there is no other."""
    assert covered == on(6, spans=(NIGHT,)).covers(at(day, clock))


def test_midnight_to_midnight_is_the_whole_day_and_no_more():
    """From 00:00 to 00:00 covers its own day to the last microsecond."""
    monday = on(0, spans=(ALL_DAY,))
    edges = [at(MONDAY, time(0)) - timedelta(microseconds=1), at(MONDAY, time(0)),
             at(MONDAY, time.max), at(MONDAY + timedelta(days=1), time(0))]  # fmt: skip

    assert [False, True, True, False] == [monday.covers(edge) for edge in edges]


def test_a_span_to_its_own_start_lasts_a_day():
    """From ten to ten runs until ten on the day after."""
    monday = on(0, spans=(Span(time(10), time(10)),))
    tuesday = MONDAY + timedelta(days=1)

    assert [False, True, True, False] == [
        monday.covers(at(day, clock))
        for day, clock in [
            (MONDAY, time(9, 59)), (MONDAY, time(10)), (tuesday, time(9, 59)), (tuesday, time(10))
        ]
    ]  # fmt: skip


def test_an_exception_without_spans_closes_the_day():
    """On a closed day nothing begins."""
    closed = on(exceptions=[(MONDAY, ())])

    assert not closed.covers(at(MONDAY, time(12)))
    assert closed.covers(at(MONDAY + timedelta(days=7), time(12)))


def test_an_exception_replaces_the_days_spans():
    """A short day before a holiday has its own hours, and only these."""
    short = on(exceptions=[(MONDAY, (Span(time(6), time(10)),))])

    assert [True, True, False] == [
        short.covers(at(MONDAY, clock)) for clock in (time(7), time(9), time(12))
    ]


def test_an_exception_can_open_a_day_that_is_closed():
    """A Sunday of open doors."""
    working_days = on(0, 1, 2, 3, 4, exceptions=[(SUNDAY, (OFFICE_HOURS,))])

    assert working_days.covers(at(SUNDAY, time(12)))


def test_the_evening_before_runs_into_a_closed_day_and_the_closed_day_has_no_night():
    """What began is finished; what would have begun does not."""
    nights = on(spans=(NIGHT,), exceptions=[(SUNDAY, ())])

    assert nights.covers(at(SUNDAY, time(5)))
    assert not nights.covers(at(SUNDAY, time(23)))
    assert not nights.covers(at(SUNDAY + timedelta(days=1), time(5)))


def test_an_exceptions_night_runs_over_midnight():
    """An exceptional evening ends on the morning after."""
    once = on(0, spans=(), exceptions=[(SATURDAY, (NIGHT,))])

    assert once.covers(at(SUNDAY, time(5)))
    assert not once.covers(at(SUNDAY, time(6)))


@pytest.mark.parametrize(
    ("zone", "day"), [(BERLIN, date(2026, 3, 29)), (NEW_YORK, date(2026, 3, 8))]
)
def test_the_hour_that_spring_leaves_out_is_in_no_span(zone, day):
    """Clocks go from 01:59 to 03:00: a span from 02:00 to 03:00 never comes, one to 04:00 does."""
    last = at(day, time(1, 59, 59), zone)
    first = last + timedelta(seconds=1)
    skipped = [on(zone=zone, spans=(SMALL_HOURS,)).covers(last + k * MINUTE) for k in range(180)]

    assert time(3) == first.astimezone(zone).time()
    assert not any(skipped)
    begins_inside = on(zone=zone, spans=(Span(time(2, 30), time(4)),))
    assert [False, True] == [begins_inside.covers(last), begins_inside.covers(first)]
    ends_inside = on(zone=zone, spans=(Span(time(1), time(2, 30)),))
    assert [True, False] == [ends_inside.covers(last), ends_inside.covers(first)]


@pytest.mark.parametrize(
    ("zone", "day"), [(BERLIN, date(2026, 10, 25)), (NEW_YORK, date(2026, 11, 1))]
)
def test_the_hour_that_autumn_repeats_is_in_its_span_both_times(zone, day):
    """A span over the repeated hour lasts two hours, and one beside it is not touched."""
    repeated = time(2, 30) if zone is BERLIN else time(1, 30)
    span = Span(repeated.replace(minute=0), repeated.replace(hour=repeated.hour + 1, minute=0))
    beside = Span(span.end, time(12))
    first, second = at(day, repeated, zone), at(day, repeated, zone, fold=1)

    assert timedelta(hours=1) == second - first
    both = on(zone=zone, spans=(span,))
    assert 120 == sum(both.covers(first + k * MINUTE) for k in range(-180, 180))
    assert [True, True] == [both.covers(first), both.covers(second)]
    assert not any(on(zone=zone, spans=(beside,)).covers(t) for t in (first, second))


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 6, 1), 8)],
    ids=["spring", "autumn", "summer"],
)
def test_a_night_shift_is_as_long_as_its_night(day, hours):
    """From 22:00 to 06:00 lasts an hour less in spring and one more in autumn."""
    nights = on(day.weekday(), zone=BERLIN, spans=(NIGHT,))
    begin = at(day, time(22), BERLIN)

    covered = [nights.covers(begin + k * MINUTE) for k in range(-60, 11 * 60)]

    assert [False] * 60 + [True] * (hours * 60) == covered[: 60 + hours * 60]
    assert not any(covered[60 + hours * 60 :])


def test_a_schedule_goes_by_its_own_zone_whatever_the_zone_of_the_question():
    """The same instant in other zones gets the same answer."""
    hours = on(zone=BERLIN)
    morning = at(MONDAY, time(8), BERLIN)

    for zone in (UTC, BERLIN, NEW_YORK, ZoneInfo("Pacific/Kiritimati")):
        assert hours.covers(morning.astimezone(zone))
        assert not hours.covers((morning - timedelta(microseconds=1)).astimezone(zone))


def _covers_by_reading_the_clock(schedule, now):
    """The slow reference: every span of the two days as a piece of wall-clock time."""
    wall = now.astimezone(schedule.zone).replace(tzinfo=None, fold=0)
    for day in (wall.date() - timedelta(days=1), wall.date()):
        exceptional = [spans for when, spans in schedule.exceptions if when == day]
        for span in exceptional[0] if exceptional else schedule.weekly[day.weekday()]:
            begin = datetime.combine(day, span.start)
            end = datetime.combine(day, span.end)
            if end <= begin:
                end += timedelta(days=1)
            if begin <= wall < end:
                return True
    return False


spans = st.builds(
    Span,
    st.times() | st.sampled_from([time(0), time(2, 30), time(22)]),
    st.times() | st.sampled_from([time(0), time(2, 30), time(22)]),
)
days = st.lists(spans, max_size=2).map(tuple)
near_changes = st.integers(-48 * 60, 48 * 60).map(
    lambda minutes: datetime(2026, 3, 29, 1, tzinfo=UTC) + minutes * MINUTE
) | st.integers(-48 * 60, 48 * 60).map(
    lambda minutes: datetime(2026, 10, 25, 1, tzinfo=UTC) + minutes * MINUTE
)


@settings(max_examples=150)
@given(
    st.sampled_from([UTC, BERLIN, NEW_YORK, ZoneInfo("Asia/Kathmandu")]),
    st.tuples(*[days] * 7),
    st.dictionaries(st.dates(date(2026, 3, 27), date(2026, 3, 31)), days, max_size=2),
    near_changes,
)
def test_covers_agrees_with_reading_the_clock(zone, weekly, exceptions, now):
    """The two comparisons are the same as laying every span out as a piece of time."""
    schedule = Schedule(zone, weekly, tuple(exceptions.items()))

    assert _covers_by_reading_the_clock(schedule, now) == schedule.covers(now)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Span(time(8, tzinfo=UTC), time(9)),
        lambda: Span(time(8), time(9, tzinfo=UTC)),
        lambda: Schedule(UTC, ((),) * 6),
        lambda: Schedule(UTC, ((),) * 7, ((MONDAY, ()), (MONDAY, (ALL_DAY,)))),
        lambda: Schedule(UTC, ((),) * 7, ((datetime(2026, 3, 2, tzinfo=UTC), ()),)),
        lambda: on().covers(datetime(2026, 3, 2)),  # noqa: DTZ001 - the mistake under test
    ],
    ids=["start's zone", "end's zone", "six days", "twice", "a time for a day", "no zone"],
)
def test_a_schedule_that_cannot_be_read_is_refused(make):
    """A mistake that would open or shut at the wrong time is said, not guessed."""
    with pytest.raises(PosternError) as refused:
        make()

    assert "invalid" == refused.value.code


def test_the_days_are_in_order():
    """Monday first, as the calendar counts."""
    assert list(DAYS) == [(MONDAY + timedelta(days=k)).strftime("%A").lower() for k in range(7)]
