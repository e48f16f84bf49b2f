"""The site's record of what happened: the log that makes it durable, and the index that answers.

1. The log comes first: what it has kept has happened, whatever becomes of the index.
2. The index follows. It is brought up to date before it is asked, and made anew from the log where
   the two do not fit, or it is damaged: after a restore, or where somebody changed one of them.
3. The log keeps no ids, only pseudonyms; whoever the site still knows is shown by their id.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import TypeVar

from postern.app.secrets import Secrets, signing_secret
from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Changed, Decided, Event, Released
from postern.core.ids import AccessPointId, CameraId, EventId
from postern.core.ports import Clock
from postern.engine.health import Health
from postern.engine.supervise import shielded
from postern.ledger.checkpoint import Opened
from postern.ledger.log import Log, open_log
from postern.ledger.pseudonym import month, reveal
from postern.ledger.segment import Entry as Kept
from postern.ledger.verify import VKEY
from postern.store.events import Entry, Events, Wanted
from postern.vault.keys import derive_seed

#: A checkpoint comes at the latest after so many seconds, or entries.
PERIOD_S = 5.0
ENTRIES = 200
#: Entries that the index takes in at once.
_AT_ONCE = 1000
#: Seconds for the keeper to end; a disk that hangs does not hold up the end for longer.
_STOP_S = 5.0
#: The folder of the log in the site's data, and its name where its health is told.
LEDGER = "ledger"
#: Its parts, each of which may fail alone.
_LOG, _INDEX = "ledger log", "ledger index"
_PURPOSE = b"postern log 1"
#: How far a calendar goes at once before it is doubted, and how long it is.
LEAP, NOTICE = timedelta(days=30), timedelta(days=1)
Tell = Callable[[CameraId, str, str], None]
T = TypeVar("T")


def log_seed(signing: bytes) -> bytes:
    """The 32 secret bytes that checkpoints are signed with; `signing` is the signing secret."""
    return derive_seed(signing, _PURPOSE)


def log_origin(site: bytes) -> str:
    """The name of a site's log. It tells witnesses apart what they sign, and nothing of the site.

    A log's name is a URL without a scheme (C2SP tlog-checkpoint); `.invalid` is nobody's
    (RFC 2606).
    """
    return f"postern.invalid/{site.hex()}"


def open_ledger(
    data: Path, secrets: Secrets, site: bytes, clock: Clock, seen: tuple[int, bytes] | None = None
) -> tuple[Log, bytes]:
    """The log of the site in that folder, made if there is none, and the site's signing secret.

    Args:
        data: The site's data.
        secrets: Where its secrets are.
        site: The 16 bytes that name the site; a log that is there keeps its name.
        clock: Says how late it is.
        seen: The last checkpoint that the store remembers, where there is a store.

    Raises:
        PosternError: As `signing_secret` and `open_log`.
    """
    folder = data / LEDGER
    signing = signing_secret(secrets, in_use=(folder / VKEY).exists())
    return open_log(folder, log_seed(signing), log_origin(site), clock, seen), signing


class Records:
    """Implements `postern.core.ports.Ledger` on the log; usable from any thread.

    Args:
        log: Where events become durable.
        events: The index.
        ids: Gives every id that the site knows now, to show events by.
    """

    def __init__(self, log: Log, events: Events, ids: Callable[[], Iterable[str]]) -> None:
        self.log = log
        self._events = events
        self._ids = ids
        self._lock = Lock()  # Guards the next: what this process has kept since it last published.
        self._pending = 0
        self._crowded = Flag()

    def append(self, event: Event) -> EventId:
        """See `Ledger.append`."""
        return self.append_all((event,))[0]

    def append_all(self, events: Sequence[Event]) -> list[EventId]:
        """Keeps several events in one go, one after the other: all of them or none.

        Raises:
            PosternError: As `Ledger.append`.
        """
        numbers = self.log.append_all(events)
        with self._lock:
            self._pending += len(events)
            if self._pending >= ENTRIES:
                self._crowded.set()
        return numbers

    def settle(self) -> Opened:
        """Publishes what has come, and takes it into the index; gives the checkpoint.

        Raises:
            PosternError: Where the log or the index cannot be written now, or is damaged.
        """
        published = self.publish()
        self.follow()
        self.remember()
        return published

    def publish(self) -> Opened:
        """Publishes what has come; gives the checkpoint. The index may be late.

        Raises:
            PosternError: Where the log cannot be written now, or is damaged.
        """
        with self._lock:
            self._pending = 0
            self._crowded.clear()
        return self.log.publish()

    def wait(self, timeout_s: float) -> None:
        """Waits until there is enough to publish, for so many seconds at most."""
        self._crowded.wait(timeout_s)

    def wake(self) -> None:
        """Ends a wait."""
        self._crowded.set()

    def follow(self) -> None:
        """Brings the index up to what the log has.

        Raises:
            PosternError: Where one of them cannot be used now, or is damaged.
        """
        start = self._events.end()
        # With the last one that it has: a segment of the log is read once for both.
        entries = self.log.entries(max(start - 1, 0))
        first = next(entries, None)
        if not self._continues(start, first):
            self._events.clear()
            # Whatever another process adds at this moment, nothing before it may be left out.
            entries = self.log.entries(0)
        elif first is not None and first.index >= start:
            entries = chain((first,), entries)
        while batch := [(entry.index, entry.text) for entry in islice(entries, _AT_ONCE)]:
            self._events.take(batch)

    def remember(self) -> None:
        """Notes in the store what is published: a log that does not continue it is not opened.

        Raises:
            PosternError: Where the log or the store cannot be used now, or is damaged.
        """
        checkpoint = self.log.checkpoint().checkpoint
        self._events.see(checkpoint.size, checkpoint.root)

    def note_loss(self, now: datetime) -> None:
        """Keeps as an event, once, that the log has fewer events than the store has seen.

        Its folder was taken away, or an older one put in its place. What they said is not in the
        store's power to prove, but nobody should have to find out by themselves that they were.

        Raises:
            PosternError: As `append` and `follow`.
        """
        seen, size = (self._events.seen() or (0, b""))[0], self.log.size()
        if size < seen:
            # Of what an older log has beyond its checkpoint nobody can tell that it is unchanged.
            size = self.log.checkpoint().checkpoint.size
        lost = max(seen, self._events.end()) - size
        if lost > 0:
            self.append(Changed(now, f"events lost: {lost}", "", LEDGER))
            self._events.begin_anew()

    def check_kept(self, since: datetime) -> None:
        """Sees that the log still has what every event since then said, as far as the index knows.

        Raises:
            PosternError: `invalid` where some are gone; as `follow`.
        """
        known = self._events.numbers(since)
        kept = {entry.index for entry in self.log.entries(known[0])} if known else set()
        gone = [number for number in known if number not in kept]
        if gone:
            raise invalid(
                f"Events that are gone from the journal before their time: {len(gone)}, the first "
                f"of them entry {gone[0]} and the last entry {gone[-1]}.",
                "The store has a copy of them until they expire: postern events shows it.",
            )

    def rebuild(self) -> None:
        """Makes the index anew from the log; as `follow`."""
        self._events.clear()
        self.follow()

    def list(
        self,
        *,
        since: datetime | None = None,
        after: EventId | None = None,
        access_point: AccessPointId | None = None,
        about: str | None = None,
        limit: int = 100,
        known: Iterable[str] | None = None,
    ) -> tuple[Entry, ...]:
        """Events that have not expired, newest first.

        Args:
            since: Only those at or after this time.
            after: Only those with a later number; for following along.
            access_point: Only what happened at this one.
            about: Only those that name this id.
            limit: At most so many.
            known: Who is to be shown by their id; all others keep their pseudonyms. Everybody that
                the site still knows where it is not given.

        Raises:
            PosternError: As `follow`.
        """
        naming = None if about is None else self.log.pseudonyms.every(about)
        found = self._answer(
            lambda: self._events.list(
                since=since, after=after, access_point=access_point, naming=naming, limit=limit
            )
        )
        return self._revealed(found, tuple(self._ids() if known is None else known))

    def page(self, wanted: Wanted, *, about: str | None = None, limit: int) -> tuple[Entry, ...]:
        """Some of the events that have not expired, newest first by their times.

        Args:
            wanted: Which; whom they are to name is told by the next.
            about: Only those that name this id, which they show; everybody else keeps their
                pseudonym.
            limit: At most so many.

        Raises:
            PosternError: As `follow`.
        """
        if about is not None:
            wanted = replace(wanted, naming=tuple(self.log.pseudonyms.every(about)))
        found = self._answer(lambda: self._events.page(wanted, limit=limit))
        return self._revealed(found, () if about is None else (about,))

    def about(self, ids: Collection[str]) -> tuple[Entry, ...]:
        """What names any of these ids, and what became of those attempts, oldest first; only they
        are shown by their ids.

        Raises:
            PosternError: As `follow`.
        """
        names = [name for id_ in ids for name in self.log.pseudonyms.every(id_)]
        return self._revealed(self._answer(lambda: self._events.about(names)), tuple(ids))

    def find(self, number: int) -> Entry:
        """The event of that number, under pseudonyms.

        Raises:
            PosternError: `not_found` where there is none, or not any more; as `follow`.
        """
        return self._answer(lambda: self._events.find(number))

    def unfinished(self) -> tuple[Decided | Released, ...]:
        """Grants and releases without an outcome, oldest first; a restart closes each of them.

        Raises:
            PosternError: As `follow`.
        """
        return self._answer(self._events.unfinished)

    def leapt(self, now: datetime) -> bool:
        """Whether the calendar has gone `LEAP` ahead of what happened before the last day.

        It does so after a long break, and where it was set wrong. What is destroyed by the
        calendar should wait then until somebody has had the time to notice.

        Raises:
            PosternError: As `follow`.
        """
        self.follow()
        before = self._events.any(before=now - LEAP)
        return before and not self._events.any(since=now - LEAP, before=now - NOTICE)

    def expire(self, before: datetime, now: datetime) -> None:
        """Destroys what events before that time said; their proofs stay.

        What is said to have happened after `now` is as old as what came after it.

        Raises:
            PosternError: As `settle`. What was begun is finished at the next call.
        """
        self.log.expire(before)
        self._events.expire(before, now)

    def close(self) -> None:
        """Settles what this process has kept, and lets go of the files.

        Where that fails nothing is lost: the log has it, and whoever comes next publishes it.
        """
        if self._pending:
            with suppress(PosternError):
                self.settle()
        self.log.close()

    def _revealed(self, found: Iterable[Entry], ids: tuple[str, ...]) -> tuple[Entry, ...]:
        """Events with these ids in place of their pseudonyms."""
        found = tuple(found)
        names = {m: self.log.pseudonyms.names(at, ids) for m, at in _months(found).items()}
        return tuple(replace(e, event=reveal(e.event, names[month(e.at)])) for e in found)

    def _answer(self, question: Callable[[], T]) -> T:
        """What the index says; a damaged one is made anew first."""
        self.follow()
        try:
            return question()
        except PosternError as error:
            if error.code is not Code.INVALID:
                raise
        self.rebuild()
        return question()

    def _continues(self, end: int, kept: Kept | None) -> bool:
        """Whether the index, which ends there, has nothing but what the log has; `kept` is what
        the log has of its last entry, or the next one."""
        if end == 0:
            return True
        if kept is None or kept.index != end - 1:
            return end <= self.log.size()  # It has expired in the log, and soon will here.
        return kept.text == self._events.text(end - 1)


class Keeper:
    """Publishes the log every few seconds until it is stopped, and keeps the index up to date.

    Each in a thread of its own: a store that is locked or damaged holds up no checkpoint.

    Args:
        records: The site's.
        tell: Told `ledger`, a state (`ok` or `red`) and one sentence whenever that changes, as
            `Observer.health` is.
        period_s: Seconds after which a checkpoint comes at the latest.
    """

    def __init__(self, records: Records, tell: Tell, period_s: float = PERIOD_S) -> None:
        self._records = records
        self._period_s = period_s
        self._stop = Flag()
        name = CameraId(LEDGER)
        self._health = Health((_LOG, _INDEX), lambda state, why: tell(name, state, why), "ok")
        self._threads = (
            Thread(target=self._publish, name=_LOG, daemon=True),
            Thread(target=self._follow, name=_INDEX, daemon=True),
        )

    def start(self) -> None:
        """Starts both."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Does both once more and ends; never waits for longer than a few seconds."""
        self._stop.set()
        self._records.wake()
        until_s = monotonic() + _STOP_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - monotonic()))

    def _publish(self) -> None:
        def publish() -> bool:
            self._records.publish()
            self._health.report(_LOG, "ok", "what is recorded is published again")
            return True

        while not self._stop.is_set():
            self._records.wait(self._period_s)
            if not shielded(publish, lambda why: self._failed(_LOG, why)):
                # A failure comes at once and would come at once again.
                self._stop.wait(self._period_s)
        # What came while the last round was under way.
        shielded(publish, lambda why: self._failed(_LOG, why))

    def _follow(self) -> None:
        def follow() -> bool:
            self._records.follow()
            self._records.remember()
            self._health.report(_INDEX, "ok", "what is recorded can be asked for again")
            return True

        while not self._stop.wait(self._period_s):
            shielded(follow, lambda why: self._failed(_INDEX, why))
        shielded(follow, lambda why: self._failed(_INDEX, why))

    def _failed(self, part: str, why: str) -> bool:
        self._health.report(part, "red", why)
        return False


def _months(entries: Iterable[Entry]) -> Mapping[str, datetime]:
    return {month(entry.at): entry.at for entry in entries}
