"""The store as a whole: what `decide` is given, and how the file is opened, shared and broken."""

import multiprocessing
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from postern.core.consent import StorageMode
from postern.core.decide import decide
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.event_text import encode
from postern.store import migrations
from postern.store.database import Database, open_database
from postern.store.schema import metadata
from postern.store.store import STORE_FILE, Store, open_store
from tests.people import (
    ALICE,
    BARRIER,
    CONSENTS,
    DAN,
    DOOR,
    NOW,
    PERMITS,
    PERSONS,
    VAN,
    WAY_OUT,
    attempt,
    credential_id,
    face,
    moment,
    plate,
)
from tests.store.samples import BLOB, filled, granted


def test_state_is_what_decide_needs(site: Store) -> None:
    """Decisions from the store are those that the cast stands for."""
    permits, state = site.state(DOOR)
    alice = decide(attempt(face(ALICE)), permits, state, moment())
    dan = decide(attempt(face(DAN)), permits, state, moment())

    assert {one.id for one in PERMITS} == {one.id for one in permits}
    assert Reason.PERMITTED is alice.reason
    assert Reason.NO_CONSENT is dan.reason


def test_state_carries_who_is_inside(site: Store) -> None:
    """And how many, and whether the clock is trusted."""
    site.areas.entered(BARRIER.area.id, [VAN], NOW)
    permits, state = site.state(BARRIER, clock_trusted=False)

    assert {VAN: NOW} == state.inside
    assert 1 == state.occupancy
    assert not state.clock_trusted
    assert (
        Reason.PERMITTED
        is decide(attempt(plate(VAN), at=BARRIER), permits, site.state(BARRIER)[1], moment()).reason
    )


def test_state_of_an_access_point_without_permits_is_empty(store: Store) -> None:
    """Nobody is looked up for a door that lets nobody in."""
    permits, state = store.state(WAY_OUT)

    assert ((), {}, {}) == (permits, state.credentials, state.consents)


def test_store_survives_a_restart(tmp_path: Path) -> None:
    """Everything is there when it is opened again."""
    filled(tmp_path).close()
    with open_store(tmp_path) as store:
        assert PERSONS == store.people.all()
        assert len(PERMITS) == len(store.permits.all())
        assert 4 == store.credentials.count_sealed()


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    """The folder, the database, its write-ahead log and its lock are closed to others."""
    folder = tmp_path / "site"
    with open_store(folder) as store:
        store.people.add(PERSONS[0])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert {0o600} == set(modes.values())
    assert STORE_FILE + "-wal" in modes


def test_database_is_as_safe_as_it_says(store: Store, tmp_path: Path) -> None:
    """Durable commits, overwritten deletions, enforced references, and nothing in temporary files.

    A pragma that SQLite does not take is silently left out, so each is read back.
    """
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "busy_timeout": 5000,
    }
    database = open_database(tmp_path / STORE_FILE)
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in expected
        }
    database.close()

    assert expected == found


def test_migrations_give_the_tables_of_the_schema(tmp_path: Path) -> None:
    """The revisions and `schema.py` describe one and the same database."""
    database = open_database(tmp_path / STORE_FILE)
    with database.reading() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)
    database.close()


def test_older_store_is_migrated_and_keeps_what_it_held(tmp_path: Path) -> None:
    """A store from before the ledger keeps its people, consents and faces, all for a roster."""
    _make_store_of(tmp_path, "0002")
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("INSERT INTO holders VALUES ('p-alice')")
        file.execute("INSERT INTO people VALUES ('p-alice', 'Alice')")
        given = ("2026-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z")
        file.execute(
            "INSERT INTO consents VALUES ('c-1', 'p-alice', 'doors', '1', ?, ?, NULL)", given
        )
        file.execute("INSERT INTO consent_places VALUES ('c-1', 'door')")
        file.execute(
            "INSERT INTO credentials VALUES ('f-1', 'face', 'p-alice', 1, ?, NULL, ?)",
            (given[0], BLOB),
        )
        file.execute("INSERT INTO events VALUES (1, ?, 'acted', NULL, NULL, 0, NULL)", given[:1])
    file.close()

    with open_store(tmp_path) as store:
        (consent,) = store.consents.of(ALICE)
        (face,) = store.credentials.of(ALICE)

        assert (StorageMode.ROSTER, {DOOR.id}) == (consent.mode, set(consent.places))
        assert (StorageMode.ROSTER, None) == (face.mode, face.model)
        assert 1 == store.credentials.count_sealed()
        assert () == store.events.list()


def _make_store_of(folder: Path, revision: str) -> None:
    """A store's file as a program that knew no later revision made it."""
    engine = create_engine(f"sqlite:///{folder / STORE_FILE}")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_failed_migration_changes_nothing(tmp_path: Path) -> None:
    """All revisions or none: what was there is as it was, and the next try may succeed."""
    _make_store_of(tmp_path, "0001")
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute("CREATE TABLE consent_texts (in_the_way INTEGER)")
        before = file.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    file.close()

    with pytest.raises(PosternError):
        open_store(tmp_path)
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        assert before == file.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        assert [("0001",)] == file.execute("SELECT * FROM alembic_version").fetchall()
    file.close()


def test_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    """One sentence that says to update, and not a byte of the file's schema changed."""
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()

    with pytest.raises(PosternError, match="newer Postern") as refused:
        open_store(tmp_path)
    assert Code.CONFLICT is refused.value.code
    with sqlite3.connect(tmp_path / STORE_FILE) as file:
        assert [("9999",)] == file.execute("SELECT * FROM alembic_version").fetchall()
    file.close()


