"""The log that the events are in: how long it is, what is signed of it, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from litestar import Response, get

from postern.api.call import call
from postern.core.role import Right
from postern.web.given import Given


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint of the log that the site's store remembers.

    Attributes:
        size: How many events it was about.
        root: The root of their tree, in hexadecimal digits.
    """

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class LogState:
    """How it stands with the log.

    Attributes:
        origin: Its name.
        key: Its public key, by which anybody can check it.
        size: How many events were ever in it; what they said may have expired.
        root: The root of their tree, in hexadecimal digits.
        checkpoint: The signed note (C2SP tlog-checkpoint) that says so.
        witnesses: Whose signatures below it hold, of the witnesses that the site asks.
        unsigned: Who of those has not signed it yet.
        remembered: What the store remembers of it; null before the first. A log that does not
            continue that is not opened.
    """

    origin: str
    key: str
    size: int
    root: str
    checkpoint: str
    witnesses: Sequence[str]
    unsigned: Sequence[str]
    remembered: Seen | None


class Ledger(Protocol):
    """The log. Its method may be called from any thread."""

    def state(self) -> LogState:
        """How it stands with it; `invalid` where it is damaged, `unavailable`."""
        ...


@get("/log", **call("getLog", "Show how it stands with the log", Right.READ_LOG))
def get_log(ledger: Given[Ledger]) -> Response[LogState]:
    """Size, root and checkpoint, checked with the site's own key. Every entry is checked by
    `postern events --verify`, and by `postern verify` on a copy, which takes longer than a call."""
    return Response(ledger.state(), headers={"Cache-Control": "no-store"})


LOG = [get_log]
