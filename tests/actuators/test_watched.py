"""The service and a real watchdog process, on a real board: who dies, and what becomes of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from postern.actuators import watched
from postern.actuators.orders import Hello, encode
from postern.actuators.watched import WatchedActuator
from tests.actuators.bench import Notes, command, program, service, spoil, until
from tests.actuators.modbus.bench import COIL, board, end


@dataclass(frozen=True, slots=True)
class Gate:
    """An actuator with its watchdog, and its board."""

    actuator: WatchedActuator
    told: list[tuple[str, str]]
    notes: Notes
    folder: Path

    @property
    def watchdog(self) -> int:
        """The watchdog's process id."""
        assert until(lambda: self.actuator.watchdog is not None)
        found = self.actuator.watchdog
        assert found is not None
        return found


def settings(port: int) -> dict[str, str | int | float | bool | None]:
    """The board's one relay."""
    return {"address": f"127.0.0.1:{port}", "coil": COIL, "device_id": 1}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """One that is ready."""
    with opened(tmp_path) as gate:
        yield gate


@contextmanager
def opened(folder: Path) -> Iterator[Gate]:
    """A gate, closed at the end."""
    with board(folder) as (port, _):
        told: list[tuple[str, str]] = []
        actuator = WatchedActuator("modbus", settings(port), lambda *news: told.append(news))
        assert until(lambda: bool(told))
        yield Gate(actuator, told, Notes(folder / "relay"), folder)
        end(actuator)


def test_watchdog_that_is_killed_in_mid_pulse_leaves_the_relay_off(gate: Gate) -> None:
    """The service notices, switches off, says so, and has another before the next pulse."""
    assert gate.actuator.pulse(command("a", 30.0)).done
    first = gate.watchdog
    os.kill(first, signal.SIGKILL)

    assert until(lambda: not gate.notes.is_open())
    later = count()  # A busy machine may take longer than a pulse waits.
    assert until(lambda: gate.actuator.pulse(command(f"later-{next(later)}", 0.2)).done)
    assert first != gate.watchdog
    assert until(lambda: not gate.notes.is_open())
    assert any(state == "red" and "signal 9" in why for state, why in gate.told)
    assert until(lambda: gate.told[-1][0] == "ok")


def test_watchdog_that_is_killed_is_off_although_no_other_can_be_started(
    tmp_path: Path,
) -> None:
    """The service's own connection does it; later pulses fail and open nothing."""
    once = tmp_path / "once"
    wrapper = (
        "import os, sys; f = sys.argv[1]; os.path.exists(f) and sys.exit(3); open(f, 'w');"
        "os.execv(sys.executable, [sys.executable, '-m', 'postern.actuators.watchdog'])"
    )
    with board(tmp_path) as (port, _):
        told: list[tuple[str, str]] = []
        actuator = WatchedActuator(
            "modbus", settings(port), lambda *news: told.append(news),
            (sys.executable, "-c", wrapper, str(once)),
        )  # fmt: skip
        notes = Notes(tmp_path / "relay")
        assert until(lambda: bool(told))
        assert actuator.pulse(command("a", 30.0)).done
        assert actuator.watchdog is not None
        os.kill(actuator.watchdog, signal.SIGKILL)

        assert until(lambda: not notes.is_open())
        assert until(lambda: any("status 3" in why for _, why in told))
        assert not actuator.pulse(command("b")).done
        assert 1 == notes.driven()
        actuator.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_watchdog_that_is_told_to_end_switches_off_first(gate: Gate, number: int) -> None:
    """systemd does so when it stops the unit."""
    assert gate.actuator.pulse(command("a", 30.0)).done
    os.kill(gate.watchdog, number)

    assert until(lambda: not gate.notes.is_open())
    assert ["ordered", "on", "off"] == gate.notes.words()
    assert until(lambda: any("status 0" in why for _, why in gate.told))


def test_watchdog_is_not_interrupted_at_the_terminal(gate: Gate) -> None:
    """Ctrl-C reaches every process there; the service is the one to end."""
    assert gate.actuator.pulse(command("a", 1.0)).done
    first = gate.watchdog
    os.kill(first, signal.SIGINT)

    time.sleep(0.3)
    assert gate.notes.is_open()
    assert until(lambda: not gate.notes.is_open())
    assert first == gate.watchdog


