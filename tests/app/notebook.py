"""A ledger in memory, for tests about something else."""

from postern.core.event import Event
from postern.core.ids import EventId
from postern.event_text import decode, encode


class Notebook:
    """Keeps events as they read back, numbered from 0."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> EventId:
        self.events.append(decode(encode(event)))
        return EventId(str(len(self.events) - 1))

    def of(self, kind: type[Event]) -> list[Event]:
        """Those of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]
