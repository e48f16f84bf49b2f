"""The number of changes to whoever may pass."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from postern.store.roll import read
from postern.store.store import STORE_FILE, Store, open_store
from tests.people import ALICE, BARRIER, DOOR, NOW, PERSONS, VAN, permit
from tests.store.samples import filled

#: What the roll is read from; each has its three triggers.
TABLES = {
    "permits", "permit_holders", "permit_places", "permit_factors", "credentials", "consents",
    "consent_places", "vehicles",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened


def raw(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def number(store: Store) -> int:
    found = store.standing(DOOR, None)[0].revision
    assert found is not None
    return found


def test_every_table_of_the_roll_counts_its_changes(tmp_path: Path) -> None:
    """And no other does."""
    open_store(tmp_path).close()
    with closing(raw(tmp_path)) as connection:
        found = connection.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        changes = {(table, sql.split(" AFTER ")[1].split()[0]) for table, sql in found}

    assert {(t, change) for t in TABLES for change in ("INSERT", "UPDATE", "DELETE")} == changes


def test_roll_is_read_from_these_tables_and_no_other(store: Store) -> None:
    """Whoever reads more there has to count its changes, too."""
    asked: list[str] = []

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with store._database.reading() as connection:
            asked.clear()
            read(connection, DOOR, None)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    named = {name for statement in asked for name in re.findall(r"(?:FROM|JOIN) (\w+)", statement)}

    assert named - {"revisions"} <= TABLES
    assert {"permits", "credentials", "consents"} <= named


def test_same_roll_is_given_as_long_as_nobody_changes_it(store: Store) -> None:
    """Whatever else is changed."""
    before, _ = store.standing(DOOR, None)
    store.areas.entered(DOOR.area.id, (ALICE,), NOW)
    store.people.rename(replace(PERSONS[0], name="Somebody else"))
    after, state = store.standing(DOOR, before)

    assert before is after
    assert {ALICE: NOW} == state.inside


def test_whatever_takes_somebody_away_is_counted(store: Store) -> None:
    """Also where the database itself does the rest, as with a vehicle's place in permits."""
    numbers = [number(store)]
    for change in (
        lambda: store.permits.add(permit(ALICE, name="another")),
        lambda: store.permits.remove(permit(ALICE, name="another").id),
        lambda: store.vehicles.remove(VAN),
        lambda: store.people.remove(ALICE, lambda _: None),
    ):
        change()
        numbers.append(number(store))

    assert sorted(set(numbers)) == numbers
    assert VAN not in {h for one in store.standing(BARRIER, None)[0].permits for h in one.holders}


def test_roll_that_cannot_be_told_apart_is_read_every_time(store: Store, tmp_path: Path) -> None:
    """Somebody emptied the table of numbers: nothing old is believed."""
    with closing(raw(tmp_path)) as connection:
        connection.execute("DELETE FROM revisions")
    before, _ = store.standing(DOOR, None)
    assert before.revision is None
    store.permits.add(permit(ALICE, name="another"))
    after, _ = store.standing(DOOR, before)

    assert "another" in {one.id for one in after.permits}
