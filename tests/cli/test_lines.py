"""The lines of `postern run`, for people and for programs, and what is in none of them."""

import io
import json
import os
from contextlib import suppress
from dataclasses import replace
from time import monotonic

import pytest
from rich.console import Console

from postern.app.site import Log, LogFormat, LogLevel
from postern.cli.lines import JsonLines, Lines, TextLines, open_lines
from postern.core.decision import MEANING, Decision, Reason
from postern.core.errors import invalid
from postern.core.ids import AttemptId, CameraId, PermitId
from postern.core.look import ADVICE, Flaw
from postern.core.moment import Moment
from postern.engine.ports import Outcome
from tests.clocks import SteppedClock
from tests.people import ALICE, DOOR

GRANT = Outcome(
    DOOR.id,
    AttemptId("a1"),
    Decision(AttemptId("a1"), Reason.PERMITTED, PermitId("permit-of-alice"), (ALICE,), None, 1e-5),
    3,
    (),
    "The simulated actuator opened for 1 s.",
    0.1234,
    driven=True,
)
DENIAL = replace(
    GRANT, decision=replace(GRANT.decision, reason=Reason.NO_CONSENT, bound=1.0), detail=""
)
STRANGER = replace(
    GRANT, decision=Decision(AttemptId("a1"), Reason.UNAUTHORIZED), detail="", looks=0
)


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    told = io.StringIO()
    return Console(file=told, width=200, force_terminal=terminal, color_system=None), told


def objects(told: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_line_of_json_has_these_fields_and_no_other() -> None:
    """For a grant, a denial, a state and a word of the service's own."""
    told = io.StringIO()
    lines = JsonLines(told, SteppedClock())
    lines.ended(GRANT)
    lines.ended(DENIAL)
    lines.health(CameraId("lane"), "red", "It failed.")
    lines.say(LogLevel.WARNING, "There is no permit yet.")

    at = "2026-03-02T08:00:00.000000Z"
    attempt = {"access_point": "door", "attempt": "a1", "at": at, "event": "attempt"}
    assert [
        {
            **attempt, "level": "info", "granted": True, "opened": True,
            "reason": "permitted",
            "why": MEANING[Reason.PERMITTED], "detail": GRANT.detail, "latency_ms": 123,
        },
        {
            **attempt, "level": "info", "granted": False, "reason": "no_consent",
            "why": MEANING[Reason.NO_CONSENT], "detail": "",
        },
        {"at": at, "level": "error", "event": "health", "who": "lane", "state": "red",
         "sentence": "It failed."},
        {"at": at, "level": "warning", "event": "service", "sentence": "There is no permit yet."},
    ] == objects(told)  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("form", LogFormat)
def test_no_line_names_anybody_or_says_how_sure(reason: Reason, form: LogFormat) -> None:
    """For every reason, with everything in the decision that must not be told."""
    shown, told = console()
    lines = open_lines(Log(LogLevel.DEBUG, form), shown, SteppedClock())
    lines.ended(replace(GRANT, decision=replace(GRANT.decision, reason=reason)))

    line = told.getvalue()
    assert MEANING[reason] in line
    assert not any(secret in line for secret in (ALICE, "alice", "permit-of", "1e-05", "0.00001"))


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("outcome", [STRANGER, replace(STRANGER, flaws=(Flaw.BLURRED,))])
def test_stranger_is_told_at_debug_only(form: LogFormat, outcome: Outcome) -> None:
    """That somebody was there, and when, is for whoever sets the site up."""
    for level, expected in ((LogLevel.DEBUG, 1), (LogLevel.INFO, 0)):
        shown, told = console()
        open_lines(Log(level, form), shown, SteppedClock()).ended(outcome)
        assert expected == len(told.getvalue().splitlines())
        said = ADVICE[Flaw.BLURRED] if outcome.flaws else "not recognised"
        assert bool(expected) is (said in told.getvalue())


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (LogLevel.DEBUG, 5),
        (LogLevel.INFO, 4),
        (LogLevel.WARNING, 2),
        (LogLevel.ERROR, 1),
    ],
)
@pytest.mark.parametrize("form", LogFormat)
def test_level_leaves_out_what_is_less_grave(
    level: LogLevel, expected: int, form: LogFormat
) -> None:
    """A stranger, a grant, a camera that works, a warning, a camera that fails."""
    shown, told = console()
    _everything(open_lines(Log(level, form), shown, SteppedClock()))

    assert expected == len(told.getvalue().splitlines())


