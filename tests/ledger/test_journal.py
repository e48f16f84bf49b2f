"""The journal: what it keeps, how it mends itself, and what it refuses."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Event
from postern.ledger.journal import SPAN, Journal
from postern.ledger.segment import Entry, read_frames
from tests.people import NOW

HOUR = timedelta(hours=1)


def event(number: int, at: datetime = NOW) -> Event:
    return Changed(at, f"thing {number}", f"p-{number}", "operator")


@dataclass
class Published:
    """How much of a journal has been published."""

    size: int = 0

    def __call__(self) -> int:
        return self.size


#: Closed after each test: what a thousand cases leave open, others of the same process would miss.
_OPENED: list[Journal] = []


@pytest.fixture(autouse=True)
def _none_is_left_open() -> Iterator[None]:
    yield
    while _OPENED:
        _OPENED.pop().close()


def open_journal(folder: Path, published: int = 0) -> Journal:
    folder.mkdir(exist_ok=True)
    _OPENED.append(Journal(folder, Published(published)))
    return _OPENED[-1]


def events(journal: Journal, start: int = 0) -> list[Event]:
    return [entry.event for entry in journal.read(start)]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def written(folder: Path, frames: list[int]) -> tuple[bytes, list[int]]:
    """The only segment of a journal with frames of so many events, and where each ends.

    The room that it has left over is cut off, as in a file that is full to the last byte.
    """
    journal, ends, number = open_journal(folder), [], 0
    for count in frames:
        journal.append([event(number + n) for n in range(count)])
        number += count
        ends.append(end_of(folder))
    journal.close()
    return segments(folder)[0].read_bytes()[: ends[-1]], ends


def end_of(folder: Path, index: int = 0) -> int:
    """Where the frames of the first segment end."""
    return read_frames(segments(folder)[0].read_bytes(), index, 0)[1]


def refused(code: Code, words: str, call: Callable[[], object]) -> None:
    with pytest.raises(PosternError, match=words) as caught:
        call()
    assert code is caught.value.code


def test_events_come_back_in_order_with_numbers_from_nought(tmp_path: Path) -> None:
    """What was appended is read again, by whoever opens the journal, from any entry on."""
    journal = open_journal(tmp_path)
    assert [0, 1, 4] == [journal.append(some) for some in ([event(0)], [event(1)] * 3, [event(4)])]
    assert 5 == journal.size()

    again = open_journal(tmp_path)
    assert [event(0), *[event(1)] * 3, event(4)] == events(again)
    assert [event(1), event(4)] == events(again, 3)
    assert [] == events(again, 5)
    assert [0, 1, 2, 3, 4] == indexes(again)


def test_entry_commits_to_its_event_under_a_salt_of_its_own(tmp_path: Path) -> None:
    """Two entries about the same have nothing in common."""
    journal = open_journal(tmp_path)
    journal.append([event(1), event(1)])
    first, second = journal.read()
    assert first.text == second.text
    assert first.salt != second.salt
    assert first.leaf[9:] != second.leaf[9:]
    assert (41, 32) == (len(first.leaf), len(first.salt))


def test_processes_take_in_what_others_appended(tmp_path: Path) -> None:
    """Two that append in turn share one sequence, across segments that either began."""
    one, other = open_journal(tmp_path), open_journal(tmp_path)
    for number in range(20):
        journal = (one, other)[number % 2]
        assert number == journal.append([event(number, NOW + number // 3 * HOUR)])
    assert [NOW + n // 3 * HOUR for n in range(20)] == [e.at for e in events(one)]
    assert 7 == len(segments(tmp_path))


def test_threads_of_two_journals_share_one_sequence(tmp_path: Path) -> None:
    """Every number is given once, whoever asks."""
    journals = [open_journal(tmp_path), open_journal(tmp_path)]
    given: list[int] = []

    def work(journal: Journal) -> None:
        given.extend(journal.append([event(n)]) for n in range(20))

    threads = [Thread(target=work, args=(journal,)) for journal in journals * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(range(120)) == sorted(given)
    assert 120 == len(events(journals[0]))


def test_segment_holds_an_hour_whichever_way_the_clock_jumps(tmp_path: Path) -> None:
    """An event too far from the first of its segment begins another."""
    journal = open_journal(tmp_path)
    steps = (0, 59, 60, 61, -30, 30, 89)
    for number, minutes in enumerate(steps):
        journal.append([event(number, NOW + timedelta(minutes=minutes))])
    assert [0, 2, 4, 5] == [int(path.stem) for path in segments(tmp_path)]


def test_batch_of_several_hours_fills_several_segments(tmp_path: Path) -> None:
    """It is split where an hour is over, and nothing is lost on the way."""
    journal = open_journal(tmp_path)
    batch = [event(n, NOW + n * timedelta(minutes=25)) for n in range(10)]
    assert 0 == journal.append(batch)
    assert batch == events(journal)
    assert [0, 3, 6, 9] == [int(path.stem) for path in segments(tmp_path)]


def test_segment_does_not_grow_without_end(tmp_path: Path) -> None:
    """One that has a mebibyte is followed by another."""
    journal = open_journal(tmp_path)
    long = Changed(NOW, "x" * 600_000, "p-1", "operator")
    for _ in range(5):
        journal.append([long])
    assert [0, 2, 4] == [int(path.stem) for path in segments(tmp_path)]
    assert 5 == len(list(open_journal(tmp_path).read()))


@pytest.mark.parametrize("frames", [[1, 1], [1, 4]], ids=["one event", "a batch"])
def test_torn_tail_is_cut_off_wherever_it_tore(tmp_path: Path, frames: list[int]) -> None:
    """A crash at any byte of the last frame costs that frame and nothing else."""
    whole, (kept, end) = written(tmp_path / "journal", frames)
    path = segments(tmp_path / "journal")[0]
    for length in range(kept, end):
        path.write_bytes(whole[:length])
        journal = open_journal(tmp_path / "journal", published=1)
        assert [event(0)] == events(journal)
        assert 1 == journal.append([event(7)])
        assert [event(0), event(7)] == events(open_journal(tmp_path / "journal"))
        journal.close()


def test_torn_tail_may_be_any_garbage(tmp_path: Path) -> None:
    """A file that grew before its blocks came, as after a power cut, is torn as well."""
    whole, (kept, end) = written(tmp_path, [2, 1])
    path = segments(tmp_path)[0]
    for tail in (b"\xff" * 100, whole[kept : end - 9] + bytes(9), bytes(20) + b"\xff" * 20):
        path.write_bytes(whole[:kept] + tail)
        assert 2 == len(events(open_journal(tmp_path)))
        assert kept == path.stat().st_size


def test_room_left_over_is_no_damage(tmp_path: Path) -> None:
    """Noughts after the last frame are room for the next; frames fill it in place."""
    whole, (kept, _) = written(tmp_path, [2, 1])
    path = segments(tmp_path)[0]
    for room in (1, 7, 8, 9, 4096):
        path.write_bytes(whole[:kept] + bytes(room))
        journal, other = open_journal(tmp_path), open_journal(tmp_path)
        assert 2 == len(events(other))
        assert [2, 3] == [journal.append([event(2)]), other.append([event(3)])]
        assert [event(n) for n in range(4)] == events(journal)


def test_only_the_last_segment_has_room_left_over(tmp_path: Path) -> None:
    """Attack: the end of an earlier one is overwritten with noughts."""
    journal = open_journal(tmp_path)
    for number in range(3):
        journal.append([event(number, NOW + number // 2 * HOUR)])
    first, last = segments(tmp_path)
    content, end = first.read_bytes(), end_of(tmp_path)
    assert end == len(content) < last.stat().st_size
    first.write_bytes(content[: end // 2] + bytes(end - end // 2))
    refused(Code.INVALID, "Entry 1 of the journal", lambda: events(open_journal(tmp_path)))
    first.write_bytes(content + bytes(1))
    refused(Code.INVALID, "Entry 2 of the journal", lambda: events(open_journal(tmp_path)))


def test_no_changed_byte_goes_unseen(tmp_path: Path) -> None:
    """Attack: one byte is changed. Damage before the end is named, at the end it is torn."""
    whole, ends = written(tmp_path, [1, 3, 1])
    path = segments(tmp_path)[0]
    known = [event(n) for n in range(5)]
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        journal = open_journal(tmp_path)
        if at < ends[1]:
            entry = 0 if at < ends[0] else 1
            refused(Code.INVALID, f"Entry {entry} of the journal", lambda: events(journal))  # noqa: B023
            refused(Code.INVALID, f"Entry {entry} of", lambda: journal.append([event(9)]))  # noqa: B023
            assert len(whole) == path.stat().st_size
        else:
            assert known[:4] == events(journal)


@settings(max_examples=60)
@given(data=st.data())
def test_no_damage_changes_an_event(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever is cut out, put in or changed: what is read is what was written, or a refusal."""
    folder = tmp_path_factory.mktemp("journal")
    whole, ends = written(folder, data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    known = events(open_journal(folder))
    at = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 40))
    segments(folder)[0].write_bytes(
        whole[:at] + data.draw(st.binary(max_size=40)) + whole[at + gone :]
    )
    try:
        found = events(open_journal(folder))
    except PosternError as error:
        assert error.code is Code.INVALID  # noqa: PT017 - either may come of it
    else:
        assert found == known[: len(found)]
        assert len(found) >= sum(1 for end in ends if end <= at)


