"""The orders that stand: read without anybody waiting, and ended by whichever clock comes first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, enumerate
from time import monotonic

from postern.core.ids import OrderId
from postern.core.mode import Mode, Order
from postern.core.moment import Moment
from postern.engine.standing import MODES, Standing
from tests.clocks import MachineClock, SteppedClock
from tests.core.test_mode import OPENS, order
from tests.engine.doubles import FakeObserver, every_fault
from tests.engine.test_lane_way_out import until
from tests.people import BARRIER, DOOR, WAY_OUT

HOUR = timedelta(hours=1)


class FakeOrders:
    """Gives what it is told to give, or fails."""

    def __init__(self, *orders: Order) -> None:
        self.kept = orders
        self.fault: Callable[[], None] = lambda: None

    def orders(self) -> tuple[Order, ...]:
        self.fault()
        return self.kept


class SplitClock(SteppedClock):
    """A calendar that can be set without the other clock."""

    def set(self, utc: datetime) -> None:
        self._now = Moment(utc, self._now.monotonic_s)


def standing(orders: FakeOrders, clock: SteppedClock, trusted=lambda utc: True) -> Standing:
    """One that was read once, and is read again by `_look`."""
    made = Standing(orders, clock, trusted, FakeObserver([]))
    made._look()
    return made


def test_what_was_ordered_counts_from_the_next_look_on() -> None:
    """And no more once it is ended."""
    clock = SteppedClock()
    now = clock.now()
    free = order(Mode.FREE_FLOW, DOOR.id, since=now.utc, until=now.utc + HOUR)
    source = FakeOrders()
    stands = standing(source, clock)
    assert Mode.NORMAL is stands.mode(DOOR, now)
    source.kept = (free,)
    stands._look()

    assert (Mode.FREE_FLOW, Mode.NORMAL) == (stands.mode(DOOR, now), stands.mode(BARRIER, now))
    assert stands.opens(DOOR, now)
    assert not stands.opens(BARRIER, now)
    source.kept = ()
    stands._look()
    assert not stands.opens(DOOR, now)


def test_an_evacuation_opens_what_opens_in_one_and_a_lockdown_nothing() -> None:
    """As the site says."""
    clock = SteppedClock()
    now = clock.now()
    stands = standing(FakeOrders(order(Mode.EVACUATION, until=None)), clock)
    assert [True, True, False] == [stands.opens(place, now) for place in (WAY_OUT, OPENS, DOOR)]

    locked = standing(FakeOrders(order(Mode.LOCKDOWN, until=None)), clock)
    assert not locked.opens(WAY_OUT, now)
    assert Mode.LOCKDOWN is locked.mode(DOOR, now)


def test_free_flow_ends_by_the_calendar_or_by_the_clock_that_never_jumps() -> None:
    """Whichever comes first, between two looks, too."""
    for back in (timedelta(0), HOUR * 24):
        clock = SplitClock()
        begun = clock.now()
        free = order(Mode.FREE_FLOW, since=begun.utc, until=begun.utc + HOUR)
        stands = standing(FakeOrders(free), clock)
        clock.advance(1800.0)
        assert stands.opens(DOOR, clock.now())
        clock.advance(1801.0)
        clock.set(clock.now().utc - back)
        assert not stands.opens(DOOR, clock.now())
        stands._look()
        assert not stands.opens(DOOR, clock.now())


def test_attack_calendar_is_set_back_to_keep_a_door_open() -> None:
    """Again and again: it ends all the same, an hour after it was first seen."""
    clock = SplitClock()
    begun = clock.now()
    free = order(Mode.FREE_FLOW, since=begun.utc, until=begun.utc + HOUR)
    stands, opened_s = standing(FakeOrders(free), clock), 0
    for _ in range(200):
        clock.advance(60.0)
        clock.set(begun.utc + timedelta(minutes=1))
        stands._look()
        opened_s += 60 * stands.opens(DOOR, clock.now())

    assert opened_s <= 3600


def test_free_flow_waits_for_a_calendar_that_can_be_relied_on_and_a_lockdown_does_not() -> None:
    """A machine without a battery that starts in 1970 does not know whether it has ended."""
    clock = SplitClock()
    real = clock.now().utc
    orders = FakeOrders(
        order(Mode.FREE_FLOW, BARRIER.id, since=real, until=real + HOUR),
        order(Mode.LOCKDOWN, DOOR.id, since=real, until=real + HOUR),
    )
    clock.set(datetime(1970, 1, 1, tzinfo=UTC))
    stands = standing(orders, clock, lambda utc: utc.year >= 2026)
    assert not stands.opens(BARRIER, clock.now())
    assert Mode.LOCKDOWN is stands.mode(DOOR, clock.now())
    clock.set(real + HOUR / 2)
    stands._look()
    assert stands.opens(BARRIER, clock.now())
    clock.set(real + HOUR)

    assert not stands.opens(BARRIER, clock.now())
    assert Mode.NORMAL is stands.mode(DOOR, clock.now())


@every_fault
def test_orders_that_cannot_be_read_stay_as_they_were(fault) -> None:
    """Red, with why; free flow ends nevertheless."""
    clock = SteppedClock()
    now = clock.now()
    orders = FakeOrders(
        order(Mode.FREE_FLOW, BARRIER.id, since=now.utc, until=now.utc + HOUR),
        order(Mode.LOCKDOWN, DOOR.id, until=None),
    )
    observer = FakeObserver([])
    stands = Standing(orders, clock, lambda utc: True, observer)
    stands._look()
    orders.fault = fault
    stands._look()
    assert stands.opens(BARRIER, now)
    assert Mode.LOCKDOWN is stands.mode(DOOR, now)
    clock.advance(3601.0)
    assert not stands.opens(BARRIER, clock.now())
    orders.fault = lambda: None
    stands._look()

    assert ["ok", "red", "ok"] == observer.of(MODES)


def test_what_is_in_force_is_told_when_it_changes() -> None:
    """Nothing where nothing is; each with where."""
    clock = SteppedClock()
    orders, observer = FakeOrders(), FakeObserver([])
    stands = Standing(orders, clock, lambda utc: True, observer)
    stands._look()
    assert [] == observer.of(MODES)
    orders.kept = (order(Mode.LOCKDOWN, DOOR.id, until=None), order(Mode.EVACUATION, until=None))
    stands._look()
    stands._look()
    orders.kept = ()
    stands._look()

    assert ["in force: lockdown (door); evacuation (everywhere)", "no order is in force"] == [
        why for _, _, why in observer.states
    ]


def test_nobody_waits_for_a_store_that_hangs() -> None:
    """Whoever asks hears what was read last, and the end comes in time."""
    answer, before = Event(), set(enumerate())
    orders = FakeOrders(order(Mode.LOCKDOWN, until=None, name="first"))
    stands = Standing(orders, MachineClock(), lambda utc: True, FakeObserver([]), period_s=0.01)
    stands.start()
    hangs = Event()

    def hang() -> None:
        hangs.set()
        assert answer.wait(30)

    orders.fault = hang
    assert hangs.wait(5)
    begun_s = monotonic()
    assert Mode.LOCKDOWN is stands.mode(DOOR, MachineClock().now())
    stands.halt()
    stands.join(0.2)
    assert monotonic() - begun_s < 0.5
    answer.set()

    assert until(lambda: set(enumerate()) == before)


def test_order_is_known_by_its_id() -> None:
    """A new one of the same kind begins its own time."""
    clock = SteppedClock()
    source = FakeOrders()
    stands = standing(source, clock)
    for name in ("a", "b"):
        now = clock.now().utc
        free = order(Mode.FREE_FLOW, since=now, until=now + HOUR, name=name)
        source.kept = (free,)
        stands._look()
        assert stands.opens(DOOR, clock.now())
        clock.advance(3601.0)
        assert not stands.opens(DOOR, clock.now())
    assert {OrderId("b")} == set(stands._ends)
