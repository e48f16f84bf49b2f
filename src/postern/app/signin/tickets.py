"""What somebody has begun and is to finish within minutes, kept in memory.

Nobody who begins again and again pushes out what others have begun: each source has a few tickets.
"""

from collections import OrderedDict
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock
from typing import Generic, TypeVar

from postern.core.moment import Moment

#: Seconds that a ticket lasts.
LASTS_S = 300.0
#: How many there are of one source, and of all.
_OF_ONE, _OF_ALL = 16, 4096
_BYTES = 24
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    what: T
    source: str
    until_s: float


class Tickets(Generic[T]):
    """Gives tickets for what was begun; usable from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()  # Oldest first.

    def give(self, what: T, source: str, now: Moment) -> str:
        """A ticket, which cannot be guessed.

        Args:
            what: What was begun.
            source: By whom, as far as can be told.
            now: The present moment.
        """
        ticket = token_urlsafe(_BYTES)
        with self._lock:
            theirs = [name for name, kept in self._kept.items() if kept.source == source]
            for name in theirs[: max(0, len(theirs) + 1 - _OF_ONE)]:
                del self._kept[name]
            while len(self._kept) >= _OF_ALL:
                self._kept.popitem(last=False)
            self._kept[ticket] = _Kept(what, source, now.monotonic_s + LASTS_S)
        return ticket

    def see(self, ticket: str, now: Moment) -> T | None:
        """What was begun with a ticket, which stays; None where there is none."""
        with self._lock:
            kept = self._kept.get(ticket)
        return kept.what if kept is not None and now.monotonic_s < kept.until_s else None

    def take(self, ticket: str, now: Moment) -> T | None:
        """What was begun with a ticket, once; None where there is none."""
        with self._lock:
            kept = self._kept.pop(ticket, None)
        return kept.what if kept is not None and now.monotonic_s < kept.until_s else None
