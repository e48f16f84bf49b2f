"""How it stands with the site's log."""

from collections.abc import Sequence
from dataclasses import dataclass

from postern.api.log import LogState, Seen
from postern.app.records import Records
from postern.ledger.checkpoint import open_checkpoint
from postern.ledger.note import Verifier
from postern.store.events import Events


@dataclass(frozen=True, slots=True)
class SiteLog:
    """The log of one site.

    Attributes:
        records: What happened.
        events: The index, which remembers the last checkpoint.
        witnesses: The keys of those that the site asks.
    """

    records: Records
    events: Events
    witnesses: Sequence[Verifier]

    def state(self) -> LogState:
        """How it stands with it, once everything that happened is published.

        Raises:
            PosternError: `invalid` where it is damaged; `unavailable`.
        """
        published = self.records.settle()
        key = self.records.log.verifier
        opened = open_checkpoint(published.note.encode(), key, tuple(self.witnesses))
        signers = {one.verifier.name for one in opened.signed}
        names = [one.name for one in self.witnesses]
        seen = self.events.seen()
        return LogState(
            opened.checkpoint.origin,
            key.vkey,
            opened.checkpoint.size,
            opened.checkpoint.root.hex(),
            opened.note.encode().decode(),
            [name for name in names if name in signers],
            [name for name in names if name not in signers],
            None if seen is None else Seen(seen[0], seen[1].hex()),
        )
