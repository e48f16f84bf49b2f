"""The journal: where an event becomes durable, and where its contents lie until they expire.

1. A frame is what was appended at once: its length, a checksum of all of it, and its entries. It is
   written in one piece and synced before anybody hears that it is kept. What other threads of the
   process wait to have kept goes along in it: the sync takes longer than all the rest.
2. Processes take turns. Whoever has the turn first takes in what others appended, syncs it, and
   cuts off what a crash left half-written: a frame at the very end that was never acknowledged.
3. A frame that failed is cut off again. Where even that fails it is in doubt, and others may take
   it in: before anything is appended it is written and synced once more, and what is whole of it
   has then been appended after all. So no gap gets between two entries, and a disk that recovers
   needs no restart.
4. A segment holds what happened within an hour, and is named by its first entry. It expires whole,
   and only once the published tree has its entries.
5. Before the published size entries may be missing: they have expired. After it none may.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Event
from postern.event_text import encode
from postern.ledger.files import destroy, read, sync_folder, unreadable, unwritable
from postern.ledger.segment import (
    HEAD_SIZE,
    Entry,
    damaged,
    frame,
    frames,
    payload_size,
    read_frames,
    sound,
)
from postern.ledger.turn import Turn

#: How far apart the events of one segment are at most.
SPAN = timedelta(hours=1)
#: Bytes. A segment that has as many takes no further frame.
_ENOUGH = 1 << 20
#: Bytes. A segment grows by so many noughts at a time, because a disk is done sooner with what does
#: not change a file's length.
_ROOM = 1 << 16
#: Bytes. What was appended at once is never cut in two, so that a segment may have any length.
_MOST = 1 << 40
_NOTHING = bytes(HEAD_SIZE)
SEGMENT = ".segment"
_DIGITS = 20
_FOREIGN = "Move it out of the folder, if it is not of the log."
_RESTORE = "Keep a copy of the folder; what can be done next is in docs/ledger.md."


class _Draft:
    """What somebody waits to have kept: all of it or, but for its full hours, none.

    Args:
        events: From the first on.

    Raises:
        PosternError: `invalid` where one cannot be written down.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.texts = [(event.at, encode(event).encode()) for event in events]
        #: The number of the first, once all are kept.
        self.first: int | None = None
        #: Why another thread did not keep them; at first, that it died of something else.
        self.failure = OSError(0, "whoever wrote was interrupted")


