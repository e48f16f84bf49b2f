"""Events: numbered without gaps, durable when acknowledged, gone when they expire."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Changed, Event, Interrupted
from postern.core.event_text import decode, encode, kind
from postern.core.ids import AttemptId, EventId
from postern.core.ports import Ledger
from postern.store.store import STORE_FILE, Store, open_store
from tests.people import BARRIER, DAY, DOOR, NOW, WAY_OUT
from tests.store.samples import ALL_KINDS, granted


def test_every_kind_of_event_is_written_and_read(store: Store) -> None:
    """None is missing from the samples, and each comes back as it was."""
    assert set(get_args(Event)) == {type(event) for event in ALL_KINDS}
    ledger: Ledger = store.events
    numbers = [ledger.append(event) for event in ALL_KINDS]

    kept = store.events.list()
    assert [str(n) for n in range(1, len(ALL_KINDS) + 1)] == numbers
    assert list(reversed(ALL_KINDS)) == [entry.event for entry in kept]
    assert [kind(event) for event in reversed(ALL_KINDS)] == [entry.kind for entry in kept]
    assert {NOW} == {entry.at for entry in kept}


def test_event_text_is_golden() -> None:
    """The ledger will hash this text; it must not change under an installed site."""
    assert encode(granted()) == (
        '{"access_point":"door","at":"2026-03-04T12:00:00.000000Z","attempt":"attempt","band":5,'
        '"holders":["p-alice"],"kind":"decided","passback":false,"permit":"alice",'
        '"reason":"permitted","v":1}'
    )


def test_event_text_is_in_utc() -> None:
    """The same instant in another zone is the same text."""
    bucharest = NOW.astimezone(timezone(timedelta(hours=2)))

    assert encode(granted()) == encode(replace(granted(), at=bucharest))


@pytest.mark.parametrize(
    "event",
    [
        replace(granted(), at=datetime(2026, 3, 4, 12, 0)),  # noqa: DTZ001 - the case itself
        replace(granted(), band=1.5),  # type: ignore[arg-type]
        replace(granted(), band=True),
        replace(granted(), passback=1),  # type: ignore[arg-type]
        replace(granted(), permit=7),  # type: ignore[arg-type]
        replace(granted(), holders="p-alice"),  # type: ignore[arg-type]
        replace(granted(), holders=(7,)),  # type: ignore[arg-type]
        Changed(NOW, "what", "\ud800", "by"),
        Changed(NOW, "what", None, "by"),  # type: ignore[arg-type]
    ],
)
def test_event_that_does_not_read_back_is_refused(store: Store, event: Event) -> None:
    """Before it is kept, not after."""
    with pytest.raises(PosternError) as refused:
        store.events.append(event)

    assert Code.INVALID is refused.value.code
    assert () == store.events.list()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace(',"v":1', ""),
        lambda t: t.replace('"v":1', '"v":2'),
        lambda t: t.replace('"v":1', '"v":true'),
        lambda t: t.replace('"v":1', '"age":41,"v":1'),
        lambda t: t.replace('"band":5', '"band":5.0'),
        lambda t: t.replace('"band":5', '"band":5,"band":5'),
        lambda t: t.replace('"decided"', '"guessed"'),
        lambda t: t.replace('"permitted"', '"because"'),
        lambda t: t.replace(".000000Z", "Z"),
        lambda t: t.replace(".000000Z", ".000000+00:00"),
        lambda t: t.replace("door", "\\u0064oor"),
        lambda t: t.replace(":", ": "),
        lambda t: t + "\n",
        lambda t: t[:-1],
        lambda t: "[" * 100_000,
    ],
)
def test_text_that_is_not_canonical_is_refused(change) -> None:
    """One event has one text; every other is damage, with one error."""
    with pytest.raises(PosternError):
        decode(change(encode(granted())))


@settings(max_examples=50)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_hostile_text_raises_only_our_error(text: str) -> None:
    """Whatever text comes, the answer is a refusal in one sentence."""
    with pytest.raises(PosternError):
        decode(text)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(Reason),
    st.integers(0, 9),
)
def test_every_event_reads_back_to_itself(
    at: datetime, name: str, reason: Reason, band: int
) -> None:
    """For any time, name, reason and band, text and event determine one another."""
    for event in (
        replace(granted(name), at=at, reason=reason, band=band),
        Changed(at, name, name, name),
    ):
        assert event == decode(encode(event))


def test_list_is_newest_first_and_limited(store: Store) -> None:
    """By time, by number, by access point, and at most so many."""
    for hour in range(6):
        place = DOOR if hour % 2 else BARRIER
        store.events.append(
            replace(granted(f"a-{hour}"), at=NOW + timedelta(hours=hour), access_point=place.id)
        )

    def ids(**filters) -> list[str]:
        return [entry.id for entry in store.events.list(**filters)]

    assert ["6", "5", "4", "3", "2", "1"] == ids()
    assert ["6", "5"] == ids(limit=2)
    assert ["6", "5"] == ids(since=NOW + timedelta(hours=4))
    assert ["6", "4", "2"] == ids(access_point=DOOR.id)
    assert ["6", "5"] == ids(after=EventId("4"))
    assert ["5"] == ids(access_point=BARRIER.id, after=EventId("3"), limit=5)
    assert [] == ids(access_point=WAY_OUT.id)


def test_unfinished_grants_are_those_without_an_outcome(store: Store) -> None:
    """Denials, answered grants and interrupted ones are not among them."""
    denied = replace(granted("denied"), reason=Reason.STALE)
    for event in (
        granted("answered"),
        granted("open"),
        granted("closed"),
        denied,
        replace(granted("out"), reason=Reason.EXIT, access_point=WAY_OUT.id),
        Acted(NOW, DOOR.id, AttemptId("answered"), False, "the relay did not answer"),
        Interrupted(NOW, DOOR.id, AttemptId("closed")),
        Acted(NOW, BARRIER.id, AttemptId("open"), True, "another place"),
    ):
        store.events.append(event)

    assert ["open", "out"] == [event.attempt for event in store.events.unfinished()]


def test_closing_unfinished_grants_leaves_none(store: Store) -> None:
    """What a restart does."""
    store.events.append(granted())
    for open_grant in store.events.unfinished():
        store.events.append(Interrupted(NOW, open_grant.access_point, open_grant.attempt))

    assert () == store.events.unfinished()


def test_expired_events_keep_their_number_and_nothing_else(store: Store, tmp_path: Path) -> None:
    """Who, where and which attempt are gone from every file of the store."""
    store.events.append(granted("needle-in-the-log"))
    store.events.append(replace(granted("recent"), at=NOW + 2 * DAY))
    assert _holding(tmp_path, b"needle-in-the-log")

    assert 1 == store.events.expire(NOW + DAY)
    assert 0 == store.events.expire(NOW + DAY)
    recent, old = store.events.list()
    assert (EventId("1"), NOW, "decided", None) == (old.id, old.at, old.kind, old.event)
    assert recent.event is not None
    assert [] == _holding(tmp_path, b"needle-in-the-log")
    assert ["recent"] == [event.attempt for event in store.events.unfinished()]
    assert "3" == store.events.append(granted("next"))


def test_damaged_event_is_refused(store: Store, tmp_path: Path) -> None:
    """A row that somebody edited is not shown as if it were true."""
    store.events.append(granted())
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute("UPDATE events SET body = replace(body, '\"v\":1', '\"v\":1 ')")
    file.close()

    with pytest.raises(PosternError, match="damaged"):
        store.events.list()


def test_acknowledged_events_survive_a_kill(tmp_path: Path) -> None:
    """Killed at any point, the store holds every event that was acknowledged, without a gap."""
    acknowledged = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _APPEND, str(tmp_path)], stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert child.stdout is not None
        with child.stdout as lines:
            for _ in range(25):
                acknowledged = int(lines.readline())
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(n) for n in lines.read().split() if n)])
        child.wait()
        with open_store(tmp_path) as store:
            numbers = [int(entry.id) for entry in store.events.list(limit=100_000)]
        assert list(range(len(numbers), 0, -1)) == numbers
        assert len(numbers) >= acknowledged


_APPEND = """
import sys
from pathlib import Path
from postern.store.store import open_store
from tests.store.samples import granted

store = open_store(Path(sys.argv[1]))
while True:
    print(store.events.append(granted()), flush=True)
"""


def _holding(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]