def test_what_is_published_is_never_taken_for_torn(tmp_path: Path) -> None:
    """Attack: the end of the journal is cut off or changed, though it was published."""
    whole, (kept, end) = written(tmp_path, [3, 1])
    path = segments(tmp_path)[0]
    for content in (whole[: end - 1], whole[: kept + 1], whole[:-1] + b"!"):
        path.write_bytes(content)
        journal = open_journal(tmp_path, published=4)
        refused(Code.INVALID, "Entry 3 of the journal", lambda: journal.append([event(9)]))  # noqa: B023
        assert content == path.read_bytes()


def test_journal_that_was_cut_while_it_was_open_is_refused(tmp_path: Path) -> None:
    """Attack: somebody takes the last event back under a running service."""
    journal = open_journal(tmp_path)
    journal.append([event(0)])
    end = end_of(tmp_path)
    journal.append([event(1)])
    os.truncate(segments(tmp_path)[0], end)
    refused(Code.INVALID, "Entry 1 of the journal", lambda: journal.append([event(2)]))


def test_missing_segment_is_named_unless_it_was_published(tmp_path: Path) -> None:
    """Attack: a segment disappears. What is published may have expired; the rest may not."""
    journal = open_journal(tmp_path)
    for number in range(4):
        journal.append([event(number, NOW + number * HOUR)])
    segments(tmp_path)[1].unlink()
    refused(Code.INVALID, "Entry 1 of the journal", lambda: events(open_journal(tmp_path)))
    refused(Code.INVALID, "Entry 1 of", lambda: events(open_journal(tmp_path, published=1)))
    assert 3 == len(events(open_journal(tmp_path, published=2)))


