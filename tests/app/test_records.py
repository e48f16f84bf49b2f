"""The site's records: the log comes first, the index follows, and both know whom they are about."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from sqlite3 import connect
from time import monotonic

import pytest

from postern.app.records import Keeper, Records, log_origin
from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Event, Revoked
from postern.core.ids import CameraId
from postern.core.ports import Command, Report
from postern.engine.service import close_interrupted
from postern.ledger.log import open_log
from postern.store.copy import copied
from postern.store.database import open_database
from postern.store.events import Events
from postern.store.store import STORE_FILE, Store
from tests.clocks import SteppedClock
from tests.engine.doubles import Stage
from tests.ledger.samples import rewrite_event
from tests.people import ALICE, DAY, ERIN, NOW
from tests.store.samples import ALL_KINDS, filled, granted

SEED, ORIGIN = bytes(range(32)), log_origin(bytes(16))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path / "site") as store:
        yield store


@pytest.fixture
def records(tmp_path: Path, store: Store) -> Iterator[Records]:
    records = opened(tmp_path / "ledger", store)
    yield records
    records.close()


def opened(folder: Path, store: Store) -> Records:
    log = open_log(folder, SEED, ORIGIN, SteppedClock(), store.events.seen())
    return Records(log, store.events, store.ids)


def test_events_come_back_with_the_ids_of_those_who_are_known(records: Records) -> None:
    """In the journal and in the index nobody is named by an id."""
    known = [event for event in ALL_KINDS if not isinstance(event, Revoked)]
    numbers = records.append_all(known)

    assert list(reversed(known)) == [entry.event for entry in records.list()]
    assert [str(n) for n in range(len(known))] == numbers
    hidden = [entry.text for entry in records.log.entries()]
    assert not any(ALICE in text or ERIN in text for text in hidden)


def test_events_of_the_forgotten_name_nobody(records: Records, store: Store) -> None:
    """The event stays and leads nowhere; the others' still do."""
    records.append_all((granted("a"), replace(granted("b"), holders=(ERIN,))))
    store.people.remove(ALICE, lambda _person: None)

    erins, alices = [entry.event for entry in records.list()]
    assert (ERIN,) == erins.holders  # type: ignore[union-attr]
    assert alices.holders[0].startswith("p-")  # type: ignore[union-attr]
    assert ALICE not in str(alices)


def test_events_about_one_person_are_found_in_every_month(records: Records) -> None:
    """Although they go under another name in each."""
    other = replace(granted("later"), at=NOW + 31 * DAY)
    records.append_all((granted("now"), replace(granted("no"), holders=(ERIN,)), other))

    assert ["2", "0"] == [entry.id for entry in records.list(about=ALICE)]
    assert [] == [entry.id for entry in records.list(about="p-nobody")]
    first, second = [entry.event for entry in records.log.entries() if entry.index != 1]
    assert first.holders != second.holders  # type: ignore[union-attr]


def test_only_those_who_are_to_be_known_are_shown_by_their_id(records: Records) -> None:
    """All others stay under their pseudonyms."""
    records.append_all((granted("a"), replace(granted("b"), holders=(ERIN,))))

    erins, alices = [entry.event for entry in records.list(known=[ERIN])]
    assert (ERIN,) == erins.holders  # type: ignore[union-attr]
    assert (ALICE,) != alices.holders  # type: ignore[union-attr]


def test_what_another_process_kept_is_there(tmp_path: Path, store: Store, records: Records) -> None:
    """Also where it died before it told the index."""
    records.append(granted("a"))
    other = opened(tmp_path / "ledger", store)
    other.append(granted("b"))
    records.append(granted("c"))

    attempts = [entry.event.attempt for entry in records.list()]  # type: ignore[union-attr]
    assert ["c", "b", "a"] == attempts
    other.log.close()


def test_log_that_lost_events_says_so_itself_once(
    tmp_path: Path, store: Store, records: Records
) -> None:
    """Its folder was taken away. A log that lost nothing has nothing to say."""
    records.append_all((granted("a"), granted("b"), granted("c")))
    records.note_loss(NOW)
    assert 3 == len(records.list())

    again = opened(tmp_path / "anew", store)
    for _ in range(2):
        again.note_loss(NOW)
        again.note_loss(NOW)
        assert [Changed(NOW, "events lost: 3", "", "ledger")] == [e.event for e in again.list()]
    again.log.close()


