"""The place for the newest frame."""

import time
from threading import Thread, Timer

from postern.engine.mailbox import Mailbox


def test_mailbox_gives_the_newest_and_counts_the_others() -> None:
    """Of three items the last is taken; two were dropped."""
    box: Mailbox[int] = Mailbox()
    for item in (1, 2, 3):
        box.put(item)

    assert 3 == box.take(0.0)
    assert 2 == box.dropped
    assert box.take(0.0) is None


def test_mailbox_keeps_items_that_are_false() -> None:
    """Zero is an item like any other."""
    box: Mailbox[int] = Mailbox()
    box.put(0)

    assert 0 == box.take(0.0)


def test_take_waits_for_an_item() -> None:
    """Whoever came first gets what is put later."""
    box: Mailbox[str] = Mailbox()
    Timer(0.1, box.put, ("late",)).start()

    assert "late" == box.take(5.0)


def test_take_gives_nothing_after_its_time() -> None:
    """A wait is bounded."""
    box: Mailbox[str] = Mailbox()
    start = time.monotonic()

    assert box.take(0.1) is None
    assert 0.05 <= time.monotonic() - start < 2.0


def test_close_wakes_everybody() -> None:
    """All who wait without limit return at once, with nothing."""
    box: Mailbox[str] = Mailbox()
    got: list[str | None] = []
    waiting = [Thread(target=lambda: got.append(box.take()), daemon=True) for _ in range(4)]
    for thread in waiting:
        thread.start()
    time.sleep(0.1)
    box.close()
    for thread in waiting:
        thread.join(2.0)

    assert [None] * 4 == got


def test_close_leaves_nothing_to_take() -> None:
    """A frame from before the end is not decided on after it; it counts as dropped."""
    box: Mailbox[str] = Mailbox()
    box.put("before")
    box.close()
    box.put("after")
    box.close()

    assert box.closed
    assert box.take() is None
    assert 2 == box.dropped


def test_mailbox_loses_and_doubles_nothing_between_threads() -> None:
    """Under a race of two putters and three takers each item is taken once or dropped once."""
    box: Mailbox[int] = Mailbox()
    count, taken = 2000, []

    def put(first: int) -> None:
        for item in range(first, 2 * count, 2):
            box.put(item)

    def take() -> None:
        while True:
            item = box.take()
            if item is None:
                return
            taken.append(item)

    takers = [Thread(target=take, daemon=True) for _ in range(3)]
    putters = [Thread(target=put, args=(first,)) for first in (0, 1)]
    for thread in takers + putters:
        thread.start()
    for thread in putters:
        thread.join(30.0)
    box.close()
    for thread in takers:
        thread.join(30.0)

    assert not any(thread.is_alive() for thread in takers + putters)
    assert len(taken) == len(set(taken))
    assert 2 * count == len(taken) + box.dropped


def test_mailbox_hands_over_in_order() -> None:
    """One putter and one taker: what is taken only ever gets newer."""
    box: Mailbox[int] = Mailbox()

    def put() -> None:
        for item in range(2000):
            box.put(item)

    putter = Thread(target=put)
    putter.start()

    taken = []
    while 1999 not in taken:
        item = box.take(10.0)
        assert item is not None
        taken.append(item)
    putter.join()

    assert sorted(set(taken)) == taken
