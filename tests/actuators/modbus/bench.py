"""A relay by Modbus and the board it is on: pymodbus's own server."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.actuators import KINDS
from postern.actuators.modbus.config import Config, Pulse
from postern.actuators.watched import WatchedActuator
from postern.core.ports import Actuator
from tests.actuators.bench import Bench, Notes, program, spoil, until
from tests.clocks import MachineClock

COIL = 3


@contextmanager
def board(folder: Path) -> Iterator[tuple[int, int]]:
    """A board that listens; gives its port and its process id."""
    with program("board.py", folder) as process:
        assert until((folder / "port").exists)
        yield int((folder / "port").read_text("utf-8")), process.pid


def end(actuator: Actuator) -> None:
    """Closes it; a watchdog whose board is gone would go on trying for ten minutes."""
    actuator.close()
    if isinstance(actuator, WatchedActuator) and actuator.watchdog is not None:
        os.kill(actuator.watchdog, signal.SIGKILL)


@contextmanager
def modbus(fault: str, folder: Path, pulse: Pulse = Pulse.WATCHDOG) -> Iterator[Bench]:
    """The kind, made by its row of KINDS."""
    with program("board.py", folder) as process:
        assert until((folder / "port").exists)
        address = f"127.0.0.1:{(folder / 'port').read_text('utf-8')}"
        told: list[tuple[str, str]] = []
        config = Config(address, COIL, pulse=pulse)
        actuator = KINDS["modbus"].open(config, MachineClock(), lambda *news: told.append(news))
        if pulse is Pulse.WATCHDOG:
            assert until(lambda: bool(told)), "the watchdog says nothing"
        spoil(folder, fault)
        notes = Notes(folder / "relay")
        settings = f'kind = "modbus"\naddress = "{address}"\ncoil = {COIL}\npulse = "{pulse}"'

        def kill() -> None:
            process.kill()
            process.wait()

        yield Bench(
            actuator, notes.driven, notes.is_open, time.sleep, told, settings, kill,
            lambda how: spoil(folder, how),
        )  # fmt: skip
        end(actuator)