def test_watchdog_that_hangs_is_killed_and_the_relay_switched_off(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped in the middle of a pulse, as a driver that never returns would do."""
    monkeypatch.setattr(watched, "OVERDUE_S", 0.5)
    assert gate.actuator.pulse(command("a", 0.5)).done
    os.kill(gate.watchdog, signal.SIGSTOP)

    time.sleep(0.7)
    assert gate.notes.is_open()
    assert until(lambda: not gate.notes.is_open())
    assert any("hangs" in why for _, why in gate.told)


def test_watchdog_that_hangs_is_killed_however_many_orders_come(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that is held open by fire is ordered to every two seconds, for longer than that."""
    monkeypatch.setattr(watched, "SILENT_S", 1.5)
    first = gate.watchdog
    os.kill(first, signal.SIGSTOP)
    orders = count()

    assert until(lambda: gate.actuator.pulse(command(f"hold-{next(orders)}", 6.0)).done)
    assert first != gate.watchdog
    assert any("hangs" in why for _, why in gate.told)


def test_order_to_a_watchdog_that_hangs_fails_and_opens_nothing_later(gate: Gate) -> None:
    """It goes on after whoever waited has been told that it failed."""
    os.kill(gate.watchdog, signal.SIGSTOP)
    report = gate.actuator.pulse(command("a", 1.0))
    os.kill(gate.watchdog, signal.SIGCONT)

    assert not report.done
    assert gate.actuator.pulse(command("b", 0.2)).done
    assert 1 == gate.notes.driven()


def test_service_that_is_stopped_in_mid_pulse_does_not_keep_the_gate_open(tmp_path: Path) -> None:
    """The watchdog waits for nobody: neither to be told nor to be heard."""
    with board(tmp_path) as (port, _):
        lines = f'kind = "modbus"\naddress = "127.0.0.1:{port}"\ncoil = {COIL}'
        notes = Notes(tmp_path / "relay")
        with service(tmp_path, lines, 1.0) as process:
            assert process.stdout is not None
            assert '"done": true' in process.stdout.readline()
            os.kill(process.pid, signal.SIGSTOP)
            assert notes.is_open()
            assert until(lambda: not notes.is_open(), 3.0)


def test_service_whose_pipe_somebody_else_has_too_is_missed_all_the_same(tmp_path: Path) -> None:
    """A child of its own that was forked keeps the pipe open when the service is killed."""
    with board(tmp_path) as (port, _):
        hello, order = Hello("modbus", settings(port), 0), command("a", 60.0)
        parent = (
            "import os, subprocess, sys, time\n"
            "from postern.actuators.orders import *\n"
            "p = subprocess.Popen([sys.executable, '-m', 'postern.actuators.watchdog'],"
            " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
            f"p.stdin.write(encode(Hello('modbus', {dict(hello.settings)!r}, os.getpid())))\n"
            f"p.stdin.write(encode(Order({order.id!r}, 60.0, time.monotonic() + 20)))\n"
            "p.stdin.flush()\n"
            "if os.fork() == 0:\n"
            "    os.close(1); time.sleep(8); os._exit(0)\n"
            "print(p.stdout.readline(), flush=True)\n"
            "time.sleep(60)\n"
        )
        notes = Notes(tmp_path / "relay")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-c", parent], env=environment, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert until(notes.is_open)
        process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()

        assert until(lambda: not notes.is_open(), 4.0)


def test_relay_that_is_on_when_the_service_starts_is_switched_off(tmp_path: Path) -> None:
    """Both had died in the middle of a pulse."""
    with board(tmp_path) as (port, _):
        told: list[tuple[str, str]] = []
        (tmp_path / "fault").write_text("stuck", "utf-8")
        first = WatchedActuator("modbus", settings(port), lambda *_: None)
        assert until(lambda: first.watchdog is not None)
        assert first.pulse(command("a", 0.1)).done
        watchdog = first.watchdog
        assert watchdog is not None
        first.close()
        os.kill(watchdog, signal.SIGKILL)  # It would go on trying for ten minutes.
        assert until(lambda: not Path(f"/proc/{watchdog}").exists())
        time.sleep(1.0)  # The service's own attempt is over.
        notes = Notes(tmp_path / "relay")
        assert notes.is_open()
        (tmp_path / "fault").unlink()

        again = WatchedActuator("modbus", settings(port), lambda *news: told.append(news))
        assert until(lambda: not notes.is_open())
        assert until(lambda: "ok" in [state for state, _ in told])
        again.close()


def test_stuck_relay_is_told_in_red_until_it_is_off(gate: Gate) -> None:
    """The service goes on."""
    spoil(gate.folder, "stuck")
    assert gate.actuator.pulse(command("a", 0.2)).done

    assert until(lambda: gate.told[-1][0] == "red")
    assert "stuck" in gate.told[-1][1]
    spoil(gate.folder, "")
    assert until(lambda: gate.told[-1][0] == "ok")
    assert not gate.notes.is_open()


def test_watchdog_that_goes_on_trying_is_not_said_to_hang(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board that is gone for longer than a watchdog may be silent; it is told once."""
    monkeypatch.setattr(watched, "TRYING_S", 4.0)
    first = gate.watchdog
    assert gate.actuator.pulse(command("a", 0.2)).done
    spoil(gate.folder, "drop")
    time.sleep(12.0)
    spoil(gate.folder, "")
    assert until(lambda: gate.told[-1][0] == "ok")

    assert first == gate.watchdog
    assert ["ok", "red", "ok"] == [state for state, _ in gate.told]


def test_pulses_before_the_watchdog_is_ready_wait_for_it(tmp_path: Path) -> None:
    """The first car may stand there already."""
    with board(tmp_path) as (port, _):
        actuator = WatchedActuator("modbus", settings(port), lambda *_: None)
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(actuator.pulse, [command(str(n), 0.2) for n in range(4)]))
        # A machine that is too busy makes it late: then it fails, and opens nothing.
        assert sum(one.done for one in reports) == Notes(tmp_path / "relay").driven()
        actuator.close()


def test_closing_ends_the_process(gate: Gate) -> None:
    """Twice does no harm; afterwards nothing opens."""
    watchdog = gate.watchdog
    gate.actuator.close()
    gate.actuator.close()

    assert until(lambda: not Path(f"/proc/{watchdog}").exists())
    assert not gate.actuator.pulse(command("a")).done
    assert "red" not in [state for state, _ in gate.told]


#: A watchdog that writes down what it has and is, before it is told to end.
_TELLS = """
import os, resource, signal, sys, threading, time
def tell():
    while "pymodbus.client" not in sys.modules or not os.path.exists(sys.argv[1] + ".go"):
        time.sleep(0.02)
    import ctypes
    with open(sys.argv[1], "w") as out:
        links = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if
                 os.path.lexists(f"/proc/self/fd/{n}")]
        print([link for link in links if link != sys.argv[1] and "/fd" not in link], file=out)
        print(os.getcwd(), file=out)
        print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE),
              file=out)
        print(sorted({"numpy", "cv2", "av", "onnxruntime", "httpx", "sqlalchemy"} & {*sys.modules}),
              file=out)
        print(open("/proc/self/cmdline").read() + open("/proc/self/environ").read(), file=out)
    os.rename(sys.argv[1], sys.argv[1] + ".done")
