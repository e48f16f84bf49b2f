"""`postern run` where the site's data cannot be opened: whoever leaves is let out all the same."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postern.app.duty import on_duty
from postern.cli.demo.barrier import Visit, write_barrier_clip
from tests.app.manager import Listener
from tests.cli.terminal import ended, postern, started

_SOURCE = Path(__file__).parents[2] / "src"
_RUN = "import sys; sys.argv = ['postern', 'run']; from postern.cli import main; main()"
SITE = """\
[site]
name = "Garage"

[camera.inside]
kind = "file"
path = "barrier.mp4"
sees = "plate"
loop = true

[camera.outside]
kind = "file"
path = "barrier.mp4"
sees = "plate"
loop = true

[actuator.boom]
kind = "simulated"

[access_point.in]
cameras = ["outside"]
actuator = "boom"

[access_point.out]
cameras = ["inside"]
actuator = "boom"
direction = "exit"
"""
#: Nobody answers there: it is red, and tried again and again.
BUTTON = """
[input.button]
kind = "modbus"
address = "127.0.0.1:1"
number = 0
means = "request_to_exit"
access_point = "in"
"""


@pytest.fixture
def garage(folder: Path) -> Path:
    """A way in and a way out, and cars that come to both; a vehicle that may enter."""
    (folder / "site.toml").write_text(SITE, "utf-8")
    write_barrier_clip(folder / "barrier.mp4", [Visit("KA MP 417")], seed=1)
    assert 0 == postern("vehicle", "add", "KA MP 417").code
    assert 0 == postern("permit", "add", "--vehicle", "KAMP417", "--at", "in").code
    return folder


@contextmanager
def running(
    garage: Path,
) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], str], Listener]]:
    """The service, what it has told so far, and its manager."""
    with Listener.at(garage) as manager, (garage / "err.txt").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN],
            cwd=garage,
            env={**os.environ, "PYTHONPATH": str(_SOURCE), "NOTIFY_SOCKET": manager.address},
            stderr=err,
        )
        try:
            yield process, lambda: (garage / "err.txt").read_text("utf-8"), manager
        finally:
            process.kill()
            process.wait()


def no_checkpoint(garage: Path) -> Callable[[], object]:
    """The log cannot be opened; gives what puts it right."""
    file, aside = garage / "data/ledger/checkpoint", garage / "aside"
    file.rename(aside)
    return lambda: aside.rename(file)


def key_of_others(garage: Path) -> Callable[[], object]:
    """The keys are not opened; likewise."""
    file = garage / "data/site.key"
    file.chmod(0o644)
    return lambda: file.chmod(0o600)


def no_store(garage: Path) -> Callable[[], object]:
    """The disk gives something that is no database."""
    file = garage / "data/postern.db"
    sound = file.read_bytes()
    file.write_bytes(b"x" * 8192)
    return lambda: file.write_bytes(sound)


@pytest.mark.parametrize("fault", [no_checkpoint, key_of_others, no_store])
def test_way_out_opens_until_the_data_can_be_opened(
    fault: Callable[[Path], Callable[[], object]], garage: Path
) -> None:
    """The way in stays shut meanwhile and says why; then all is as ever, without a start."""
    mend = fault(garage)
    with running(garage) as (process, told, manager):
        opened = "out: granted (the way out is always open) The simulated actuator opened"
        assert manager.listen(lambda: opened in told()), told()
        assert "Nothing but the way out is watched: " in told()
        assert "in: red - it stays shut: " in told()
        assert "in: granted" not in told()
        mend()
        assert manager.listen(lambda: "in: granted (a permit lets through)" in told()), told()
        process.send_signal(signal.SIGTERM)
        assert manager.listen(lambda: process.poll() is not None, 30.0)
        manager.listen(lambda: manager.said("STOPPING=1") > 0, 5.0)

    assert 0 == process.returncode, told()
    assert "Traceback" not in told()
    lines = [line for _, line in manager.heard]
    # Its manager never hears that it ends before it does.
    assert ("READY=1", "STOPPING=1") == (lines[0], lines[-1])
    assert (2, 1) == (manager.said("READY=1"), manager.said("STOPPING=1"))
    assert manager.said("WATCHDOG=1") > 3


def test_it_ends_when_it_is_told_to_while_only_the_way_out_is_watched(garage: Path) -> None:
    """As ever, with code 0."""
    no_checkpoint(garage)
    with running(garage) as (process, told, manager):
        assert manager.listen(lambda: "out: granted" in told()), told()
        process.send_signal(signal.SIGTERM)
        assert manager.listen(lambda: process.poll() is not None, 30.0)

    assert 0 == process.returncode, told()


def test_site_without_an_exit_goes_on_for_its_button(garage: Path) -> None:
    """Whoever presses it is inside; a button comes to no end, as recordings do."""
    text = SITE.partition("[access_point.out]")[0] + BUTTON
    (garage / "site.toml").write_text(text, "utf-8")
    no_checkpoint(garage)
    with running(garage) as (process, told, manager):
        assert manager.listen(lambda: "input button: red" in told()), told()
        manager.listen(lambda: process.poll() is not None, 7.0)
        assert process.poll() is None, told()
        process.send_signal(signal.SIGTERM)
        assert manager.listen(lambda: process.poll() is not None, 30.0)

    assert 0 == process.returncode, told()
    assert "in: granted" not in told()


def test_site_that_is_served_is_not_watched_twice(garage: Path) -> None:
    """Another service would open for the same passer-by."""
    no_checkpoint(garage)
    with on_duty(garage / "data"):
        told = ended(started("run", cwd=garage))

    assert 4 == told.code
    assert "granted" not in told.err
