"""What the tests of actuators share: a relay seen from outside, and programs they run beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from postern.core.ids import AccessPointId
from postern.core.ports import Actuator, Command

ROOT = Path(__file__).resolve().parents[2]
#: A site around one actuator; no camera is opened.
SITE = """\
[site]
name = "The gate"

[camera.lane]
kind = "file"
path = "."
sees = "plate"

[actuator.boom]
{actuator}

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
"""
#: Seconds that something on a busy machine may take.
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Bench:
    """One actuator and a view of its relay.

    Attributes:
        actuator: What is tested.
        driven: How often the relay was driven.
        is_open: Whether it is driven now.
        wait: Lets so many seconds pass.
        told: What the actuator said of its device, as (state, sentence).
        settings: Its lines in `site.toml`; empty where it has no device.
        kill: Kills its device.
        spoil: Has its device answer in a way that is named.
        can_be_closed: Whether a pulse can be ended before it is over.
    """

    actuator: Actuator
    driven: Callable[[], int]
    is_open: Callable[[], bool]
    wait: Callable[[float], None]
    told: list[tuple[str, str]] = field(default_factory=list)
    settings: str = ""
    kill: Callable[[], None] = lambda: None
    spoil: Callable[[str], None] = lambda _fault: None
    can_be_closed: bool = True


def command(name: str = "c-1", hold_s: float = 1.0) -> Command:
    """One order."""
    return Command(name, AccessPointId("door"), hold_s)


def until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def spoil(folder: Path, fault: str) -> None:
    """Has the device of that folder do something else from now on."""
    (folder / "fault.new").write_text(fault, "utf-8")
    (folder / "fault.new").rename(folder / "fault")


def secret(file: Path, text: str) -> Path:
    """A file with that secret, for this user alone."""
    file.touch(0o600)
    file.write_text(f"{text}\n", "utf-8")
    return file


@contextmanager
def program(file: str, *arguments: object, **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program of this folder in a process of its own; killed at the end."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, str(ROOT / "tests/actuators" / file), *map(str, arguments)]
    process = subprocess.Popen(command, env=environment, text=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def service(folder: Path, settings: str, hold_s: float) -> Iterator[subprocess.Popen[str]]:
    """A process that opens the actuator and has pulsed it once; `stdout` has the report."""
    file = folder / "site.toml"
    file.write_text(SITE.format(actuator=settings), "utf-8")
    with program("presser.py", file, hold_s, stdout=subprocess.PIPE) as process:
        yield process


class Notes:
    """What a device beside the test wrote about its relay: one word a line, after the time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def words(self) -> list[str]:
        """Every word so far."""
        if not self._file.exists():
            return []
        return [line.split()[1] for line in self._file.read_text("utf-8").splitlines()]

    def driven(self) -> int:
        """How often it was ordered to open."""
        return self.words().count("ordered")

    def is_open(self) -> bool:
        """Whether it is open."""
        turns = [word for word in self.words() if word in ("on", "off")]
        return bool(turns) and turns[-1] == "on"