def test_history_that_was_written_anew_is_not_opened(
    tmp_path: Path, store: Store, records: Records
) -> None:
    """Attack: an older state of all that is public is put back, and what came after rewritten.

    The folder is whole in itself, and not shorter. What the store saw is remembered for as long as
    the site has it, and a log that has grown meanwhile continues it.
    """
    records.append_all((granted("a"), granted("b")))
    records.settle()
    folder, older = tmp_path / "ledger", tmp_path / "older"
    copytree(folder, older)
    records.append(granted("c"))
    records.close()
    (segment,) = folder.glob("journal/*.segment")
    rewrite_event(segment, 2, '"band":5', '"band":9')
    rmtree(folder / "tile")
    copytree(older, folder, ignore=ignore_patterns("journal"), dirs_exist_ok=True)

    for open_or_publish in (lambda: opened(folder, store), records.publish) * 2:
        with pytest.raises(PosternError, match="published before, up to entry 2:") as refused:
            open_or_publish()
        assert (Code.INVALID, "docs/ledger.md") == (refused.value.code, refused.value.hint[-15:-1])


def test_older_log_counts_what_it_lost_from_its_checkpoint_on(
    tmp_path: Path, store: Store, records: Records
) -> None:
    """Attack: a shorter history, the end of which is another. It is told once, and goes on."""
    records.append_all((granted("a"), granted("b")))
    records.settle()
    older = tmp_path / "older"
    copytree(tmp_path / "ledger", older)
    records.append_all((granted("c"), granted("d"), granted("e")))
    records.settle()

    again = opened(older, store)
    again.append(granted("x"))
    for _ in range(2):
        again.note_loss(NOW)
        lost = [e.event for e in again.list() if isinstance(e.event, Changed)]
        assert [Changed(NOW, "events lost: 3", "", "ledger")] == lost
    again.append_all((granted("y"), granted("z")))
    again.close()
    opened(older, store).close()


def test_store_remembers_what_is_published_and_a_backup_does_not(
    tmp_path: Path, store: Store
) -> None:
    """A restored store takes the log as it is, and remembers that."""
    records = opened(tmp_path / "ledger", store)
    records.append(granted("a"))
    records.close()
    assert 1 == (store.events.seen() or (0,))[0]
    with closing(connect(":memory:")) as copy:
        copy.deserialize(copied(tmp_path / "site" / STORE_FILE))
        assert [] == copy.execute("SELECT size FROM published").fetchall()


@pytest.mark.parametrize("harm", ["emptied", "edited", "ahead", "of another log"])
def test_index_that_does_not_fit_is_made_anew(
    tmp_path: Path, store: Store, records: Records, harm: str
) -> None:
    """The log is what counts: after a restore, or where somebody changed the store."""
    records.append_all((granted("a"), granted("b")))
    before = records.list()
    text = store.events.text(1) or ""
    match harm:
        case "emptied":
            store.events.clear()
        case "edited":
            store.events.clear()
            store.events.take([(0, text), (1, text.replace('"band":5', '"band":9'))])
        case "ahead":
            store.events.take([(7, text)])
        case "of another log":
            store.events.clear()
            other = opened(tmp_path / "other", store)
            other.append_all((granted("x"), granted("y")))
            other.settle()
            other.log.close()

    assert before == records.list()
    assert 2 == store.events.end()


