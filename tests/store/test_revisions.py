"""A store of every revision that there ever was is opened, migrated, with what it holds."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from postern.core.decision import Reason
from postern.core.moment import time_text
from postern.event_text import encode, kind
from postern.store import migrations
from postern.store.database import head, open_database
from postern.store.events import Wanted, named
from postern.store.schema import metadata
from postern.store.store import STORE_FILE, open_store
from tests.people import DAY, NOW
from tests.store.samples import ALL_KINDS

#: What each revision since the first has room for.
ROWS = (
    "INSERT INTO holders (id) VALUES ('p-alice'), ('v-1')",
    "INSERT INTO people (id, name) VALUES ('p-alice', 'Alice')",
    "INSERT INTO vehicles (id, plate, label) VALUES ('v-1', 'KAMP417', 'van')",
    "INSERT INTO consents (id, person, purpose, text_version, given, expires) VALUES "
    "('c-1', 'p-alice', 'doors', '1', '2026-01-01T00:00:00.000000Z', "
    "'2027-01-01T00:00:00.000000Z')",
    "INSERT INTO consent_places VALUES ('c-1', 'door')",
)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


REVISIONS = [one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def _make_store_of(folder: Path, revision: str) -> None:
    engine, config = create_engine(f"sqlite:///{folder / STORE_FILE}"), _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(folder / STORE_FILE)) as file, file:
        for row in ROWS:
            file.execute(row)


def test_revisions_are_those_that_were_released() -> None:
    """One follows the other, and none is taken away: stores of each are out there."""
    assert REVISIONS[:5] == ["0001", "0002", "0003", "0004", "0005"]
    assert head() == REVISIONS[-1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_store_of_any_revision_is_opened_with_what_it_holds(tmp_path: Path, revision: str) -> None:
    """And has the present tables from then on."""
    _make_store_of(tmp_path, revision)
    with open_store(tmp_path) as store:
        assert ["Alice"] == [one.name for one in store.people.all()]
        assert ["KAMP417"] == [one.plate for one in store.vehicles.all()]
        (kept,) = store.consents.all()
        assert ({"door"}, None) == (set(kept.places), kept.withdrawn)

    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as file:
        assert [(head(),)] == file.execute("SELECT version_num FROM alembic_version").fetchall()
        assert [("ok",)] == file.execute("PRAGMA integrity_check").fetchall()
        assert [] == file.execute("PRAGMA foreign_key_check").fetchall()
    database = open_database(tmp_path / STORE_FILE)
    with database.reading() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()


def test_what_older_stores_hold_is_found_by_name_and_by_whom_it_names(tmp_path: Path) -> None:
    """As if it had been kept by this program; an event that is damaged is in nobody's way."""
    _make_store_of(tmp_path, "0006")
    with closing(sqlite3.connect(tmp_path / STORE_FILE)) as file, file:
        file.execute("UPDATE people SET name = 'ÀLICE'")
        for number, event in enumerate(ALL_KINDS):
            file.execute(
                "INSERT INTO events (seq, at, kind, grants, body) VALUES (?, ?, ?, 0, ?)",
                (number, time_text(event.at), kind(event), encode(event)),
            )
        file.execute(
            "INSERT INTO events (seq, at, kind, grants, body) VALUES (99, ?, 'decided', 0, '{')",
            (time_text(NOW - DAY),),
        )
    with open_store(tmp_path) as store:
        assert ["ÀLICE"] == [one.name for one in store.people.page(containing="alice", limit=9)]
        names = {name for event in ALL_KINDS for name in named(event)}
        for name in names:
            expected = {str(n) for n, event in enumerate(ALL_KINDS) if name in named(event)}
            page = store.events.page(Wanted(naming=(name,)), limit=99)
            assert expected == {entry.id for entry in page}
        stale = store.events.page(Wanted(reason=Reason.STALE), limit=9)
        assert ["1"] == [entry.id for entry in stale]
