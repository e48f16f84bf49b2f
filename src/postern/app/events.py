"""Events for those who ask over the network: whom they name stands under pseudonyms, but for the
one holder whose own are asked for, which is recorded before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from postern.api.events import Query
from postern.core.event import Event, Viewed
from postern.core.ids import AccessPointId, AttemptId, EventId, Holder, PersonId, VehicleId
from postern.core.ports import Clock
from postern.store.events import Entry, Wanted
from postern.store.store import Store


class History(Protocol):
    """What happened; `postern.app.records.Records` is one."""

    def append(self, event: Event) -> EventId:
        """See `postern.core.ports.Ledger`."""
        ...

    def page(self, wanted: Wanted, *, about: str | None, limit: int) -> Sequence[Entry]:
        """Some of it, newest first."""
        ...

    def find(self, number: int) -> Entry:
        """One event."""
        ...


class Prove(Protocol):
    """Makes the proof of one event."""

    def __call__(self, number: int) -> bytes:
        """The file; `not_found`, `invalid` where the log is damaged, `unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one site.

    Attributes:
        store: The records.
        history: What happened.
        clock: Says how late it is.
        prove: Proves events.
    """

    store: Store
    history: History
    clock: Clock
    prove: Prove

    def page(self, query: Query, limit: int) -> Sequence[Entry]:
        """Some of them, newest first.

        Raises:
            PosternError: `unavailable`, or `invalid` where the log is damaged.
        """
        place, attempt = query.access_point, query.attempt
        wanted = Wanted(
            kind=query.kind,
            access_point=None if place is None else AccessPointId(place),
            reason=query.decision,
            attempt=None if attempt is None else AttemptId(attempt),
            since=query.since,
            until=query.until,
            before=query.before,
        )
        return self.history.page(wanted, about=query.holder, limit=limit)

    def viewed(self, holder: str, by: str, why: str) -> None:
        """Records that somebody looks at a holder's events, and why.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        known: Holder
        if holder.startswith("v-"):
            known = self.store.vehicles.find(VehicleId(holder)).id
        else:
            known = self.store.people.find(PersonId(holder)).id
        self.history.append(Viewed(self.clock.now().utc, known, by, why))

    def find(self, number: int) -> Entry:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`, or `invalid` where the log is damaged.
        """
        return self.history.find(number)

    def proof(self, number: int) -> bytes:
        """The proof of one of them; as `prove`."""
        return self.prove(number)
