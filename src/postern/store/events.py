"""The events of the ledger's journal, made fit for questions: by time, by access point, by person.

It proves nothing and keeps nothing that the journal does not; it may be emptied and made anew at
any time. The journal is where an event becomes durable, and where it expires. Beside the events
stands the ledger's last checkpoint that was seen, which nothing makes anew.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select

from postern.core.decision import GRANTS, Reason
from postern.core.errors import Code, PosternError, invalid
from postern.core.event import (
    Acted,
    Alarmed,
    Changed,
    Consented,
    Decided,
    Enrolled,
    Erased,
    Event,
    Interrupted,
    Lifted,
    Ordered,
    Rekeyed,
    Released,
    Revoked,
    Viewed,
    Withdrawn,
)
from postern.core.ids import AccessPointId, AttemptId, EventId
from postern.event_text import decode, kind
from postern.store.database import Database
from postern.store.schema import event_names, events, published

_OUTCOMES = ("acted", "interrupted")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event.

    Attributes:
        id: Its number, as text; the same as in the log's proofs.
        at: When it happened; aware UTC.
        kind: One word for what it is.
        event: What it says.
    """

    id: EventId
    at: datetime
    kind: str
    event: Event


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for: those to which all of this applies.

    Attributes:
        kind: What sort of event.
        access_point: Where.
        reason: Why it was granted or denied.
        attempt: Of which attempt.
        naming: Whom they name, under any of these pseudonyms; None for whomever.
        since: At or after this time.
        until: Before this time.
        before: Older than the event of this time and number.
    """

    kind: str | None = None
    access_point: AccessPointId | None = None
    reason: Reason | None = None
    attempt: AttemptId | None = None
    naming: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


class Events:
    """The index of events.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def end(self) -> int:
        """The number that the next event to be taken has at least; 0 before the first.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            last = connection.scalar(select(func.max(events.c.seq)))
        return 0 if last is None else int(last) + 1

    def text(self, number: int) -> str | None:
        """The text of the event of that number; None where there is none.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return connection.scalar(select(events.c.body).where(events.c.seq == number))

    def take(self, texts: Iterable[tuple[int, str]]) -> int:
        """Takes events in by their numbers and texts, all or none; gives how many those were.

        One that is there already stays as it is, so that two processes may do the same.

        Raises:
            PosternError: `invalid` for a text that is damaged; `unavailable`.
        """
        kept = [(number, decode(text), text) for number, text in texts]
        rows = [_row(number, event, text) for number, event, text in kept]
        if rows:
            names = [
                {"seq": number, "name": name} for number, event, _ in kept for name in named(event)
            ]
            with self._database.writing() as connection:
                connection.execute(insert(events).prefix_with("OR IGNORE"), rows)
                if names:
                    connection.execute(insert(event_names).prefix_with("OR IGNORE"), names)
        return len(rows)

    def list(
        self,
        *,
        since: datetime | None = None,
        after: EventId | None = None,
        access_point: AccessPointId | None = None,
        naming: Iterable[str] | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """Events, newest first.

        Args:
            since: Only those at or after this time.
            after: Only those with a later number; for following along.
            access_point: Only what happened at this one.
            naming: Only those that name one of these, as `named` has it.
            limit: At most so many.

        Raises:
            PosternError: `unavailable`, or `invalid` where one is damaged.
        """
        query = select(events).order_by(events.c.seq.desc()).limit(limit)
        if since is not None:
            query = query.where(events.c.at >= since)
        if after is not None:
            query = query.where(events.c.seq > _number(after))
        if access_point is not None:
            query = query.where(events.c.access_point == access_point)
        if naming is not None:
            query = query.where(_naming(naming))
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query))

    def page(self, wanted: "Wanted", *, limit: int) -> tuple[Entry, ...]:
        """Some of the events, newest first by their times.

        Args:
            wanted: Which.
            limit: At most so many.

        Raises:
            PosternError: `unavailable`, or `invalid` where one is damaged.
        """
        query = select(events).order_by(events.c.at.desc(), events.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query.where(*_terms(wanted))))

    def about(self, names: Iterable[str]) -> tuple[Entry, ...]:
        """What names any of these, as `named` has it, and what became of those attempts, oldest
        first.

        Raises:
            PosternError: `unavailable`, or `invalid` where one is damaged.
        """
        naming = _naming(names)
        attempts = select(events.c.attempt).where(naming, events.c.attempt.is_not(None))
        query = select(events).where(or_(naming, events.c.attempt.in_(attempts)))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(events.c.seq))
            return tuple(_entry(row) for row in found)

    def find(self, number: int) -> Entry:
        """The event of that number.

        Raises:
            PosternError: `not_found` where there is none, or not any more; `unavailable`.
        """
        query = select(events).where(events.c.seq == number)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise PosternError(Code.NOT_FOUND, f"No event {number} is kept.", "See: postern events")
        return _entry(row)

    def any(self, *, before: datetime, since: datetime | None = None) -> bool:
        """Whether there is an event before a time, and not before another.

        Raises:
            PosternError: `unavailable`.
        """
        found = events.c.at < before
        if since is not None:
            found &= events.c.at >= since
        with self._database.reading() as connection:
            return bool(connection.scalar(select(select(events).where(found).exists())))

    def unfinished(self) -> tuple[Decided | Released, ...]:
        """Grants and releases without an outcome, oldest first; a restart closes each of them."""
        outcome = events.alias()
        answered = select(outcome.c.seq).where(
            outcome.c.attempt == events.c.attempt,
            outcome.c.access_point == events.c.access_point,
            outcome.c.kind.in_(_OUTCOMES),
        )
        query = select(events).where(events.c.grants, ~answered.exists()).order_by(events.c.seq)
        with self._database.reading() as connection:
            found = [_entry(row).event for row in connection.execute(query)]
        return tuple(event for event in found if isinstance(event, Decided | Released))

    def seen(self) -> tuple[int, bytes] | None:
        """Size and root of the last checkpoint that was seen; None before the first.

        Raises:
            PosternError: `unavailable`, or `invalid` where that is damaged.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(published).order_by(published.c.size.desc())).first()
        try:
            return None if row is None else (row.size, bytes.fromhex(row.root))
        except (TypeError, ValueError):
            raise invalid(
                "What the store remembers of the log's last checkpoint is damaged.",
                "Restore a backup of the store.",
            ) from None

    def see(self, size: int, root: bytes) -> None:
        """Remembers a checkpoint, unless one of that size or a larger one was seen.

        Raises:
            PosternError: `unavailable`.
        """
        if (self.seen() or (-1, b""))[0] >= size:
            return
        with self._database.writing() as connection:
            connection.execute(delete(published).where(published.c.size < size))
            if not connection.scalar(select(func.count()).select_from(published)):
                connection.execute(insert(published), {"size": size, "root": root.hex()})

    def begin_anew(self) -> None:
        """Forgets all events and what was seen: the ledger has fewer, and that is noted."""
        with self._database.writing() as connection:
            connection.execute(delete(published))
        self.clear()

    def numbers(self, since: datetime) -> tuple[int, ...]:
        """The numbers of the events at or after a time, in order.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(events.c.seq).where(events.c.at >= since).order_by(events.c.seq)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query))

    def expire(self, before: datetime, now: datetime) -> int:
        """Forgets the events before that time, and says how many those were.

        One from the future is as old as the next that is not, as in the journal.
        """
        later = events.alias()
        following = (
            select(later.c.at)
            .where(later.c.seq > events.c.seq, later.c.at <= now)
            .order_by(later.c.seq)
            .limit(1)
            .correlate(events)
            .scalar_subquery()
        )
        return self._forget(or_(events.c.at < before, and_(events.c.at > now, following < before)))

    def clear(self) -> int:
        """Forgets all of them, so that they can be taken anew."""
        return self._forget(events.c.seq >= 0)

    def _forget(self, which: ColumnElement[bool]) -> int:
        with self._database.writing() as connection:
            count = connection.execute(delete(events).where(which)).rowcount
        # Also where nothing was due: an earlier scrub may have met a reader.
        self._database.scrub()
        return count


