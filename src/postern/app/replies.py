"""Calls that may be made twice without being done twice."""

from collections.abc import Callable
from dataclasses import dataclass

from postern.api.idempotency import REMEMBERED, Once, reused
from postern.core.ports import Clock
from postern.store.replies import Reply
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Replies:
    """Remembers what came of calls, in the transaction that does them.

    Attributes:
        store: The records.
        clock: Says how late it is.
    """

    store: Store
    clock: Clock

    def once(self, call: Once, do: Callable[[], str]) -> str | None:
        """The id of what comes of a call, done now or before; None where that is gone again.

        Raises:
            RefusedError: Where the key was used for another call.
            PosternError: As `do`; `unavailable`.
        """
        if call.key is None:
            return do()
        now = self.clock.now().utc
        with self.store.together():
            self.store.replies.expire(now - REMEMBERED)
            kept = self.store.replies.find(call.by, call.key, now - REMEMBERED)
            if kept is None:
                subject = do()
                self.store.replies.keep(call.by, call.key, Reply(call.digest, subject), now)
                return subject
        if kept.digest != call.digest:
            raise reused()
        return kept.subject