def test_damaged_store_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A file that is no database is neither used nor replaced."""
    (tmp_path / STORE_FILE).write_bytes(b"not a database" * 1000)

    with pytest.raises(PosternError, match="damaged") as refused:
        open_store(tmp_path)
    assert Code.INVALID is refused.value.code
    assert (tmp_path / STORE_FILE).read_bytes().startswith(b"not a database")


def test_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """A file where the folder should be is a sentence, not a traceback."""
    (tmp_path / "file").touch()

    with pytest.raises(PosternError) as refused:
        open_store(tmp_path / "file" / "site")
    assert Code.UNAVAILABLE is refused.value.code


def test_a_sites_store_never_becomes_a_throwaway(tmp_path: Path) -> None:
    """Nor the other way round: enrolment from files is for throw-away stores only."""
    open_store(tmp_path / "site").close()
    open_store(tmp_path / "demo", throwaway=True).close()

    with pytest.raises(PosternError, match="demo's store"):
        open_store(tmp_path / "site", throwaway=True)
    with pytest.raises(PosternError, match="demo's store"):
        open_store(tmp_path / "demo")
    with open_store(tmp_path / "demo", throwaway=True) as store:
        assert store.throwaway


def test_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """SQLite's own page limit stands in for the disk's end; what was acknowledged stays."""
    database = open_database(tmp_path / STORE_FILE)
    store = Store(database, throwaway=False)
    with database.reading() as connection:
        size = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {size + 3}")
    acknowledged: list[int] = []
    with pytest.raises(PosternError, match="disk of the store is full") as full:
        acknowledged.extend(_take_one(store, f"a-{number}") for number in range(1000))
    store.close()
    kept = len(acknowledged)

    assert Code.UNAVAILABLE is full.value.code
    with open_store(tmp_path) as again:
        assert kept == len(again.events.list(limit=2000)) > 0
        assert kept == _take_one(again, "after")


def test_read_only_store_says_so(tmp_path: Path) -> None:
    """Reading goes on; writing is unavailable, in one sentence."""
    filled(tmp_path).close()
    database = open_database(tmp_path / STORE_FILE)
    store = Store(database, throwaway=False)
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(PosternError, match="cannot be written") as refused:
        _take_one(store, "a")
    assert Code.UNAVAILABLE is refused.value.code
    assert PERSONS == store.people.all()
    store.close()


def test_a_busy_store_says_so(tmp_path: Path, store: Store) -> None:
    """A writer that does not finish makes others wait, then give up without harm."""
    other = sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(PosternError, match="Another program") as refused:
        store.people.add(PERSONS[0])
    other.close()
    assert refused.value.retry_helps
    store.people.add(PERSONS[0])


def test_readers_see_one_moment_while_another_writes(tmp_path: Path, store: Store) -> None:
    """A transaction that reads is not disturbed by one that commits meanwhile."""
    reader = sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)
    reader.execute("BEGIN")
    assert (0,) == reader.execute("SELECT count(*) FROM people").fetchone()
    store.people.add(PERSONS[0])

    assert (0,) == reader.execute("SELECT count(*) FROM people").fetchone()
    reader.execute("COMMIT")
    assert (1,) == reader.execute("SELECT count(*) FROM people").fetchone()
    reader.close()


def test_threads_share_a_store(tmp_path: Path, site: Store) -> None:
    """Writers and readers in eight threads neither fail nor lose anything."""

    def work(index: int) -> None:
        site.state(DOOR)
        site.events.take([(index, encode(granted(f"attempt-{index}")))])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(80)))

    assert {str(n) for n in range(80)} == {entry.id for entry in site.events.list()}


def test_processes_open_a_new_store_together(tmp_path: Path) -> None:
    """Four programs starting at once make one store, migrated once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        pool.starmap(_take_event, [(str(tmp_path), number) for number in range(4)])

    with open_store(tmp_path) as store:
        assert ["3", "2", "1", "0"] == [entry.id for entry in store.events.list()]


def test_holder_of_a_credential_cannot_be_orphaned(tmp_path: Path, site: Store) -> None:
    """The database itself refuses a credential of nobody."""
    database = open_database(tmp_path / STORE_FILE)
    columns = "id, factor, holder, enabled, valid_from"
    statement = (
        f"INSERT INTO credentials ({columns}) VALUES ('x', 'card', 'p-nobody', 1, '2026-01-01')"  # noqa: S608
    )
    with pytest.raises(PosternError) as refused, database.writing() as connection:
        connection.exec_driver_sql(statement)
    database.close()

    assert Code.CONFLICT is refused.value.code
    assert Factor.CARD not in {one.factor for one in site.credentials.of(ALICE)}


def test_every_id_that_an_event_may_name_is_given(site: Store) -> None:
    """Of people, vehicles, consents, credentials and permits."""
    found = set(site.ids())

    assert {ALICE, VAN, CONSENTS[ALICE][0].id, credential_id(Factor.PLATE, VAN)} <= found
    assert {permit.id for permit in PERMITS} <= found


def _take_event(folder: str, number: int) -> None:
    with open_store(Path(folder)) as store:
        store.events.take([(number, encode(granted()))])


def _take_one(store: Store, attempt: str) -> int:
    number = store.events.end()
    store.events.take([(number, encode(granted(attempt)))])
    return number


def test_too_many_readers_are_told_to_try_again(tmp_path: Path) -> None:
    """Where every connection is taken for longer than anybody waits."""
    engine = create_engine(
        f"sqlite:///{tmp_path / 'x.db'}", pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    database = Database(engine)
    refused: list[PosternError] = []

    def read() -> None:
        with pytest.raises(PosternError) as caught, database.reading():
            pass
        refused.append(caught.value)

    with database.reading():
        other = Thread(target=read)
        other.start()
        other.join()
    assert [(Code.UNAVAILABLE, True)] == [(one.code, one.retry_helps) for one in refused]
    database.close()