def test_missing_end_is_refused(tmp_path: Path) -> None:
    """Attack: the last segment, or all of them, disappear."""
    journal = open_journal(tmp_path)
    for number in range(3):
        journal.append([event(number, NOW + number * HOUR)])
    last = segments(tmp_path)[-1]
    last.unlink()
    refused(Code.INVALID, "The end of the journal is missing", lambda: journal.append([event(9)]))
    for path in segments(tmp_path):
        path.unlink()
    refused(Code.INVALID, "end of the journal", lambda: open_journal(tmp_path, published=3).size())


def test_segments_that_overlap_are_refused(tmp_path: Path) -> None:
    """Attack: a copy of old entries is put in under another name, or beside them."""
    journal = open_journal(tmp_path)
    for number in range(3):
        journal.append([event(number, NOW + number * HOUR)])
    journal.close()
    (first, second, last) = segments(tmp_path)
    second.write_bytes(first.read_bytes())
    refused(Code.INVALID, "Entry 1 of the journal", lambda: events(open_journal(tmp_path)))


@pytest.mark.parametrize("name", ["x", "-5", "5", "00000000000000000001x", "-0000000000000000005"])
def test_foreign_file_among_the_segments_is_refused(tmp_path: Path, name: str) -> None:
    """Nobody can tell what it would mean; it is named. What has another ending is none of it."""
    open_journal(tmp_path).append([event(0)])
    (tmp_path / "notes.txt").write_text("hello")
    assert 1 == len(events(open_journal(tmp_path)))
    (tmp_path / f"{name}.segment").write_bytes(b"")
    refused(
        Code.INVALID,
        f"journal/{name}.segment is no segment",
        lambda: open_journal(tmp_path).append([event(0)]),
    )


