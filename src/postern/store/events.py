"""The append-only table of events; it stands in for the ledger until there is one.

Numbers run from 1 without a gap. An event is never changed; its contents expire and its number
stays.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, func, insert, select, update

from postern.core.decision import GRANTS
from postern.core.event import Acted, Decided, Event, Interrupted
from postern.core.event_text import decode, encode, kind
from postern.core.ids import AccessPointId, EventId
from postern.store.database import Database
from postern.store.schema import events

#: How long contents are kept unless the site says otherwise.
KEPT_FOR = timedelta(days=30)
_OUTCOMES = ("acted", "interrupted")


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept event.

    Attributes:
        id: Its number, as text.
        at: When it happened; aware UTC.
        kind: One word for what it is.
        event: What it says; None once it has expired.
    """

    id: EventId
    at: datetime
    kind: str
    event: Event | None


class Events:
    """Where events become durable. Implements the port `Ledger`.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, event: Event) -> EventId:
        """Keeps the event; when this returns, it survives a power cut.

        Raises:
            PosternError: `unavailable` where it cannot be made durable now; `invalid` for an event
                that cannot be written down as it is.
        """
        body = encode(event)
        place = event if isinstance(event, Decided | Acted | Interrupted) else None
        with self._database.writing() as connection:
            last = connection.scalar(select(func.max(events.c.seq))) or 0
            row = {
                "seq": last + 1,
                "at": event.at,
                "kind": kind(event),
                "access_point": place.access_point if place else None,
                "attempt": place.attempt if place else None,
                "grants": isinstance(event, Decided) and event.reason in GRANTS,
                "body": body,
            }
            connection.execute(insert(events), row)
        return EventId(str(last + 1))

    def list(
        self,
        *,
        since: datetime | None = None,
        after: EventId | None = None,
        access_point: AccessPointId | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """Kept events, newest first.

        Args:
            since: Only those at or after this time.
            after: Only those with a later number; for following along.
            access_point: Only decisions, and what became of them, at this one.
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
        with self._database.reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query))

    def unfinished(self) -> tuple[Decided, ...]:
        """Grants without an outcome, oldest first; at a restart each is closed as interrupted."""
        outcome = events.alias()
        answered = select(outcome.c.seq).where(
            outcome.c.attempt == events.c.attempt,
            outcome.c.access_point == events.c.access_point,
            outcome.c.kind.in_(_OUTCOMES),
        )
        query = select(events).where(events.c.grants, events.c.body.is_not(None))
        query = query.where(~answered.exists()).order_by(events.c.seq)
        with self._database.reading() as connection:
            found = [_entry(row).event for row in connection.execute(query)]
        return tuple(event for event in found if isinstance(event, Decided))

    def expire(self, before: datetime) -> int:
        """Forgets what events before that time said, and says how many those were.

        Their numbers, times and kinds stay, so that a gap would still show.
        """
        forgotten = {"body": None, "access_point": None, "attempt": None, "grants": False}
        due = (events.c.at < before) & events.c.body.is_not(None)
        with self._database.writing() as connection:
            count = connection.execute(update(events).where(due).values(forgotten)).rowcount
        # Also where nothing was due: an earlier scrub may have met a reader.
        self._database.scrub()
        return count


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    event = None if row.body is None else decode(row.body)
    return Entry(EventId(str(row.seq)), row.at, row.kind, event)


def _number(event: EventId) -> int:
    return int(event) if event.isascii() and event.isdigit() else 0