@pytest.mark.parametrize("gone", [0, 1])
def test_events_that_are_gone_before_their_time_are_named(
    tmp_path: Path, records: Records, gone: int
) -> None:
    """Attack: an hour is taken out of the journal, which looks as if it had expired."""
    days = [replace(granted(f"a-{n}"), at=NOW + n // 2 * DAY) for n in range(6)]
    records.append_all(days)
    records.settle()
    records.check_kept(NOW)
    sorted(tmp_path.glob("ledger/journal/*.segment"))[gone].unlink()

    with pytest.raises(PosternError) as found:
        records.check_kept(NOW)
    first, last = 2 * gone, 2 * gone + 1
    assert f"2, the first of them entry {first} and the last entry {last}." in found.value.message
    assert 6 == len(records.list())
    records.check_kept(NOW + (gone + 1) * DAY)


@pytest.mark.parametrize(
    "days", [(0, 1, 2, 3), (0, 4000, 1, 2), (0, 9, 1, 2), (0, -20_000, 1, 2), (3, 2, 1, 0)]
)
def test_what_expires_is_not_taken_for_gone(records: Records, days: tuple[int, ...]) -> None:
    """However the clock was set, on every day until the last event is gone, and long after."""
    for number, day in enumerate(days):
        records.append(replace(granted(f"a-{number}"), at=NOW + day * DAY))
    for today in (3, 4, 5, 6, 7, 8, 10, 12, 4001, 4003):
        now = NOW + today * DAY
        records.expire(now - 2 * DAY, now)
        records.check_kept(now - 2 * DAY)
    assert 4 == records.log.size()


@pytest.mark.parametrize("harm", ["body = 'junk'", "body = ''", "at = 'junk'"])
def test_damaged_row_of_the_index_keeps_nobody_from_an_answer(
    tmp_path: Path, store: Store, records: Records, harm: str
) -> None:
    """Neither the service from its start nor an operator from the record."""
    records.append_all((granted("a"), granted("b"), granted("c")))
    before, unfinished = records.list(), records.unfinished()
    path = tmp_path / "site" / STORE_FILE

    for question, answer in ((records.unfinished, unfinished), (records.list, before)):
        with closing(connect(path)) as connection, connection:
            connection.execute(f"UPDATE events SET {harm} WHERE seq = 1")  # noqa: S608 - constants
        assert answer == question()


def test_rows_that_another_process_adds_meanwhile_leave_no_gap(
    tmp_path: Path, store: Store, records: Records
) -> None:
    """The index is made anew just when somebody else's follow adds the newest event."""
    records.append_all([granted(f"a-{n}") for n in range(5)])
    before = records.list()
    store.events.take([(7, store.events.text(4) or "")])
    newest = (4, list(records.log.entries(4))[0].text)

    class Meanwhile(Events):
        def clear(self) -> int:
            cleared = super().clear()
            self.take([newest])
            return cleared

    meanwhile = Meanwhile(open_database(tmp_path / "site" / STORE_FILE))
    Records(records.log, meanwhile, store.ids).follow()
    assert before == records.list()


def test_expired_events_are_gone_and_the_log_is_whole(tmp_path: Path, records: Records) -> None:
    """From journal and index alike, within an hour of their time; the tree keeps its size."""
    records.append_all((granted("needle-a"), replace(granted("recent"), at=NOW + 2 * DAY)))
    records.settle()
    records.expire(NOW + DAY + timedelta(hours=1), NOW + 3 * DAY)

    assert ["1"] == [entry.id for entry in records.list()]
    assert 2 == records.log.size() == records.settle().checkpoint.size
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [] == [path for path in files if b"needle-a" in path.read_bytes()]
    assert [] != [path for path in files if b"recent" in path.read_bytes()]


def test_closing_settles_what_was_kept(tmp_path: Path, store: Store) -> None:
    """A command publishes its own events when it ends; one that kept nothing writes nothing."""
    records = opened(tmp_path / "ledger", store)
    records.append(granted("a"))
    records.close()

    again = opened(tmp_path / "ledger", store)
    assert 1 == again.log.checkpoint().checkpoint.size
    assert 1 == store.events.end()
    again.close()


def test_keeper_publishes_in_time_and_when_there_is_enough(records: Records) -> None:
    """Long before the period where 200 events have come; the rest at its end."""
    heard: list[tuple[str, str, str]] = []
    keeper = Keeper(records, lambda *told: heard.append(told), period_s=60.0)
    keeper.start()
    records.append_all([granted(f"a-{n}") for n in range(200)])

    deadline = threading.Event()
    for _ in range(100):
        if records.log.checkpoint().checkpoint.size == 200:
            break
        deadline.wait(0.05)
    assert 200 == records.log.checkpoint().checkpoint.size
    records.append(granted("last"))
    keeper.stop()
    assert 201 == records.log.checkpoint().checkpoint.size
    assert [] == heard


def test_keeper_tells_once_that_it_cannot_and_once_that_it_can(
    tmp_path: Path, records: Records
) -> None:
    """A folder in place of the checkpoint's draft stands in for a disk that fails."""
    heard: list[tuple[str, str]] = []
    told = threading.Event()

    def tell(who: CameraId, state: str, _sentence: str) -> None:
        heard.append((who, state))
        told.set()

    in_the_way = tmp_path / "ledger" / "checkpoint.new"
    in_the_way.mkdir()
    keeper = Keeper(records, tell, period_s=0.05)
    records.append(granted("a"))
    keeper.start()
    assert told.wait(10)
    threading.Event().wait(0.3)
    assert [("ledger", "red")] == heard

    told.clear()
    in_the_way.rmdir()
    assert told.wait(10)
    keeper.stop()
    assert [("ledger", "red"), ("ledger", "ok")] == heard
    assert 1 == records.log.checkpoint().checkpoint.size


def test_locked_store_holds_up_no_checkpoint(tmp_path: Path, records: Records) -> None:
    """Another process writes for long: events and checkpoints go on, and it is told."""
    heard: list[tuple[str, str]] = []
    keeper = Keeper(records, lambda who, state, _why: heard.append((who, state)), period_s=0.05)
    pause = threading.Event()
    with closing(connect(tmp_path / "site" / STORE_FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        keeper.start()
        late_s = []
        for number in range(20):
            records.append(granted(f"a-{number}"))
            began_s = monotonic()
            while records.log.checkpoint().checkpoint.size <= number:
                assert monotonic() - began_s < 20
                pause.wait(0.01)
            late_s.append(monotonic() - began_s)
        for _ in range(800):
            if heard:
                break
            pause.wait(0.01)
        other.execute("ROLLBACK")
    keeper.stop()

    # Less than the store's patience, which every checkpoint would have waited for.
    assert max(late_s) < 3.0
    assert [("ledger", "red"), ("ledger", "ok")] == heard
    assert 20 == len(records.list())


def test_event_that_cannot_be_written_down_is_refused(records: Records) -> None:
    """Before it is kept, and with all that came along."""
    damaged: Event = Changed(NOW, "\ud800", "\ud800", "by")
    with pytest.raises(PosternError) as refused:
        records.append_all((granted("a"), damaged))

    assert Code.INVALID is refused.value.code
    assert (0, ()) == (records.log.size(), records.list())


def test_interrupted_grant_is_closed_once(tmp_path: Path, store: Store, records: Records) -> None:
    """The machine stops between record and answer; the next start closes the grant, and the one
    after finds nothing to close."""

    def dies(command: Command) -> Report:
        raise SystemExit

    stage = Stage(ledger=records)
    stage.actuator.answer = dies
    with pytest.raises(SystemExit):
        stage.face(stage.seen(1, ALICE))

    again = opened(tmp_path / "ledger", store)
    unfinished = again.unfinished()
    assert 1 == len(unfinished)
    assert 1 == close_interrupted(unfinished, again, stage.clock)
    assert 0 == close_interrupted(again.unfinished(), again, stage.clock)
    again.close()


def test_calendar_that_leapt_is_doubted_for_a_day(records: Records) -> None:
    """Also where things are recorded under the wrong date meanwhile; a quiet month is no leap."""
    assert not records.leapt(NOW)
    records.append_all((granted("a"), replace(granted("b"), at=NOW + 20 * DAY)))
    for days, doubted in ((21, False), (49, False), (51, True), (800, True)):
        assert doubted is records.leapt(NOW + days * DAY)

    wrong = NOW + 800 * DAY
    records.append(replace(granted("c"), at=wrong))
    assert records.leapt(wrong + DAY / 2)
    assert not records.leapt(wrong + DAY * 1.5)