def named(event: Event) -> frozenset[str]:
    """What an event names: whom it is about, their consents and credentials, or whatever an
    operator changed. A permit is none of that: it may be for one person alone."""
    match event:
        case Decided(holders=holders):
            return frozenset(holders)
        case Consented(consent=consent, person=person) | Withdrawn(consent=consent, person=person):
            return frozenset((consent, person))
        case Erased(person=person) | Viewed(person=person):
            return frozenset((person,))
        case (
            Enrolled(credential=credential, holder=holder)
            | Revoked(credential=credential, holder=holder)
        ):
            return frozenset((credential, holder))
        case Changed(subject=subject):
            return frozenset((subject,)) if subject else frozenset()
        case Released() | Acted() | Interrupted() | Alarmed() | Ordered() | Lifted() | Rekeyed():
            return frozenset()
        case _:
            assert_never(event)


def _naming(names: Iterable[str]) -> ColumnElement[bool]:
    about = select(event_names.c.seq).where(event_names.c.name.in_(list(names)))
    return events.c.seq.in_(about)


def _terms(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    same = {
        events.c.kind: wanted.kind,
        events.c.access_point: wanted.access_point,
        events.c.reason: wanted.reason,
        events.c.attempt: wanted.attempt,
    }
    yield from (column == value for column, value in same.items() if value is not None)
    if wanted.naming is not None:
        yield _naming(wanted.naming)
    if wanted.since is not None:
        yield events.c.at >= wanted.since
    if wanted.until is not None:
        yield events.c.at < wanted.until
    if wanted.before is not None:
        at, number = wanted.before
        yield events.c.at <= at
        yield or_(events.c.at < at, events.c.seq < number)


def _row(number: int, event: Event, text: str) -> dict[str, object]:
    tried = event if isinstance(event, Decided | Released | Acted | Interrupted) else None
    place = event if isinstance(event, Alarmed) else tried
    opens = isinstance(event, Released)
    return {
        "seq": number,
        "at": event.at,
        "kind": kind(event),
        "access_point": place.access_point if place else None,
        "attempt": tried.attempt if tried else None,
        "grants": opens or (isinstance(event, Decided) and event.reason in GRANTS),
        "body": text,
        "reason": event.reason if isinstance(event, Decided) else None,
    }


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(EventId(str(row.seq)), row.at, row.kind, decode(row.body))


def _number(event: EventId) -> int:
    return int(event) if event.isascii() and event.isdigit() else -1
