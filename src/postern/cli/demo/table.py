"""The demo's live table: attempts as they end."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from postern.app.outcome import why
from postern.core.ids import AccessPointId, CameraId
from postern.engine.ports import Outcome

COLUMNS = (
    "second", "access point", "who comes", "decision", "why", "a stranger passes", "looks", "ms",
)  # fmt: skip
_SHORT = ("access point", "who comes", "decision")
#: Left out where the terminal has fewer than `_WIDE` columns; below `_NARROW` everything wraps.
_ASIDE = ("second", "looks", "ms")
_WIDE, _NARROW = 110, 70


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt that ended.

    Attributes:
        at_s: Seconds after the demo began.
        who: Who came, where the demo's own clip shows it; the program itself is not told.
        outcome: What became of it.
    """

    at_s: float
    who: str
    outcome: Outcome


class Attempts:
    """Implements `postern.engine.ports.Observer` and remembers what it saw, for the demo alone.

    Args:
        now_s: Gives the seconds since the demo began.
        visitor: Says who comes to an access point at such a second.
    """

    def __init__(
        self, now_s: Callable[[], float], visitor: Callable[[AccessPointId, float], str]
    ) -> None:
        self._now_s = now_s
        self._visitor = visitor
        self._lock = Lock()
        self._rows: tuple[Row, ...] = ()
        self._troubles: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every attempt so far, oldest first."""
        with self._lock:
            return self._rows

    @property
    def troubles(self) -> tuple[str, ...]:
        """What went wrong with cameras, in sentences."""
        with self._lock:
            return self._troubles

    def ended(self, outcome: Outcome) -> None:
        """See `postern.engine.ports.Observer.ended`."""
        at_s = self._now_s()
        row = Row(at_s, self._visitor(outcome.access_point, at_s), outcome)
        with self._lock:
            self._rows = (*self._rows, row)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `postern.engine.ports.Observer.health`."""
        if state == "red":
            with self._lock:
                self._troubles = (*self._troubles, f"{camera}: {sentence}")


def draw(rows: tuple[Row, ...], troubles: tuple[str, ...], title: str, width: int) -> Table:
    """The table of the attempts so far; on a narrow terminal only what the demo is about."""
    table = Table(title=title, caption="\n".join(troubles), caption_style="red", expand=True)
    shown = [place for place, name in enumerate(COLUMNS) if width >= _WIDE or name not in _ASIDE]
    for name in (COLUMNS[place] for place in shown):
        number = name in _ASIDE
        # What is short stays whole; the reasons wrap.
        short = number or (width >= _NARROW and name in _SHORT)
        justify: JustifyMethod = "right" if number else "left"
        table.add_column(name, justify=justify, no_wrap=short, overflow="fold")
    for row in rows:
        every = cells(row)
        table.add_row(*(every[place] for place in shown))
    return table


def cells(row: Row) -> tuple[str, str, str, Text, str, str, str, str]:
    """One attempt in words, as the table and the report show it."""
    outcome = row.outcome
    granted = outcome.decision.granted
    decision = Text("granted" if granted else "denied", "bold green" if granted else "bold red")
    latency = f"{outcome.latency_s * 1e3:.0f}" if granted else ""
    return (
        f"{row.at_s:.1f}", str(outcome.access_point), row.who, decision, why(outcome),
        chance(outcome), str(outcome.looks), latency,
    )  # fmt: skip


def chance(outcome: Outcome) -> str:
    """How often a random stranger would have passed on such a match; empty for a denial."""
    bound = outcome.decision.bound
    if not outcome.decision.granted or not 0.0 < bound < 1.0:
        return ""
    return f"at most 1 in {1 / bound:,.0f}"
