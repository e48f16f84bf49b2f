"""What is asked for page by page: everything once, in order, found by an index."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listen

from postern.core.decision import Reason
from postern.core.event import Alarmed, Changed, Decided, Event, Interrupted
from postern.core.ids import AttemptId, PermitId, PersonId, VehicleId
from postern.core.person import Person, folded
from postern.core.vehicle import Vehicle
from postern.event_text import encode
from postern.store.events import Entry, Wanted, named
from postern.store.store import STORE_FILE, Store
from tests.people import ALICE, BARRIER, DAY, DOOR, ERIN, NOW, PERMITS, VAN, permit
from tests.store.samples import ALL_KINDS, granted

NAMES = ("Zoë", "alice", "Alice", "ÅSE", "Ase", "100%", "a_b", "axb", "José", "Straße", "𝒳")


def walked(page: Callable[[Any], Sequence[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """Everything that comes, page after page."""
    found: list[Any] = []
    after = None
    while some := page(after):
        found += some
        after = key(some[-1])
        assert len(found) < 1000
    return found


@pytest.fixture
def crowd(store: Store) -> Store:
    for number, name in enumerate(NAMES):
        store.people.add(Person(PersonId(f"p-{number}"), name))
    return store


@pytest.mark.parametrize("limit", [1, 2, 3, len(NAMES), 200])
def test_people_come_once_each_by_name(crowd: Store, limit: int) -> None:
    """However long the pages are; those of one name by their ids."""
    found = walked(
        lambda after: crowd.people.page(after=after, limit=limit),
        lambda last: (folded(last.name), last.id),
    )

    assert set(NAMES) == {one.name for one in found}
    assert sorted((folded(one.name), one.id) for one in found) == [
        (folded(one.name), one.id) for one in found
    ]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("ALICE", {"alice", "Alice"}),
        ("ase", {"ÅSE", "Ase"}),
        ("åse", {"ÅSE", "Ase"}),
        ("%", {"100%"}),
        ("_", {"a_b"}),
        ("jose", {"José"}),
        ("STRASSE", {"Straße"}),
        ("x", {"axb", "𝒳"}),
        ("'; --", set()),
        ("\\", set()),
        ("\u0301", set()),
    ],
)
def test_people_are_found_by_a_part_of_their_name(
    crowd: Store, written: str, found: set[str]
) -> None:
    """Capitals and marks make no difference, and no character stands for others."""
    assert found == {one.name for one in crowd.people.page(containing=written, limit=200)}


def test_renamed_person_is_found_by_the_new_name_only(crowd: Store) -> None:
    """The name that is looked for changes with the other."""
    crowd.people.rename(Person(PersonId("p-1"), "Borghild"))

    assert ["p-1"] == [one.id for one in crowd.people.page(containing="borg", limit=9)]
    assert ["p-2"] == [one.id for one in crowd.people.page(containing="alice", limit=9)]


def test_vehicles_come_once_each_by_plate(store: Store) -> None:
    """All of them, or those with something in their plate."""
    plates = [f"B{number:03}XY" for number in range(25)]
    for plate in reversed(plates):
        store.vehicles.add(Vehicle(VehicleId(f"v-{plate}"), plate, plate))
    found = walked(lambda after: store.vehicles.page(after=after, limit=4), lambda last: last.plate)

    assert plates == [one.plate for one in found]
    parts = store.vehicles.page(containing="01", limit=200)
    assert [p for p in plates if "01" in p] == [one.plate for one in parts]


def test_permits_come_once_each_by_id(site: Store) -> None:
    """Of everybody and everywhere, of one holder, or of one access point."""
    site.permits.add(permit(ALICE, name="door-only", at=frozenset({DOOR.id})))
    for where in ({}, {"holder": ALICE}, {"access_point": BARRIER.id},
                  {"holder": ERIN, "access_point": DOOR.id}):  # fmt: skip
        found = walked(
            lambda after, where=where: site.permits.page(**where, after=after, limit=2),  # type: ignore[misc]
            lambda last: last.id,
        )

        assert [
            one
            for one in site.permits.all()
            if where.get("holder", next(iter(one.holders))) in one.holders
            and where.get("access_point", DOOR.id) in one.access_points
        ] == found
        assert found
    assert ("alice", "door-only") == tuple(one.id for one in site.permits.naming(ALICE))


def test_permit_is_replaced_whole(site: Store) -> None:
    """Holders, places, factors, everything; no other permit changes."""
    wanted = replace(
        PERMITS[4], holders=frozenset({VAN, ERIN}), access_points=frozenset({DOOR.id}),
        liveness=True, max_false_accept=1e-5, valid_until=NOW + DAY,
    )  # fmt: skip
    site.permits.replace(wanted)

    assert wanted == site.permits.find(wanted.id)
    assert len(PERMITS) == len(site.permits.all())
    with pytest.raises(Exception, match="no permit called"):
        site.permits.replace(replace(wanted, id=PermitId("none")))
    with pytest.raises(Exception, match="not kept"):
        site.permits.replace(replace(wanted, holders=frozenset({PersonId("p-mallory")})))
    assert wanted == site.permits.find(wanted.id)


def history(store: Store) -> tuple[Event, ...]:
    """Of every kind, and more of one; some carry a time from before those that came earlier."""
    more = tuple(
        replace(granted(f"t-{n}"), at=NOW + timedelta(minutes=n % 5),
                reason=Reason.PERMITTED if n % 3 else Reason.STALE)
        for n in range(20)
    )  # fmt: skip
    kept = (*ALL_KINDS, *more)
    store.events.take(list(enumerate(map(encode, kept))))
    return kept


def _number(entry: Entry) -> tuple[Any, int]:
    return entry.at, int(entry.id)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), lambda e: True),
        (Wanted(kind="alarmed"), lambda e: isinstance(e, Alarmed)),
        (Wanted(access_point=DOOR.id), lambda e: getattr(e, "access_point", None) == DOOR.id),
        (Wanted(reason=Reason.STALE), lambda e: getattr(e, "reason", None) is Reason.STALE),
        (
            Wanted(access_point=DOOR.id, kind="decided", reason=Reason.PERMITTED),
            lambda e: getattr(e, "reason", None) is Reason.PERMITTED,
        ),
        (Wanted(attempt=AttemptId("t-7")), lambda e: getattr(e, "attempt", None) == "t-7"),
        (Wanted(since=NOW + timedelta(minutes=2)), lambda e: e.at >= NOW + timedelta(minutes=2)),
        (Wanted(until=NOW + timedelta(minutes=2)), lambda e: e.at < NOW + timedelta(minutes=2)),
        (Wanted(naming=(VAN,)), lambda e: VAN in named(e)),
        (Wanted(naming=("alice",)), lambda e: isinstance(e, Changed)),
        (Wanted(naming=()), lambda e: False),
    ],
)
def test_events_come_once_each_newest_first(store: Store, wanted: Wanted, fits: Any) -> None:
    """Those that are asked for and no other, however long the pages are."""
    kept = history(store)
    expected = sorted(
        ((event.at, number) for number, event in enumerate(kept) if fits(event)), reverse=True
    )
    for limit in (1, 3, 50):
        found = walked(
            lambda before, limit=limit: store.events.page(  # type: ignore[misc]
                replace(wanted, before=before), limit=limit
            ),
            _number,
        )

        assert expected == [_number(entry) for entry in found]


def test_events_that_go_leave_no_names(store: Store, tmp_path: Path) -> None:
    """Neither when they expire nor when they are made anew."""
    history(store)
    query = "SELECT count(*) FROM event_names"
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as file:
        assert file.execute(query).fetchone()[0] > 20
        store.events.expire(NOW + timedelta(minutes=1), NOW + DAY)
        left = [entry.event for entry in store.events.list()]
        assert sum(len(named(event)) for event in left) == file.execute(query).fetchone()[0] > 0
        store.events.clear()
        assert (0,) == file.execute(query).fetchone()


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.people.page(after=("m", "p-1"), limit=50),
        lambda s: s.vehicles.page(after="B", limit=50),
        lambda s: s.permits.page(after="m", limit=50),
        lambda s: s.permits.page(access_point=DOOR.id, after="m", limit=50),
        lambda s: s.events.page(Wanted(before=(NOW, 7)), limit=50),
        lambda s: s.events.page(Wanted(kind="alarmed", before=(NOW, 7)), limit=50),
        lambda s: s.events.page(Wanted(reason=Reason.STALE), limit=50),
        lambda s: s.events.page(Wanted(access_point=DOOR.id, kind="acted"), limit=50),
        lambda s: s.events.page(Wanted(access_point=DOOR.id, since=NOW), limit=50),
    ],
)
def test_no_page_is_found_by_reading_everything(
    store: Store, ask: Callable[[Store], object]
) -> None:
    """SQLite says how it would go about it: by an index, in its order, and without sorting."""
    plans: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        asked = f"EXPLAIN QUERY PLAN {statement}"
        rows = connection.connection.cursor().execute(asked, parameters)
        plans.extend(row[3] for row in rows)

    listen(store._database._reader, "before_cursor_execute", note)
    ask(store)

    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def test_what_is_about_somebody_has_what_became_of_it(store: Store) -> None:
    """Oldest first: what names them, and the outcome of those attempts; nobody else's."""
    kept = history(store)
    attempts = {e.attempt for e in kept if isinstance(e, Decided) and VAN in e.holders}
    outcome = Interrupted(NOW, DOOR.id, AttemptId("a-2"))
    store.events.take([(len(kept), encode(outcome))])
    found = store.events.about((VAN,))

    assert {"a-2"} == attempts
    assert outcome in [entry.event for entry in found]
    assert sorted(int(entry.id) for entry in found) == [int(entry.id) for entry in found]
    for entry in found:
        same = getattr(entry.event, "attempt", None) in attempts
        assert VAN in named(entry.event) or same
    assert () == store.events.about(()) == store.events.about(("p-nobody",))
