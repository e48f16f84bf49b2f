"""What everything about signing in works with."""

from dataclasses import dataclass, field
from datetime import datetime

from postern.core.event import Changed
from postern.core.ports import Clock, Ledger
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people sign in.

    Attributes:
        store: What is kept.
        records: Where what happens becomes durable.
        clock: The two clocks.
        key: 32 bytes of this site's, for what is sealed and for names that are hidden.
        site: What people call the site.
    """

    store: Store
    records: Ledger
    clock: Clock
    key: bytes = field(repr=False)
    site: str

    def now(self) -> datetime:
        """What the calendar shows.

        Raises:
            PosternError: `invalid` where it shows no time that can be kept.
        """
        return self.clock.now().utc

    def note(self, what: str, subject: str, by: str) -> None:
        """Keeps as an event that an operator changed something.

        Raises:
            PosternError: As `Ledger.append`.
        """
        self.records.append(Changed(self.now(), what, subject, by))
