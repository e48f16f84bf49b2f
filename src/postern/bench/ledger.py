"""How fast the log keeps events, beside SQLite, and how fast a whole log is verified.

All sides are given events and have made them durable when they answer: SQLite as rows with the
event's text, the log with pseudonyms, salts and commitments. They take turns, so that what else
the machine does meets all.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Lock

from postern.core.decision import Reason
from postern.core.event import Decided
from postern.core.ids import AccessPointId, AttemptId, PermitId, PersonId
from postern.core.moment import time_text
from postern.core.ports import Clock
from postern.event_text import encode
from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.files import put
from postern.ledger.leaf import COMMITMENT_SIZE, Leaf
from postern.ledger.log import open_log
from postern.ledger.note import Signer
from postern.ledger.tiles import grow
from postern.ledger.tree import EMPTY
from postern.ledger.verify import CHECKPOINT, VKEY, verify_log

_SEED, _ORIGIN = bytes(32), "postern.invalid/bench"
_INSERT = "INSERT INTO events (at, access_point, attempt, body) VALUES (?, ?, ?, ?)"
#: Rounds of which the median counts after one to warm up, and events that each side keeps in one.
_ROUNDS, _EVENTS = 15, 200
_THREADS = 4
Keep = Callable[[Sequence[Decided]], object]


@dataclass(frozen=True, slots=True)
class Case:
    """One way of appending.

    Attributes:
        name: What it is called.
        batch: How many events are given at once.
        threads: How many append at the same time.
    """

    name: str
    batch: int
    threads: int


CASES = (
    Case("one by one", 1, 1),
    Case("100 at a time", 100, 1),
    Case("one by one, 4 threads", 1, _THREADS),
)


@dataclass(frozen=True, slots=True)
class Appending:
    """Events per second that were durable, the median of the rounds.

    Attributes:
        name: The case's.
        ours: The log's.
        plain: SQLite's, without an index.
        indexed: SQLite's, with indexes for the questions that are asked of events.
    """

    name: str
    ours: float
    plain: float
    indexed: float

    @property
    def met(self) -> bool:
        """Whether the log is at least as fast as plain rows."""
        return self.ours >= self.plain


@dataclass(frozen=True, slots=True)
class Verifying:
    """Entries per second of a log with so many."""

    entries: int
    decoding: float
    hashing: float
    both: float


class _Sqlite:
    """Rows in SQLite, durable when a call returns.

    Args:
        path: The file.
        indexes: Columns that have an index each, as a table has of which questions are asked.
    """

    def __init__(self, path: Path, indexes: Sequence[str]) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        columns = "seq INTEGER PRIMARY KEY, at TEXT, access_point TEXT, attempt TEXT, body TEXT"
        self._connection.execute(f"CREATE TABLE events ({columns})")
        for column in indexes:
            self._connection.execute(f"CREATE INDEX ix_{column} ON events ({column})")

    def append_all(self, events: Sequence[Decided]) -> None:
        rows = [(time_text(e.at), e.access_point, e.attempt, encode(e)) for e in events]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_INSERT, rows)
            self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def appending(folder: Path, clock: Clock, clock_s: Callable[[], float]) -> list[Appending]:
    """All sides taking turns in a folder, on whose disk it depends.

    Args:
        folder: An empty folder.
        clock: Says when the events happen.
        clock_s: A clock that never goes back, in seconds.
    """
    log = open_log(folder / "ledger", _SEED, _ORIGIN, clock)
    plain = _Sqlite(folder / "plain.db", ())
    indexed = _Sqlite(folder / "indexed.db", ("at", "access_point", "attempt"))
    sides: tuple[Keep, ...] = (log.append_all, plain.append_all, indexed.append_all)
    with closing(log), closing(plain), closing(indexed):
        return [_compare(case, sides, clock, clock_s) for case in CASES]


def _compare(
    case: Case, sides: Sequence[Keep], clock: Clock, clock_s: Callable[[], float]
) -> Appending:
    events = _events(clock, _EVENTS * min(case.batch, 10))
    rounds = [[_rate(keep, events, case, clock_s) for keep in sides] for _ in range(_ROUNDS + 1)]
    ours, plain, indexed = (median(side) for side in zip(*rounds[1:], strict=True))
    return Appending(case.name, ours, plain, indexed)


def verifying(folder: Path, entries: int, clock_s: Callable[[], float]) -> Verifying:
    """A whole log made for it, checked as `postern verify` does.

    Args:
        folder: An empty folder.
        entries: How many entries.
        clock_s: A clock that never goes back, in seconds.
    """
    signer = Signer(_ORIGIN, _SEED)
    leaves = [Leaf(index, os.urandom(COMMITMENT_SIZE)).encode() for index in range(entries)]
    root = grow(folder, 0, EMPTY, leaves)
    put(folder / CHECKPOINT, sign(Checkpoint(_ORIGIN, entries, root), signer))
    put(folder / VKEY, f"{signer.verifier.vkey}\n".encode())
    begun_s = clock_s()
    verified = verify_log(folder, signer.verifier.vkey, clock_s, lambda done, of: None)
    both_s = clock_s() - begun_s
    return Verifying(
        entries, entries / verified.decoding_s, entries / verified.hashing_s, entries / both_s
    )


def _rate(keep: Keep, events: Sequence[Decided], case: Case, clock_s: Callable[[], float]) -> float:
    """Events per second."""
    batches = [events[at : at + case.batch] for at in range(0, len(events), case.batch)]
    begun_s = clock_s()
    if case.threads == 1:
        for batch in batches:
            keep(batch)
    else:
        with ThreadPoolExecutor(case.threads) as threads:
            list(threads.map(keep, batches))
    return len(events) / (clock_s() - begun_s)


def _events(clock: Clock, count: int) -> list[Decided]:
    at = clock.now().utc
    return [
        Decided(
            at,
            AccessPointId("front-door"),
            AttemptId(f"{number:032x}"),
            Reason.PERMITTED,
            PermitId("permit-0f1e2d3c"),
            (PersonId("p-0123456789ab"),),
            3,
        )
        for number in range(count)
    ]
