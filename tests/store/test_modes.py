"""Orders in the store."""

from datetime import timedelta
from pathlib import Path

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import OrderId
from postern.core.mode import Mode
from postern.store.store import Store, open_store
from tests.core.test_mode import HOUR, order
from tests.people import BARRIER, DAY, DOOR, NOW

LOCKED = order(Mode.LOCKDOWN, DOOR.id, BARRIER.id, until=None)
FREE = order(Mode.FREE_FLOW, since=NOW - HOUR)


def test_orders_are_read_back_as_they_were_given(store: Store, tmp_path: Path) -> None:
    """By another program, too, which sees that something has changed."""
    with open_store(tmp_path) as other:
        before = other.version()
        store.modes.add(LOCKED)
        store.modes.add(FREE)

        assert (FREE, LOCKED) == store.modes.all() == other.modes.all()
        assert before != other.version()


def test_an_order_is_ended_once(store: Store) -> None:
    """With its places; others stay."""
    store.modes.add(LOCKED)
    store.modes.add(FREE)
    store.modes.end(LOCKED.id)

    assert (FREE,) == store.modes.all()
    for name in (LOCKED.id, OrderId("nonsense")):
        with pytest.raises(PosternError) as unknown:
            store.modes.end(name)
        assert Code.NOT_FOUND is unknown.value.code


def test_an_order_of_the_same_id_is_refused(store: Store) -> None:
    """Nothing of it is kept."""
    store.modes.add(LOCKED)
    with pytest.raises(PosternError) as refused:
        store.modes.add(order(Mode.EVACUATION, name=LOCKED.id))

    assert Code.CONFLICT is refused.value.code
    assert (LOCKED,) == store.modes.all()


def test_what_has_run_out_is_forgotten_and_what_has_no_end_is_not(store: Store) -> None:
    """A lockdown until somebody ends it stays for years."""
    store.modes.add(LOCKED)
    store.modes.add(FREE)
    assert 0 == store.modes.forget(NOW + HOUR - timedelta(seconds=1))
    assert 1 == store.modes.forget(NOW + 400 * DAY)

    assert (LOCKED,) == store.modes.all()