class Journal:
    """An open journal; usable from any thread.

    Args:
        folder: Where its segments are.
        published: How many entries the published tree has now.
    """

    def __init__(self, folder: Path, published: Callable[[], int]) -> None:
        self._folder = folder
        self._root = f"{folder}{os.sep}"
        self._published = published
        self._turn = Turn(folder / "lock")
        # In order; whoever takes one out is who keeps it.
        self._waiting: dict[_Draft, None] = {}
        # The turn guards what follows: the last segment, and how far it is known and durable.
        self._handle = -1
        self._first = self._end = self._size = self._next = 0
        self._begun: datetime | None = None
        self._broken = False

    def append(self, events: Sequence[Event]) -> int:
        """Keeps events, and gives the number of the first; on return they survive a power cut.

        All of them are kept or none, but for a batch of more than an hour: where its later part
        fails, its earlier hours may be there.

        Raises:
            PosternError: `unavailable` where they cannot be made durable now; `invalid` where an
                event cannot be written down, or the journal is damaged.
        """
        if not events:
            return self.size()
        draft = _Draft(events)
        self._waiting[draft] = None
        try:
            with self._turn.held():
                # Otherwise another thread has taken it along, and whatever came of that stands.
                if draft in self._waiting:
                    self._keep(draft)
        finally:
            # What nobody waits for any more, nobody is to keep.
            self._waiting.pop(draft, None)
        if draft.first is None:
            raise unwritable(draft.failure) from None
        return draft.first

    def read(self, start: int = 0) -> Iterator[Entry]:
        """The entries from one on, as far as they have not expired; all of them are durable.

        Raises:
            PosternError: `invalid` where the journal is damaged, naming the entry; `unavailable`
                where it cannot be read now.
        """
        with self._turn.held():
            self._catch_up()
            last, end, size = self._first, self._end, self._next
            firsts = self._firsts()
        expected = start
        for first, following in pairwise([*firsts, max(size, start + 1)]):
            content = self._content(first) if following > start else None
            if content is None:
                continue
            if first < expected != start or (first > expected and first > self._published()):
                raise damaged(min(first, expected))
            entries, whole = frames(content[:end] if first == last else content, first)
            if whole != (end if first == last else len(content)):
                raise damaged(first + len(entries))
            yield from (entry for entry in entries if entry.index >= start)
            expected = first + len(entries)

    def size(self) -> int:
        """How many entries there are, expired ones included; all of them are durable.

        Raises:
            PosternError: as `read`.
        """
        with self._turn.held():
            self._catch_up()
            return self._next

    def has(self, wanted: Callable[[datetime], bool]) -> bool:
        """Whether an event of such a time is kept, as far as what is damaged lets that be told.

        Only what began within an hour of such a time is read through.

        Raises:
            PosternError: as `read`.
        """
        for first in self._firsts():
            begun = self._began(first)
            if begun is None or not any(wanted(begun + by) for by in (-SPAN, timedelta(), SPAN)):
                continue
            entries = sound(self._content(first) or b"", first)
            if any(wanted(entry.event.at) for entry in entries):
                return True
        return False

    def expire(self, before: datetime, now: datetime) -> list[datetime]:
        """Destroys segments all of whose events are older, and gives when the others began.

        A segment from the future is as old as the one after it: a clock was wrong. What has not
        been published stays. Not to be called twice at the same time.

        Raises:
            PosternError: as `read`. What was begun is finished at the next call.
        """
        with self._turn.held():
            self._catch_up()
            if self._begun is not None and self._begun + SPAN <= before:
                self._roll()
            firsts, last = self._firsts(), self._begun or now
        published, kept, due, latest = self._published(), [last], list[Path](), min(last, now)
        for first, following in reversed(list(pairwise(firsts))):
            begun = self._began(first)
            latest = latest if begun is None or begun > now else begun
            if latest + SPAN <= before and following <= published:
                due.append(Path(self._path(first)))
            else:
                kept.append(begun or latest)
        destroy(self._folder, reversed(due))
        return kept

    def close(self) -> None:
        """Lets go of the files; the journal opens them again when it is next used."""
        # Room that is not given back does no harm.
        with suppress(PosternError, OSError), self._turn.held():
            if self._handle >= 0 and not self._broken:
                self._take_in()
                os.ftruncate(self._handle, self._end)
        with self._turn.threads:
            if self._handle >= 0:
                os.close(self._handle)
            self._handle = -1

    def _catch_up(self) -> None:
        """Takes in what others appended, so that all that is known is durable."""
        try:
            if self._handle < 0 or not self._is_there(self._first):
                self._enter(self._last())
            if self._broken:
                self._settle()
            self._take_in()
            # Whoever begins a segment takes the room from the one before.
            while self._size == self._end > 0 and self._is_there(self._next):
                self._enter(self._next)
                self._take_in()
        except OSError as error:
            raise unwritable(error) from None

    def _last(self) -> int:
        """The first entry of the last segment; the very first one is made."""
        firsts = self._firsts()
        if firsts and firsts[-1] >= self._first:
            return firsts[-1]
        if firsts or self._published():
            raise invalid("The end of the journal is missing.", _RESTORE)
        self._make(0)
        return 0

    def _enter(self, first: int) -> None:
        # Whoever made the segment may have died before its name was durable.
        sync_folder(self._folder)
        handle = os.open(self._path(first), os.O_RDWR | os.O_CLOEXEC)
        if self._handle >= 0:
            os.close(self._handle)
        self._handle, self._first, self._next = handle, first, first
        self._end, self._size, self._begun = 0, 0, None

    def _take_in(self) -> None:
        # Where somebody has appended, the length of a frame stands in place of noughts.
        head = os.pread(self._handle, HEAD_SIZE, self._end) if self._end else b""
        if head == _NOTHING:
            return
        self._size = os.fstat(self._handle).st_size
        if self._size < self._end:
            raise damaged(self._next - 1)
        if self._end and not any(head):
            return
        content = os.pread(self._handle, self._size - self._end, self._end)
        entries, whole = read_frames(content, self._next, self._published())
        if content[whole:].strip(b"\0"):
            self._size = self._end + whole
            os.ftruncate(self._handle, self._size)
        os.fdatasync(self._handle)
        if entries:
            self._begun = self._begun or entries[0].event.at
        self._end, self._next = self._end + whole, self._next + len(entries)

    def _keep(self, draft: _Draft) -> None:
        """Keeps it, and with its end what others wait for, as far as the segment takes that."""
        self._catch_up()
        first, left = self._next, draft.texts
        while left:
            if self._is_full(left[0][0]):
                self._roll()
            begun = self._begun or left[0][0]
            fit = _within(begun, left)
            left = left[len(fit) :]
            self._write(fit, [] if left else self._companions(begun, draft))
            self._begun = begun
        draft.first = first

    def _companions(self, begun: datetime, draft: _Draft) -> list[_Draft]:
        """The other drafts that fit as a whole into a segment which began then."""
        self._waiting.pop(draft, None)
        others = [
            other
            for other in list(self._waiting)
            if len(_within(begun, other.texts)) == len(other.texts)
        ]
        # One whose thread has lost patience meanwhile is gone.
        return [other for other in others if self._waiting.pop(other, other) is None]

    def _is_full(self, at: datetime) -> bool:
        return self._begun is not None and (self._end >= _ENOUGH or abs(at - self._begun) >= SPAN)

    def _roll(self) -> None:
        try:
            # Only the last segment has room left over, so that others are seen to be whole.
            os.ftruncate(self._handle, self._end)
            os.fdatasync(self._handle)
            self._make(self._next)
            self._enter(self._next)
        except OSError as error:
            raise unwritable(error) from None

    def _make(self, first: int) -> None:
        # It may be there, empty, where an earlier attempt failed half-way.
        os.close(os.open(self._path(first), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def _write(self, texts: Sequence[bytes], companions: Sequence[_Draft]) -> None:
        # One frame for all: of several, a power cut could leave a later one without an earlier one.
        every = [*texts, *(text for other in companions for _, text in other.texts)]
        content = frame(every, self._next)
        end = self._end + len(content)
        try:
            at = self._put(content + bytes(_ROOM if end > self._size else 0))
        except OSError as error:
            self._cut()
            for other in companions:
                other.failure = error
            raise unwritable(error) from None
        following = self._next + len(texts)
        for other in companions:
            other.first, following = following, following + len(other.texts)
        self._end, self._size, self._next = end, max(at, self._size), following

    def _put(self, content: bytes) -> int:
        """Writes at the end, durably; gives where that ends."""
        left, at = memoryview(content), self._end
        while left:
            written = os.pwrite(self._handle, left, at)
            left, at = left[written:], at + written
        os.fdatasync(self._handle)
        return at

    def _cut(self) -> None:
        """Takes back what failed."""
        self._broken = True
        with suppress(OSError):
            os.ftruncate(self._handle, self._end)
            os.fdatasync(self._handle)
            self._broken = False

    def _settle(self) -> None:
        """Makes durable what failed and could not be taken back; others may have it by now."""
        # After a sync that failed, the kernel may hold for written what the disk does not have.
        found = os.fstat(self._handle).st_size
        self._put(os.pread(self._handle, max(0, found - self._end), self._end))
        self._broken = False

    def _began(self, first: int) -> datetime | None:
        """When the first event of a segment happened; None where that cannot be told."""
        try:
            with open(self._path(first), "rb") as file:
                head = file.read(HEAD_SIZE)
                following = payload_size(head) if len(head) == HEAD_SIZE else 0
                content = head + file.read(min(following, os.fstat(file.fileno()).st_size))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(Path(self._path(first)), error) from None
        entries = sound(content, first)
        return entries[0].event.at if entries else None

    def _content(self, first: int) -> bytes | None:
        """A segment's bytes; None where it has expired meanwhile."""
        path = Path(self._path(first))
        try:
            content = read(self._folder, path.name, _MOST)
        except PosternError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise
        # It has another name before it is overwritten.
        return content if path.exists() else None

    def _firsts(self) -> list[int]:
        return sorted(first_of(path) for path in self._folder.glob(f"*{SEGMENT}"))

    def _is_there(self, first: int) -> bool:
        # Asking for a file's times has the next write change them, and its sync takes half as long
        # again (Linux 6.13, multigrain timestamps); this asks for none.
        return os.access(self._path(first), os.F_OK)

    def _path(self, first: int) -> str:
        # Asked for at every append, where building a `Path` would cost more than all hashing.
        return f"{self._root}{first:0{_DIGITS}}{SEGMENT}"


def first_of(path: Path) -> int:
    """The number of a segment's first entry, by which it is named.

    Raises:
        PosternError: `invalid` where it is none.
    """
    digits = path.stem
    if not (len(digits) == _DIGITS and digits.isascii() and digits.isdecimal()):
        raise invalid(f"journal/{path.name} is no segment of a journal.", _FOREIGN)
    return int(digits)


def _within(begun: datetime, drafts: Sequence[tuple[datetime, bytes]]) -> list[bytes]:
    """The texts that a segment which began then can take, up to the first that it cannot."""
    fit = takewhile(lambda draft: abs(draft[0] - begun) < SPAN, drafts)
    return [text for _, text in fit]