def _everything(lines: Lines) -> None:
    lines.ended(STRANGER)
    lines.ended(GRANT)
    lines.health(CameraId("lane"), "ok", "frames arrive")
    lines.say(LogLevel.WARNING, "There is no permit yet.")
    lines.health(CameraId("lane"), "red", "It failed.")


def test_terminal_shows_everything_and_what_is_kept_does_not() -> None:
    """Where the site says nothing about it."""
    counts = []
    for terminal in (True, False):
        shown, told = console(terminal=terminal)
        _everything(open_lines(Log(), shown, SteppedClock()))
        counts.append(len(told.getvalue().splitlines()))

    assert [5, 4] == counts


def test_lines_for_people_are_as_ever() -> None:
    """One for an attempt, one for a state."""
    shown, told = console()
    _everything(TextLines(shown))

    assert [
        "door: denied (not recognised)",
        "door: granted (a permit lets through) The simulated actuator opened for 1 s. "
        "123 ms after the frame.",
        "lane: ok - frames arrive",
        "There is no permit yet.",
        "lane: red - It failed.",
    ] == told.getvalue().splitlines()


@pytest.mark.parametrize(
    ("form", "said"),
    [(LogFormat.TEXT, "door: granted, not opened ("), (LogFormat.JSON, '"opened": false')],
)
def test_grant_whose_relay_failed_is_not_told_as_if_it_had_opened(
    form: LogFormat, said: str
) -> None:
    """A guard who reads the first word looks at the gate."""
    shown, told = console()
    failed = replace(GRANT, detail="The relay does not answer.", driven=False)
    open_lines(Log(LogLevel.INFO, form), shown, SteppedClock()).ended(failed)

    assert said in told.getvalue()
    assert failed.detail in told.getvalue()


@pytest.mark.parametrize("form", LogFormat)
def test_nobody_waits_for_whoever_reads_the_lines(form: LogFormat) -> None:
    """A pipe that is full, as behind a pager or a journal that hangs; nothing is lost by that."""
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as there, os.fdopen(writes, "w") as here:
        lines = open_lines(Log(None, form), Console(file=here, width=200), SteppedClock())
        os.set_blocking(writes, False)
        filled = 0
        with suppress(BlockingIOError):
            while True:
                filled += os.write(writes, b"x")
        os.set_blocking(writes, True)
        began_s = monotonic()
        for number in range(100):
            lines.health(CameraId("lane"), "red", f"Sentence {number}.")
        took_s = monotonic() - began_s
        there.read(filled)
        told = [there.readline().decode() for _ in range(100)]

    assert took_s < 2.0
    assert all(f"Sentence {number}." in line for number, line in enumerate(told))


@pytest.mark.parametrize("form", LogFormat)
def test_lines_that_nobody_can_read_any_more_end_nothing(form: LogFormat) -> None:
    """The other end of the pipe is gone."""
    reads, writes = os.pipe()
    os.close(reads)
    here = os.fdopen(writes, "w")
    lines = open_lines(Log(None, form), Console(file=here, width=200), SteppedClock())
    lines.say(LogLevel.WARNING, "There is no permit yet.")
    lines.ended(GRANT)
    with suppress(BrokenPipeError):
        here.close()


def test_line_without_a_time_where_the_calendar_has_none() -> None:
    """A year that no calendar of ours has keeps no line from being written."""

    class Lost:
        def now(self) -> Moment:
            raise invalid("A calendar shows a year from 1970 to 9998.")

    told = io.StringIO()
    JsonLines(told, Lost()).health(CameraId("lane"), "red", "It failed.")

    assert (None, "lane") == (objects(told)[0]["at"], objects(told)[0]["who"])


def test_attack_sentence_with_a_line_break_stays_one_line() -> None:
    """In lines for programs nothing ends a line but its end."""
    told = io.StringIO()
    JsonLines(told, SteppedClock()).health(CameraId("lane"), "red", 'a\nb"}\r\x1b[31m{')

    assert 1 == len(told.getvalue().splitlines())
    assert 'a\nb"}\r\x1b[31m{' == objects(told)[0]["sentence"]
