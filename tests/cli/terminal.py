"""A terminal for tests: runs commands as a shell would, and scripts of commands.

A script has one block for each command:

    # why
    $ postern vehicle add "KA MP 417"
    > a line of standard output
    ! a line of standard error
    ? 3

`[..]` stands for anything within a line, `> [...]` and `! [...]` for any number of lines. Without a
line `?` the exit code must be 0. Commands other than `postern` are given to the shell.
"""

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest import mock

from postern.cli import main
from postern.cli.terminal import ERR, OUT

WIDTH = 160
_SOURCE = Path(__file__).parents[2] / "src"
_PROGRAM = "import sys; sys.argv[0] = 'postern'; from postern.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote, and its exit code."""

    out: str
    err: str
    code: int


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a script, and what it should do."""

    line: int
    command: str
    out: tuple[str, ...]
    err: tuple[str, ...]
    code: int


def postern(*arguments: str) -> Answer:
    """Runs a command through the real entry point, in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    typed = mock.patch.object(sys, "argv", ["postern", *arguments])
    # Under `python -m pytest` Click would take the program for a part of that package.
    alone = mock.patch.object(sys.modules["__main__"], "__package__", None)
    with typed, alone, _Widened(), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(out.getvalue(), err.getvalue(), code)


def started(*arguments: str, cwd: Path, before: str = "") -> "subprocess.Popen[str]":
    """Starts a command in a process of its own, with both streams as pipes.

    Args:
        arguments: What follows `postern`.
        cwd: The folder that it runs in.
        before: Shell commands that come first, such as a limit.
    """
    command = shlex.join([sys.executable, "-c", _PROGRAM, *arguments])
    return subprocess.Popen(  # noqa: S602 - the shell sets limits
        f"{before}\nexec {command}",
        shell=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(_SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]", timeout_s: float = 120.0) -> Answer:
    """Waits for a command that was started."""
    out, err = process.communicate(timeout=timeout_s)
    return Answer(out, err, process.returncode)


def steps(script: str) -> Iterator[Step]:
    """The commands of a script."""
    lines = script.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in pairwise([*starts, len(lines)]):
        block = lines[start + 1 : end]
        codes = [int(line[2:]) for line in block if line.startswith("? ")]
        yield Step(
            start + 1,
            lines[start][2:],
            tuple(line[2:] for line in block if line.startswith(">")),
            tuple(line[2:] for line in block if line.startswith("!")),
            codes[0] if codes else 0,
        )


def follow(script: Path) -> list[str]:
    """Runs a script in the present folder; gives what went otherwise than it says."""
    found = list(steps(script.read_text("utf-8")))
    if not found:
        return [f"{script.name} has no command"]
    return [fault for step in found for fault in _faults(script.name, step, _run(step.command))]


def _run(command: str) -> Answer:
    if command.startswith("postern "):
        return postern(*shlex.split(command)[1:])
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    return Answer(done.stdout, done.stderr, done.returncode)


def _faults(name: str, step: Step, answer: Answer) -> list[str]:
    where = f"{name}:{step.line}: $ {step.command}"
    faults = []
    if step.code != answer.code:
        faults.append(f"{where}\n  exit code {answer.code} instead of {step.code}\n{answer.err}")
    for stream, wanted, got in (("out", step.out, answer.out), ("err", step.err, answer.err)):
        if not _pattern(wanted).fullmatch(_trimmed(got)):
            faults.append(f"{where}\n  {stream} is:\n{got}\n  instead of:\n" + "\n".join(wanted))
    return faults


def _pattern(wanted: tuple[str, ...]) -> re.Pattern[str]:
    parts = []
    for line in wanted:
        if line.strip() == "[...]":
            parts.append(r"(?:[^\n]*\n)*")
        else:
            words = map(re.escape, line.rstrip().split("[..]"))
            parts.append("[^\n]*".join(words) + "\n")
    return re.compile("".join(parts))


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


class _Widened:
    """Both consoles as wide as they are where nobody watches."""

    def __enter__(self) -> None:
        self._before = (OUT.width, ERR.width)
        OUT.width = ERR.width = WIDTH

    def __exit__(self, *_: object) -> None:
        OUT.width, ERR.width = self._before
