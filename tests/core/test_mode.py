"""Orders: who may give which, what is in force, and which of several counts."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.access_point import AccessPoint, Direction, Evacuation
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, OrderId
from postern.core.mode import DOES, MAX_WHY, MOST, Mode, Order, mode_at
from tests.people import BARRIER, DAY, DOOR, NOW, WAY_OUT

HOUR = timedelta(hours=1)
STAYS = replace(WAY_OUT, evacuation=Evacuation.STAY)
OPENS = replace(DOOR, evacuation=Evacuation.OPEN)


def order(
    mode: Mode,
    *places: AccessPointId,
    until: datetime | None = NOW + HOUR,
    since: datetime = NOW,
    name: str = "",
) -> Order:
    """An order of a guard."""
    return Order(
        OrderId(name or mode), mode, frozenset(places), "guard", "smoke in the hall", since, until
    )


def at(place: AccessPoint, *orders: Order, now: datetime = NOW, trusted: bool = True) -> Mode:
    return mode_at(place, orders, now, trusted=trusted)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"why": ""}, "a reason of"),
        ({"why": "   x   "}, "a reason of"),
        ({"why": "x" * (MAX_WHY + 1)}, "a reason of"),
        ({"why": "smoke\x1b[2J"}, "a reason of"),
        ({"by": " "}, "has a name"),
        ({"by": "x" * 65}, "has a name"),
        ({"mode": Mode.NORMAL}, "where there is no order"),
        ({"until": NOW}, "ends after it begins"),
        ({"until": NOW + MOST + timedelta(seconds=1)}, "7 days at most"),
        ({"mode": Mode.FREE_FLOW, "until": NOW + MOST + HOUR}, "7 days at most"),
        ({"mode": Mode.FREE_FLOW, "until": None}, "has to end by itself"),
    ],
)
def test_an_order_that_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    """In one sentence, before anything is kept."""
    with pytest.raises(PosternError, match=said) as refused:
        replace(order(Mode.LOCKDOWN), **wrong)

    assert Code.INVALID is refused.value.code


def test_a_lockdown_may_last_until_it_is_ended_and_so_may_an_evacuation() -> None:
    """An evacuation also for longer than a week."""
    for mode in (Mode.LOCKDOWN, Mode.EVACUATION):
        assert order(mode, until=None).holds(NOW + 400 * DAY, trusted=True)
    assert order(Mode.EVACUATION, until=NOW + 30 * DAY).until


@pytest.mark.parametrize(
    ("mode", "after", "trusted", "holds"),
    [
        (Mode.FREE_FLOW, timedelta(0), True, True),
        (Mode.FREE_FLOW, HOUR - timedelta(seconds=1), True, True),
        (Mode.FREE_FLOW, HOUR, True, False),
        (Mode.FREE_FLOW, -HOUR, True, False),
        (Mode.FREE_FLOW, timedelta(0), False, False),
        (Mode.LOCKDOWN, timedelta(0), True, True),
        (Mode.LOCKDOWN, HOUR, True, False),
        (Mode.LOCKDOWN, -HOUR, True, True),
        (Mode.LOCKDOWN, HOUR, False, True),
        (Mode.LOCKDOWN, -56 * 365 * DAY, False, True),
        (Mode.EVACUATION, HOUR, True, False),
        (Mode.EVACUATION, HOUR, False, True),
        (Mode.EVACUATION, -HOUR, True, True),
    ],
)
def test_an_order_is_in_force_until_its_end_by_a_clock_that_can_be_relied_on(
    mode: Mode, after: timedelta, trusted: bool, holds: bool
) -> None:
    """With one that cannot, nobody is let in by free flow, and no lockdown or evacuation ends."""
    assert holds is order(mode).holds(NOW + after, trusted=trusted)


@pytest.mark.parametrize(
    ("place", "modes", "expected"),
    [
        (DOOR, [], Mode.NORMAL),
        (DOOR, [Mode.FREE_FLOW], Mode.FREE_FLOW),
        (DOOR, [Mode.FREE_FLOW, Mode.LOCKDOWN], Mode.LOCKDOWN),
        (DOOR, [Mode.EVACUATION], Mode.NORMAL),
        (DOOR, [Mode.EVACUATION, Mode.LOCKDOWN], Mode.LOCKDOWN),
        (DOOR, [Mode.EVACUATION, Mode.FREE_FLOW], Mode.FREE_FLOW),
        (OPENS, [Mode.EVACUATION, Mode.LOCKDOWN], Mode.EVACUATION),
        (WAY_OUT, [Mode.EVACUATION, Mode.LOCKDOWN], Mode.EVACUATION),
        (STAYS, [Mode.EVACUATION, Mode.LOCKDOWN], Mode.LOCKDOWN),
    ],
)
def test_of_several_orders_the_gravest_counts(
    place: AccessPoint, modes: list[Mode], expected: Mode
) -> None:
    """In whatever order they were given."""
    orders = [order(mode) for mode in modes]

    assert expected is at(place, *orders) is at(place, *orders[::-1])


def test_an_order_is_about_the_access_points_that_it_names() -> None:
    """Or about all of them."""
    locked = order(Mode.LOCKDOWN, DOOR.id)

    assert (Mode.LOCKDOWN, Mode.NORMAL) == (at(DOOR, locked), at(BARRIER, locked))
    assert Mode.LOCKDOWN is at(BARRIER, order(Mode.LOCKDOWN))


def test_an_order_that_is_over_by_another_clock_counts_no_more() -> None:
    """Others do."""
    both = (order(Mode.FREE_FLOW, name="a"), order(Mode.FREE_FLOW, DOOR.id, name="b"))
    for ended, expected in ((("a",), Mode.FREE_FLOW), (("a", "b"), Mode.NORMAL)):
        assert expected is mode_at(DOOR, both, NOW, trusted=True, ended=set(map(OrderId, ended)))


@given(
    st.lists(st.sampled_from([Mode.FREE_FLOW, Mode.LOCKDOWN, Mode.EVACUATION]), max_size=4),
    st.timedeltas(timedelta(days=-9000), timedelta(days=9000)),
    st.booleans(),
    st.sampled_from([DOOR, OPENS, WAY_OUT, STAYS]),
)
def test_nothing_is_held_open_but_by_an_order_to_do_so(
    modes: list[Mode], after: timedelta, trusted: bool, place: AccessPoint
) -> None:
    """Whatever the calendar shows; and no exit that opens stays shut in an evacuation."""
    found = at(place, *map(order, modes), now=NOW + after, trusted=trusted)

    if found is Mode.FREE_FLOW:
        assert Mode.FREE_FLOW in modes
        assert trusted
        assert Mode.LOCKDOWN not in modes or after >= HOUR
    if found is Mode.EVACUATION:
        assert Mode.EVACUATION in modes
        assert place.opens_in_evacuation
    if Mode.EVACUATION in modes and place.opens_in_evacuation and (not trusted or after < HOUR):
        assert Mode.EVACUATION is found


def test_every_mode_says_what_it_does() -> None:
    """For whoever orders it."""
    assert set(DOES) == set(Mode)
    assert all(DOES.values())


def test_exits_open_in_an_evacuation_unless_they_say_not_and_entries_if_they_say_so() -> None:
    """Nothing else decides."""
    for direction in Direction:
        place = replace(DOOR, direction=direction)
        assert (direction is Direction.EXIT) is place.opens_in_evacuation
        assert replace(place, evacuation=Evacuation.OPEN).opens_in_evacuation
        assert not replace(place, evacuation=Evacuation.STAY).opens_in_evacuation
