"""What is written together, and how anybody sees that something was written."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from postern.core.errors import PosternError
from postern.store.store import STORE_FILE, Store, open_store
from tests.people import GARAGE, PERSONS


def test_together_is_kept_at_once(store: Store) -> None:
    """Nobody sees the first half before the second."""
    with store.together():
        store.people.add(PERSONS[0])
        assert () == _elsewhere(store)
        store.people.add(PERSONS[1])

    assert set(PERSONS[:2]) == set(store.people.all())


def test_together_keeps_nothing_where_a_part_fails(store: Store) -> None:
    """Also what was written before the part that failed."""

    def add_the_first_twice() -> None:
        with store.together():
            store.people.add(PERSONS[0])
            store.vehicles.add(GARAGE[0])
            store.people.add(PERSONS[0])

    with pytest.raises(PosternError, match="already"):
        add_the_first_twice()
    assert () == store.people.all() + store.vehicles.all()
    store.people.add(PERSONS[0])


def test_one_inside_another_is_a_part_of_it(store: Store) -> None:
    """Nobody sees it before the whole, and it is gone where the rest fails."""

    def fail_after_the_inner_one() -> None:
        with store.together():
            with store.together():
                store.people.add(PERSONS[0])
            assert () == _elsewhere(store)
            store.people.add(PERSONS[1])
            store.people.add(PERSONS[0])

    with pytest.raises(PosternError, match="already"):
        fail_after_the_inner_one()
    assert () == store.people.all()


def test_what_was_removed_together_is_in_no_file(store: Store, tmp_path: Path) -> None:
    """It is scrubbed at the end, and nobody waits for what cannot be scrubbed before."""
    needle = "a name that nobody else has"
    store.people.add(replace(PERSONS[0], name=needle))
    assert [name for name, held in _files(tmp_path) if needle.encode() in held]
    before_s = monotonic()
    with store.together():
        store.people.remove(PERSONS[0].id, lambda person: None)
        store.people.add(PERSONS[1])

    assert monotonic() - before_s < 4.0
    assert [] == [name for name, held in _files(tmp_path) if needle.encode() in held]


def _files(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in folder.iterdir()]


def test_together_reads_what_it_wrote(store: Store) -> None:
    """Inside, the thread sees its own work."""
    with store.together():
        store.people.add(PERSONS[0])
        assert (PERSONS[0],) == store.people.all()


def test_version_stays_while_nothing_changes(store: Store) -> None:
    """Reading is no change."""
    before = store.version()
    store.people.all()

    assert before == store.version()


def test_version_changes_with_this_process_and_with_another(store: Store, tmp_path: Path) -> None:
    """Every commit gives a number that was not there before."""
    seen = [store.version()]
    store.people.add(PERSONS[0])
    seen.append(store.version())
    with open_store(tmp_path) as other:
        other.people.add(PERSONS[1])
    seen.append(store.version())
    with sqlite3.connect(tmp_path / STORE_FILE) as stranger:
        stranger.execute("UPDATE people SET name = 'Someone'")
    stranger.close()
    seen.append(store.version())

    assert 4 == len(set(seen))


def test_closed_store_leaves_no_log_behind(tmp_path: Path) -> None:
    """Whoever watched the number lets go of the file as well."""
    with open_store(tmp_path) as store:
        store.version()
        store.people.add(PERSONS[0])

    assert [] == list(tmp_path.glob("*-wal"))


def _elsewhere(store: Store) -> tuple[object, ...]:
    """What another thread sees."""
    seen: list[tuple[object, ...]] = []
    thread = Thread(target=lambda: seen.append(store.people.all()))
    thread.start()
    thread.join()
    return seen[0]