@pytest.mark.parametrize(("make", "at"), [(Path.mkdir, 0), (Path.mkdir, -1), (os.mkfifo, 0)])
def test_segment_that_is_no_file_is_named(
    tmp_path: Path, make: Callable[[Path], None], at: int
) -> None:
    """A full disk is not blamed, and a pipe is not waited for."""
    filled(tmp_path, hours(3)).close()
    path = segments(tmp_path)[at]
    path.unlink()
    make(path)
    with pytest.raises(PosternError, match=path.name) as found:
        events(open_journal(tmp_path, 3))
    assert "this user may use it" in found.value.hint


def test_event_that_cannot_be_written_down_leaves_nothing_behind(tmp_path: Path) -> None:
    """Bad input is refused before anything is touched, also in the middle of a batch."""
    journal = open_journal(tmp_path)
    broken = Changed(NOW, "lone \ud800", "p-1", "operator")
    refused(Code.INVALID, "cannot be written down", lambda: journal.append([event(0), broken]))
    assert 0 == journal.size()
    assert [] == events(journal)


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A journal whose folder is missing cannot keep anything now."""
    journal = Journal(tmp_path / "missing", lambda: 0)
    refused(Code.UNAVAILABLE, "cannot be written", lambda: journal.append([event(0)]))


def filled(folder: Path, times: Iterable[datetime], published: int | None = None) -> Journal:
    """A journal of events of those times, all of them published unless said otherwise."""
    size = Published()
    journal = Journal(folder, size)
    for number, at in enumerate(times):
        journal.append([event(number, at)])
    size.size = journal.size() if published is None else published
    return journal


def hours(count: int) -> list[datetime]:
    return [NOW + number * HOUR for number in range(count)]


def indexes(journal: Journal) -> list[int]:
    return [entry.index for entry in journal.read()]


def test_whole_hours_expire_and_nothing_of_them_stays(tmp_path: Path) -> None:
    """What is due is in no file any more; the rest is untouched."""
    journal = filled(tmp_path, hours(6))
    made = events(journal)
    gone = list(journal.read())[:3]
    kept = journal.expire(NOW + 3 * HOUR, NOW + 6 * HOUR)

    assert {NOW + n * HOUR for n in (3, 4, 5)} == set(kept)
    assert made[3:] == events(journal) == events(open_journal(tmp_path, published=6))
    assert 6 == journal.append([event(6)])
    assert_nowhere(tmp_path, gone)


def assert_nowhere(folder: Path, gone: list[Entry]) -> None:
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert content
    for entry in gone:
        assert entry.salt not in content
        assert entry.text.encode() not in content


def test_nothing_expires_early_and_at_most_an_hour_late(tmp_path: Path) -> None:
    """A segment goes once the last moment that it can hold has passed."""
    journal = filled(tmp_path, hours(3))
    journal.expire(NOW + SPAN - timedelta(microseconds=1), NOW + 3 * HOUR)
    assert 3 == len(events(journal))
    journal.expire(NOW + SPAN, NOW + 3 * HOUR)
    assert 2 == len(events(journal))


def test_unpublished_events_do_not_expire(tmp_path: Path) -> None:
    """However old they are: the tree does not have them yet."""
    journal = filled(tmp_path, hours(4), published=2)
    journal.expire(NOW + 99 * HOUR, NOW + 100 * HOUR)
    assert [2, 3] == indexes(journal)


def test_last_event_expires_too_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    """A journal without contents still knows where it goes on."""
    journal = filled(tmp_path, hours(2))
    journal.expire(NOW + 99 * HOUR, NOW + 100 * HOUR)
    assert [] == events(journal)
    again = open_journal(tmp_path, published=2)
    assert 2 == again.size()
    assert 2 == again.append([event(2, NOW + 100 * HOUR)])
    assert 3 == journal.append([event(3, NOW + 100 * HOUR)])
    assert 2 == len(events(journal))


def test_event_of_a_clock_that_was_wrong_does_not_stay_for_years(tmp_path: Path) -> None:
    """What comes from the future is as old as what came after it."""
    journal = filled(tmp_path, (NOW, NOW + timedelta(days=4000), NOW + 2 * HOUR))
    journal.expire(NOW + HOUR, NOW + 2 * HOUR)
    assert [1, 2] == indexes(journal)
    journal.expire(NOW + 3 * HOUR, NOW + 3 * HOUR)
    assert [] == events(journal)


def test_clock_set_back_to_nought_makes_nothing_else_expire(tmp_path: Path) -> None:
    """An event of 1970 is due at once, those around it are not."""
    journal = filled(tmp_path, (NOW, datetime.fromtimestamp(0, NOW.tzinfo), NOW + HOUR))
    journal.expire(NOW, NOW + HOUR)
    assert [0, 2] == indexes(journal)


def test_damaged_segment_expires_with_its_neighbours(tmp_path: Path) -> None:
    """Damage does not keep what people said for ever."""
    journal = filled(tmp_path, hours(3))
    path = segments(tmp_path)[0]
    path.write_bytes(b"\x00" * 5 + path.read_bytes()[5:])
    journal.expire(NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert [2] == indexes(journal)


def test_expiry_goes_on_where_a_crash_left_it(tmp_path: Path) -> None:
    """A segment that was renamed, and perhaps overwritten, is no damage; it goes next time."""
    filled(tmp_path, hours(4)).close()
    first, second, *_ = segments(tmp_path)
    first.rename(first.with_suffix(".destroyed"))
    second.rename(second.with_suffix(".destroyed"))
    second.with_suffix(".destroyed").write_bytes(bytes(10))
    again = open_journal(tmp_path, published=4)
    assert [2, 3] == indexes(again)
    again.expire(NOW, NOW + 4 * HOUR)
    assert {"lock", "00000000000000000002.segment", "00000000000000000003.segment"} == {
        path.name for path in tmp_path.iterdir()
    }


def test_reader_meets_expiry_half_way(tmp_path: Path) -> None:
    """What expires while somebody reads is left out, not taken for damage."""
    journal = filled(tmp_path, hours(5))
    reading = journal.read()
    assert 0 == next(reading).index
    journal.expire(NOW + 3 * HOUR, NOW + 5 * HOUR)
    assert [3, 4] == [entry.index for entry in reading]


def test_journal_goes_on_after_others_expired_all_that_it_knew(tmp_path: Path) -> None:
    """The segment that it had open is gone, and so are some that it never saw."""
    published = Published()
    one, other = Journal(tmp_path, published), Journal(tmp_path, published)
    for number in range(6):
        (one if number < 2 else other).append([event(number, NOW + number * HOUR)])
    published.size = 6
    other.expire(NOW + 5 * HOUR, NOW + 6 * HOUR)
    assert 6 == one.append([event(6, NOW + 6 * HOUR)])
    assert [5, 6] == indexes(one)


@settings(max_examples=30)
@given(steps=st.lists(st.integers(-90, 90), min_size=1, max_size=12), cut=st.integers(-120, 600))
def test_expiry_keeps_what_is_not_due(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], cut: int
) -> None:
    """However the clock wanders: nothing newer goes, nothing more than an hour older stays."""
    folder = tmp_path_factory.mktemp("journal")
    made = [NOW + timedelta(minutes=minutes) for minutes in accumulate(steps)]
    journal = filled(folder, made)
    before = NOW + timedelta(minutes=cut)
    journal.expire(before, max(made) + HOUR)
    found = set(indexes(journal))
    assert {n for n, at in enumerate(made) if at >= before} <= found
    assert found <= {n for n, at in enumerate(made) if at + 2 * SPAN > before}
