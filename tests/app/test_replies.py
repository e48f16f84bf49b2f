"""Calls that are done once: together with the record that they were, or not at all."""

from pathlib import Path
from threading import Event, Thread

import pytest

from postern.api.idempotency import REMEMBERED, Once
from postern.app.replies import Replies
from postern.core.errors import Code, PosternError
from postern.store.store import Store, open_store
from postern.web.problem import RefusedError
from tests.clocks import SteppedClock
from tests.people import ERIN, GARAGE, PERSONS, VAN

CALL = Once("user:maria", "k-1", "ab" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def test_call_that_comes_while_the_first_is_done_waits_for_it(store: Store) -> None:
    """It is shown what came of that, and does nothing."""
    replies, begun, go_on = Replies(store, SteppedClock()), Event(), Event()
    done: list[str] = []

    def do(name: str) -> str:
        done.append(name)
        begun.set()
        go_on.wait(2)
        return name

    told: list[str | None] = []
    first = Thread(target=lambda: told.append(replies.once(CALL, lambda: do("first"))))
    first.start()
    assert begun.wait(5)
    second = Thread(target=lambda: told.append(replies.once(CALL, lambda: do("second"))))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert (["first"], ["first", "first"]) == (done, told)
    store.close()


def test_call_that_fails_leaves_nothing(store: Store) -> None:
    """Neither what it had done before it failed, nor its key."""
    replies = Replies(store, SteppedClock())

    def fail() -> str:
        store.vehicles.add(GARAGE[0])
        raise PosternError(Code.UNAVAILABLE, "The disk is full.")

    with pytest.raises(PosternError, match="full"):
        replies.once(CALL, fail)
    assert () == store.vehicles.all()
    assert VAN == replies.once(CALL, lambda: VAN)
    store.close()


def test_key_counts_for_a_day(store: Store) -> None:
    """For its call and no other; then it may stand for something else."""
    clock = SteppedClock()
    replies = Replies(store, clock)
    store.people.add(PERSONS[4])
    assert ERIN == replies.once(CALL, lambda: ERIN)
    with pytest.raises(RefusedError, match="used for another call"):
        replies.once(Once(CALL.by, CALL.key, "cd" * 32), lambda: VAN)
    assert ERIN == replies.once(CALL, lambda: VAN)
    store.people.remove(ERIN, lambda person: None)
    assert replies.once(CALL, lambda: VAN) is None

    clock.advance(REMEMBERED.total_seconds() + 1)
    assert VAN == replies.once(Once(CALL.by, CALL.key, "cd" * 32), lambda: VAN)
    store.close()


def test_call_without_a_key_is_done_each_time(store: Store) -> None:
    """As its caller asks."""
    replies = Replies(store, SteppedClock())
    done = [replies.once(Once("user:maria", None, ""), lambda: "x") for _ in range(2)]

    assert ["x", "x"] == done
    assert replies.once(CALL, lambda: "y") == "y"
    store.close()
