"""`postern run` under a service manager: ready, alive for as long as its lanes are, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postern.cli.demo.barrier import Visit, write_barrier_clip
from tests.app.manager import Listener
from tests.cli.test_run import garage

__all__ = ["garage"]
_SOURCE = Path(__file__).parents[2] / "src"
_RUN = "import sys; sys.argv = ['postern', 'run']; from postern.cli import main; main()"
#: An actuator that breaks its promise: it never answers. And little patience with what hangs.
_HANGING = f"""
from dataclasses import replace
from threading import Event
from postern import actuators
from postern.actuators.simulated.actuator import SimulatedActuator
from postern.engine import lane

class Hanging(SimulatedActuator):
    def pulse(self, command):
        Event().wait()

lane.STUCK_S = 2.0
row = actuators.KINDS["simulated"]
actuators.KINDS["simulated"] = replace(row, open=lambda config, clock, tell: Hanging(clock))
{_RUN}
"""


@contextmanager
def running(
    garage: Path, program: str = _RUN
) -> Iterator[tuple["subprocess.Popen[str]", Listener]]:
    """The service with a manager that listens."""
    with Listener.at(garage) as manager:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=garage,
            env={
                **os.environ,
                "PYTHONPATH": str(_SOURCE),
                "NOTIFY_SOCKET": manager.address,
                "WATCHDOG_USEC": "20000000",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process, manager
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def looping(garage: Path) -> Path:
    """A car that comes again and again, for as long as the service runs."""
    write_barrier_clip(garage / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    file = garage / "site.toml"
    file.write_text(file.read_text("utf-8").replace("sees =", "loop = true\nsees ="), "utf-8")
    return garage


def test_manager_hears_ready_alive_and_stopping(looping: Path) -> None:
    """In this order; ready before the first frame may be, alive every second, one line of how."""
    with running(looping) as (process, manager):
        well = "STATUS=1 of 1 access points can decide"
        assert manager.listen(lambda: manager.said(well) >= 3), manager.heard
        process.send_signal(signal.SIGTERM)
        assert manager.listen(lambda: process.poll() is not None, 30.0)
        manager.listen(lambda: manager.said("STOPPING=1") > 0, 5.0)

    lines = [line for _, line in manager.heard]
    assert ("READY=1", "STOPPING=1") == (lines[0], lines[-1])
    assert 1 == manager.said("READY=1")
    assert manager.said("WATCHDOG=1") >= 3
    assert 0 == process.returncode


def test_lane_that_never_moves_again_ends_the_signs_of_life(looping: Path) -> None:
    """The manager would start it anew; the way there is told, and it still ends when it is told."""
    with running(looping, _HANGING) as (process, manager):
        stuck = "STATUS=0 of 1 access points can decide; red: access_point barrier"
        assert manager.listen(lambda: manager.said("WATCHDOG=1") >= 1), manager.heard
        assert manager.listen(lambda: manager.said(stuck) >= 5), manager.heard
        assert manager.last(stuck) - manager.last("WATCHDOG=1") > 2.0
        process.send_signal(signal.SIGTERM)
        begun_s = time.monotonic()
        assert manager.listen(lambda: process.poll() is not None, 30.0)

    assert time.monotonic() - begun_s < 10.0


def test_stopped_process_gives_no_sign_of_life_and_goes_on_afterwards(looping: Path) -> None:
    """A machine that sleeps, or a debugger: nothing is stuck when it wakes up."""
    with running(looping) as (process, manager):
        assert manager.listen(lambda: manager.said("WATCHDOG=1") >= 2), manager.heard
        process.send_signal(signal.SIGSTOP)
        manager.listen(lambda: False, 1.0)
        pets = manager.said("WATCHDOG=1")
        assert not manager.listen(lambda: manager.said("WATCHDOG=1") > pets, 3.0)
        process.send_signal(signal.SIGCONT)
        assert manager.listen(lambda: manager.said("WATCHDOG=1") > pets + 1, 10.0)
