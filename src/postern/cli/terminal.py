"""What every command shares: where it writes, and how it fails."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from postern.core.errors import Code, PosternError
from postern.core.moment import time_text

#: Columns of a table that goes to a file or another program, where nobody has set a width.
_WIDE = 160


def _console(*, stderr: bool) -> Console:
    # Names and labels are shown as they are: nothing in them is markup.
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    return console


#: Results go to standard output; everything else, progress and failures, to standard error.
OUT = _console(stderr=False)
ERR = _console(stderr=True)

#: Exit codes by error code; 2 is the shell's own for wrong usage.
_EXITS = {
    Code.INVALID: 3,
    Code.NOT_FOUND: 4,
    Code.CONFLICT: 5,
    Code.UNAUTHORIZED: 6,
    Code.UNAVAILABLE: 7,
    Code.INTERNAL: 1,
}


def fail(error: PosternError) -> int:
    """Writes an error as one sentence with its hint; gives the exit code."""
    # The terminal wraps lines itself, so that paths and addresses can be copied whole.
    ERR.print(f"postern: {error.message}", style="red", soft_wrap=True)
    if error.hint:
        ERR.print(f"  {error.hint}", soft_wrap=True)
    return _EXITS[error.code]


def say(sentence: str) -> None:
    """Writes a sentence on standard error: what was done, or what to do next."""
    ERR.print(sentence, soft_wrap=True)


def warn(sentence: str) -> None:
    """Writes a sentence on standard error that asks for attention."""
    ERR.print(sentence, style="yellow", soft_wrap=True)


def alarm(sentence: str) -> None:
    """Writes a sentence on standard error about something that must not be."""
    ERR.print(sentence, style="red", soft_wrap=True)


def confirmed(question: str) -> bool:
    """Asks on standard error; whoever says nothing, or leaves, has said no."""
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:
        ERR.print()
        return False


def show_json(record: object) -> None:
    """Writes a record as JSON, for scripts."""
    sys.stdout.write(json_text(record))


def json_text(record: object) -> str:
    """A record as JSON; times as RFC 3339 has them, in UTC."""
    return json.dumps(record, indent=2, sort_keys=True, default=_spelt) + "\n"


def _spelt(value: object) -> str:
    return time_text(value) if isinstance(value, datetime) else str(value)


@contextmanager
def progress(what: str) -> Iterator["Bar"]:
    """A progress bar on standard error, where that is a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    silent = not ERR.is_terminal
    with Progress(*columns, console=ERR, transient=True, disable=silent) as bars:
        yield Bar(bars, what)


class Bar:
    """One bar of `progress`.

    Args:
        bars: Where it is drawn.
        what: What it shows the progress of.
    """

    def __init__(self, bars: Progress, what: str) -> None:
        self._bars = bars
        self._task = bars.add_task(what, total=1.0)

    def of(self, done: int, total: int) -> None:
        """Sets how many of how many are done."""
        self.share(done / max(total, 1))

    def share(self, done: float) -> None:
        """Sets how much is done, in [0, 1]."""
        self._bars.update(self._task, completed=done)