threading.Thread(target=tell, daemon=True).start()
import runpy
runpy.run_module("postern.actuators.watchdog", run_name="__main__")
"""


def test_watchdog_is_small_private_and_has_nothing_of_its_parents(tmp_path: Path) -> None:
    """Pipes, a handle of its parent and nothing else; its configuration in neither arguments nor
    environment; none of the large libraries; its memory in no dump and read by nobody."""
    out = tmp_path / "told"
    with board(tmp_path) as (port, _), (tmp_path / "parents").open("w"):
        actuator = WatchedActuator(
            "modbus", settings(port), lambda *_: None, (sys.executable, "-c", _TELLS, str(out))
        )
        assert until(lambda: actuator.pulse(command(str(time.monotonic()), 0.1)).done)
        (tmp_path / "told.go").touch()
        assert until((tmp_path / "told.done").exists)
        files, folder, private, large, given = (
            (tmp_path / "told.done").read_text("utf-8").split("\n", 4)
        )
        actuator.close()

    kinds = {one.partition(":")[0].strip("'[] ") for one in files.split(",")}
    assert {"/dev/null", "anon_inode", "pipe"} == kinds
    assert "/" == folder
    assert "0 (0, 0)" == private
    assert "[]" == large
    assert str(port) not in given


def test_watchdog_without_a_first_line_ends() -> None:
    """Its parent died before it could speak."""
    done = subprocess.run(
        [sys.executable, "-m", "postern.actuators.watchdog"], stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=30, check=False,
    )  # fmt: skip
    assert 0 == done.returncode


def test_watchdog_whose_parent_is_another_ends(tmp_path: Path) -> None:
    """Its parent died between the first line and the second."""
    with board(tmp_path) as (port, _):
        done = subprocess.run(
            [sys.executable, "-m", "postern.actuators.watchdog"],
            input=encode(Hello("modbus", settings(port), 1)), stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=30, check=False,
        )  # fmt: skip
    assert 0 == done.returncode
    assert b'"ok"' in done.stdout


def test_settings_that_are_none_are_told() -> None:
    """A watchdog that cannot begin ends, and the next is not started at once, again and again."""
    told: list[tuple[str, str]] = []
    actuator = WatchedActuator("modbus", {"address": "0x7f.1"}, lambda *news: told.append(news))
    assert until(lambda: any("status 1" in why for _, why in told))
    time.sleep(2.0)

    assert not actuator.pulse(command("a")).done
    assert len(told) < 20
    actuator.close()


def test_package_of_actuators_loads_no_library_of_a_kind() -> None:
    """Each is loaded when a site has such an actuator; a watchdog has its own relay's only."""
    code = (
        "import sys, postern.actuators, postern.actuators.watchdog\n"
        "print(sorted({'numpy', 'cv2', 'av', 'httpx', 'pymodbus', 'paho', 'osdp', 'asyncio'}"
        " & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "[]" == done.stdout.strip()


def test_a_board_is_really_killed(tmp_path: Path) -> None:
    """What these tests rest on: without the board nothing opens."""
    with program("board.py", tmp_path) as process:
        assert until((tmp_path / "port").exists)
        port = int((tmp_path / "port").read_text("utf-8"))
        actuator = WatchedActuator("modbus", settings(port), lambda *_: None)
        assert until(lambda: actuator.pulse(command(str(time.monotonic()), 0.1)).done)
        process.kill()
        process.wait()
        assert not actuator.pulse(command("b")).done
        end(actuator)
