"""What `postern run` writes on standard error: a line for every attempt that ends and for every
change of a state, for people or for programs.

No name, no plate, no score, no chance, no id of anybody: what a guard may see. A stranger's attempt
is at level `debug`: that somebody was there, and when, is kept nowhere else either.

No lane waits for whoever reads them: a terminal that was stopped, a pipe that is full, or a journal
behind a disk that hangs.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO, Any, Protocol, TextIO, cast

import structlog
from rich.console import Console
from rich.text import Text

from postern.app.outcome import known, why
from postern.app.site import Log, LogFormat, LogLevel
from postern.core.errors import PosternError
from postern.core.ids import CameraId
from postern.core.moment import time_text
from postern.core.ports import Clock
from postern.engine.aside import Aside
from postern.engine.ports import Observer, Outcome

#: From what tells most to what is gravest.
_ORDER = tuple(LogLevel)
#: Seconds that a line may take before it is written aside; those behind it are not waited for.
_PATIENCE_S = 0.2


class Lines(Observer, Protocol):
    """An observer that writes lines, and whatever else the service has to say."""

    def say(self, level: LogLevel, sentence: str) -> None:
        """Writes a sentence of the service's own."""
        ...


def open_lines(log: Log, console: Console, clock: Clock) -> Lines:
    """The lines that a site asks for.

    Args:
        log: What is written, and how. Where it says no level, everything goes to a terminal, where
            nobody keeps it, and `info` to whatever else, which is kept.
        console: Where.
        clock: Says when, in lines for programs.
    """
    level = log.level or (LogLevel.DEBUG if console.is_terminal else LogLevel.INFO)
    if log.format is LogFormat.JSON:
        return JsonLines(console.file, clock, level)
    return TextLines(console, level)


class TextLines:
    """Lines for people.

    Args:
        console: Where.
        level: What is written, and everything graver.
    """

    def __init__(self, console: Console, level: LogLevel = LogLevel.DEBUG) -> None:
        self._console = console
        self._level = level
        self._aside = Aside(_PATIENCE_S)

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        line = Text(f"{outcome.access_point}: ").append(_verdict(outcome))
        line.append(f" ({why(outcome)})")
        if outcome.decision.granted:
            line.append(f" {outcome.detail} {outcome.latency_s * 1e3:.0f} ms after the frame.")
        self._write(level_of(outcome), line)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""
        style = {"ok": "green", "red": "red"}.get(state, "dim")
        line = Text(f"{camera}: ").append(state, style).append(f" - {sentence}")
        self._write(level_of_state(state), line)

    def say(self, level: LogLevel, sentence: str) -> None:
        """See `Lines.say`."""
        style = {LogLevel.ERROR: "red", LogLevel.WARNING: "yellow"}.get(level, "")
        self._write(level, Text(sentence, style))

    def _write(self, level: LogLevel, line: Text) -> None:
        if _written(level, self._level):
            _aside(self._aside, lambda: self._console.print(line, soft_wrap=True))


class JsonLines:
    """Lines for programs: one object of JSON each, with `at`, `level` and `event`.

    Args:
        stream: Where.
        clock: Says when.
        level: What is written, and everything graver.
    """

    def __init__(self, stream: IO[str], clock: Clock, level: LogLevel = LogLevel.DEBUG) -> None:
        self._clock = clock
        self._level = level
        self._aside = Aside(_PATIENCE_S)
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(cast(TextIO, stream)),
            processors=[structlog.processors.JSONRenderer()],
            wrapper_class=structlog.BoundLogger,
        )

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        decision = outcome.decision
        self._write(
            level_of(outcome),
            "attempt",
            access_point=outcome.access_point,
            attempt=outcome.attempt,
            granted=decision.granted,
            opened=outcome.driven if decision.granted else None,
            reason=decision.reason,
            why=why(outcome),
            detail=outcome.detail,
            latency_ms=round(outcome.latency_s * 1e3) if decision.granted else None,
        )

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""
        self._write(level_of_state(state), "health", who=camera, state=state, sentence=sentence)

    def say(self, level: LogLevel, sentence: str) -> None:
        """See `Lines.say`."""
        self._write(level, "service", sentence=sentence)

    def _write(self, level: LogLevel, event: str, **said: Any) -> None:  # noqa: ANN401
        if _written(level, self._level):
            try:
                at = time_text(self._clock.now().utc)
            except PosternError:  # A calendar before 1970.
                at = None
            filled = {name: value for name, value in said.items() if value is not None}
            # `msg` leaves the level to us, which knows `warning` and not `warn`.
            line = partial(self._logger.msg, event, at=at, level=str(level), **filled)
            _aside(self._aside, line)


def _aside(aside: Aside, write: Callable[[], object]) -> None:
    """Writes a line; one that cannot be written is lost, and nobody stands still for it."""

    def written() -> None:
        # Where nobody reads any more, rich would end the thread: that of a lane, say.
        with suppress(Exception, SystemExit):
            write()

    aside.do(written, lambda: None)


def level_of(outcome: Outcome) -> LogLevel:
    """At which level an attempt is told: of nobody whom the site knows, `debug`."""
    return LogLevel.INFO if known(outcome) else LogLevel.DEBUG


def level_of_state(state: str) -> LogLevel:
    """At which level a change to that state is told."""
    return LogLevel.ERROR if state == "red" else LogLevel.INFO


def _verdict(outcome: Outcome) -> Text:
    """What became of it, in a word or three; whoever was let through and stands before a shut gate
    is not told of as if they were through."""
    if not outcome.decision.granted:
        return Text("denied", "bold red")
    if not outcome.driven:
        return Text("granted, not opened", "bold red")
    return Text("granted", "bold green")


def _written(level: LogLevel, least: LogLevel) -> bool:
    return _ORDER.index(level) >= _ORDER.index(least)
