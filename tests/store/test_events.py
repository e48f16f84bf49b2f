"""The index of events: what the journal holds, made fit for questions."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Event, Interrupted, Released
from postern.core.ids import AttemptId, EventId
from postern.event_text import encode, kind
from postern.store.store import STORE_FILE, Store
from tests.people import ALICE, BARRIER, DAY, DOOR, ERIN, NOW, VAN, WAY_OUT
from tests.store.samples import ALL_KINDS, granted


def take(store: Store, *events: Event) -> None:
    """Takes events in, numbered on from those that are there."""
    store.events.take(list(enumerate(map(encode, events), start=store.events.end())))


def test_every_kind_of_event_is_taken_and_given_back(store: Store) -> None:
    """Numbered from 0, as in the log."""
    take(store, *ALL_KINDS)

    kept = store.events.list()
    assert [str(n) for n in reversed(range(len(ALL_KINDS)))] == [entry.id for entry in kept]
    assert list(reversed(ALL_KINDS)) == [entry.event for entry in kept]
    assert [kind(event) for event in reversed(ALL_KINDS)] == [entry.kind for entry in kept]
    assert {NOW} == {entry.at for entry in kept}
    assert len(ALL_KINDS) == store.events.end()
    assert encode(ALL_KINDS[3]) == store.events.text(3)
    assert store.events.text(len(ALL_KINDS)) is None


def test_taking_the_same_again_changes_nothing(store: Store) -> None:
    """Two processes may both bring the index up to date."""
    texts = list(enumerate(map(encode, ALL_KINDS)))
    store.events.take(texts)
    store.events.take(texts)
    store.events.take([])

    assert len(ALL_KINDS) == len(store.events.list()) == store.events.end()


def test_a_damaged_text_is_not_taken_nor_anything_with_it(store: Store) -> None:
    """All or none."""
    with pytest.raises(PosternError) as refused:
        store.events.take([(0, encode(granted())), (1, encode(granted()) + " ")])

    assert Code.INVALID is refused.value.code
    assert (0, ()) == (store.events.end(), store.events.list())


def test_list_is_newest_first_and_limited(store: Store) -> None:
    """By time, by number, by access point, by who is named, and at most so many."""
    for hour in range(6):
        place, who = (DOOR, ALICE) if hour % 2 else (BARRIER, ERIN)
        take(
            store,
            replace(
                granted(f"a-{hour}"),
                at=NOW + timedelta(hours=hour),
                access_point=place.id,
                holders=(who, VAN) if hour == 3 else (who,),
            ),
        )

    def ids(**filters) -> list[str]:
        return [entry.id for entry in store.events.list(**filters)]

    assert ["5", "4", "3", "2", "1", "0"] == ids()
    assert ["5", "4"] == ids(limit=2)
    assert ["5", "4"] == ids(since=NOW + timedelta(hours=4))
    assert ["5", "3", "1"] == ids(access_point=DOOR.id)
    assert ["5", "4"] == ids(after=EventId("3"))
    assert ["5", "4", "3", "2", "1", "0"] == ids(after=EventId("nonsense"))
    assert ["4"] == ids(access_point=BARRIER.id, after=EventId("2"), limit=5)
    assert [] == ids(access_point=WAY_OUT.id)
    assert ["5", "3", "1"] == ids(naming=[ALICE])
    assert ["3"] == ids(naming=[VAN])
    assert ["5", "4", "3", "2", "1", "0"] == ids(naming=[ALICE, ERIN])
    assert [] == ids(naming=[])
    assert [] == ids(naming=["p-ali", "%", "_"])


def test_unfinished_grants_are_those_without_an_outcome(store: Store) -> None:
    """Releases are among them; denials, answered grants and interrupted ones are not."""
    take(
        store,
        granted("answered"),
        granted("open"),
        granted("closed"),
        replace(granted("denied"), reason=Reason.STALE),
        replace(granted("out"), reason=Reason.EXIT, access_point=WAY_OUT.id),
        Acted(NOW, DOOR.id, AttemptId("answered"), False, "the relay did not answer"),
        Interrupted(NOW, DOOR.id, AttemptId("closed")),
        Acted(NOW, BARRIER.id, AttemptId("open"), True, "another place"),
        Released(NOW, DOOR.id, AttemptId("by-hand"), "guard", ""),
        Released(NOW, DOOR.id, AttemptId("moved"), "guard", ""),
        Acted(NOW, DOOR.id, AttemptId("moved"), True, "opened"),
    )

    assert ["open", "out", "by-hand"] == [event.attempt for event in store.events.unfinished()]


def test_expired_events_are_in_no_file_any_more(store: Store, tmp_path: Path) -> None:
    """Who, where and which attempt are gone from every file of the store; later ones stay."""
    take(store, granted("needle-in-the-log"), replace(granted("recent"), at=NOW + 2 * DAY))
    assert _holding(tmp_path, b"needle-in-the-log")

    assert 1 == store.events.expire(NOW + DAY, NOW + 3 * DAY)
    assert 0 == store.events.expire(NOW + DAY, NOW + 3 * DAY)
    assert ["1"] == [entry.id for entry in store.events.list()]
    assert [] == _holding(tmp_path, b"needle-in-the-log")
    assert ["recent"] == [event.attempt for event in store.events.unfinished()]
    assert 2 == store.events.end()


def test_cleared_index_is_empty_and_can_be_made_anew(store: Store, tmp_path: Path) -> None:
    """Nothing of it stays, and the same events may be taken again."""
    take(store, granted("needle-in-the-log"))

    assert 1 == store.events.clear()
    assert (0, ()) == (store.events.end(), store.events.list())
    assert [] == _holding(tmp_path, b"needle-in-the-log")
    take(store, granted("again"))
    assert ["0"] == [entry.id for entry in store.events.list()]


def test_damaged_event_is_refused(store: Store, tmp_path: Path) -> None:
    """A row that somebody edited is not shown as if it were true."""
    take(store, granted())
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute("UPDATE events SET body = replace(body, '\"v\":1', '\"v\":1 ')")
    file.close()

    with pytest.raises(PosternError, match="damaged"):
        store.events.list()


def _holding(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]


def test_larger_checkpoints_take_the_place_of_smaller_ones(store: Store) -> None:
    """Of one size the first one counts: nobody makes another one seen by being late."""
    assert None is store.events.seen()
    for size, root, seen in ((0, b"0", 0), (3, b"3", 3), (3, b"x", 3), (2, b"2", 3), (4, b"4", 4)):
        store.events.see(size, root * 32)
        assert (seen, b"%d" % seen * 32) == store.events.seen()
    store.events.clear()
    assert None is not store.events.seen()
    store.events.begin_anew()
    assert None is store.events.seen()


def test_event_from_the_future_is_as_old_as_what_came_after_it(store: Store) -> None:
    """As in the journal: a clock that was wrong keeps nothing for years."""
    times = (NOW, NOW + 4000 * DAY, NOW + DAY, NOW + 3 * DAY, NOW + 5000 * DAY)
    take(store, *(replace(granted(str(n)), at=at) for n, at in enumerate(times)))
    now = NOW + 3 * DAY

    assert 1 == store.events.expire(NOW + DAY, now)
    assert (1, 2, 3, 4) == store.events.numbers(NOW + DAY)
    assert 2 == store.events.expire(NOW + 2 * DAY, now)
    assert (3, 4) == store.events.numbers(NOW)


@pytest.mark.parametrize("root", ["'junk'", "x'00'", "'ä'"])
def test_damaged_memory_of_a_checkpoint_is_one_sentence(
    store: Store, tmp_path: Path, root: str
) -> None:
    """Not taken for one that was never seen."""
    store.events.see(3, bytes(32))
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute(f"UPDATE published SET root = {root}")  # noqa: S608 - constants
    file.close()
    with pytest.raises(PosternError, match="last checkpoint is damaged") as found:
        store.events.seen()
    assert Code.INVALID is found.value.code
