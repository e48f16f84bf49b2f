"""OSDP on a real line with libosdp's own other side; the rest is in contracts/test_actuator.py."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from postern.actuators.osdp.actuator import OsdpActuator, open_actuator
from postern.actuators.osdp.config import Config, Role
from postern.actuators.osdp.line import Line, open_line
from postern.actuators.osdp.link import Link
from postern.actuators.osdp.side import Side
from postern.core.errors import PosternError
from postern.core.ids import AccessPointId
from postern.core.ports import Command
from tests.actuators.osdp.lines import ADDRESS, Told, Wire, key_file, wire
from tests.clocks import MachineClock

CARD = "0606c040"
OTHER_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100")
SIDES = {Role.PANEL: ("device",), Role.READER: ("panel", CARD)}

both_roles = pytest.mark.parametrize("role", list(Role))


@pytest.fixture
def line() -> Iterator[Wire]:
    with wire() as made:
        yield made


def config(role: Role, port: str, folder: Path, **more: Any) -> Config:
    """What the tests of a role set."""
    card = {"facility": 12, "card": 3456} if role is Role.READER else {}
    return Config(role, port, key_file(folder), pd_address=ADDRESS, **card, **more)


@contextmanager
def opened(settings: Config) -> Iterator[tuple[OsdpActuator, Told]]:
    """An actuator and what it says of its health."""
    told = Told()
    actuator = open_actuator(settings, MachineClock(), told)
    try:
        yield actuator, told
    finally:
        actuator.close()


def command(name: str, hold_s: float = 1.0) -> Command:
    """One order."""
    return Command(name, AccessPointId("door"), hold_s)


def test_panel_has_the_device_time_the_output(line: Wire, tmp_path: Path) -> None:
    """The number of the output and the time travel along, in tenths of a second, rounded up."""
    line.attach("device")
    with opened(config(Role.PANEL, line.port, tmp_path, output=3)) as (actuator, told):
        told.wait("ok")
        for number, hold_s in enumerate((0.01, 0.3, 1.25, 25.5)):
            assert actuator.pulse(command(f"c-{number}", hold_s)).done

    driven = [words for words in line.door.said if words.startswith("drive")]
    assert ["drive 3 0.1", "drive 3 0.3", "drive 3 1.3", "drive 3 25.5"] == driven


def test_shorter_pulse_does_not_cut_a_longer_one_short(line: Wire, tmp_path: Path) -> None:
    """A device begins its time anew with every command."""
    line.attach("device")
    with opened(config(Role.PANEL, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        actuator.pulse(command("c-1", 20.0))
        actuator.pulse(command("c-2", 1.0))
        time.sleep(0.2)  # What the peer says it moves comes through a pipe and a thread.
        lasts_s = [float(w.split()[2]) for w in line.door.said if w.startswith("drive")]

    assert 20.0 == lasts_s[0]
    assert 10.0 < lasts_s[1] <= 20.0


def test_closing_ends_what_is_driven(line: Wire, tmp_path: Path) -> None:
    """A service that is stopped in good order leaves nothing open."""
    line.attach("device")
    with opened(config(Role.PANEL, line.port, tmp_path, output=2)) as (actuator, told):
        told.wait("ok")
        assert actuator.pulse(command("c-1", 20.0)).done
        actuator.close()
        time.sleep(0.2)

    assert "off 2" == line.door.said[-1]
    assert not line.door.is_open


@pytest.mark.parametrize("hold_s", [25.51, 25.6, 51.3, 60.0])
def test_time_that_would_not_arrive_whole_is_refused(
    hold_s: float, line: Wire, tmp_path: Path
) -> None:
    """libosdp's binding would cut it: 25.6 seconds to 0, which opens for ever."""
    line.attach("device")
    with opened(config(Role.PANEL, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        report = actuator.pulse(command("c-1", hold_s))
        time.sleep(0.3)

    assert not report.done
    assert "at most 25.5 seconds" in report.detail
    assert 0 == line.door.driven


def test_reader_sends_its_card_once_for_each_grant(line: Wire, tmp_path: Path) -> None:
    """26 bits with parity, as any panel expects them."""
    line.attach("panel", CARD)
    with opened(config(Role.READER, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        actuator.pulse(command("c-1"))
        actuator.pulse(command("c-2"))
        actuator.pulse(command("c-2"))
        time.sleep(0.5)

    assert [f"card 26 {CARD}"] * 2 == [w for w in line.door.said if w.startswith("card")]


@both_roles
def test_attack_peer_with_another_key_gets_nothing(role: Role, line: Wire, tmp_path: Path) -> None:
    """A device that was swapped, or a panel somebody brought along: red, and nothing opens."""
    line.attach(*SIDES[role], key=OTHER_KEY)
    with opened(config(role, line.port, tmp_path)) as (actuator, told):
        why = told.wait("red")
        report = actuator.pulse(command("c-1"))

    assert "does not have the key" in why
    assert not report.done
    assert why == report.detail
    assert [] == line.door.said


def test_attack_panel_hands_out_a_key(line: Wire, tmp_path: Path) -> None:
    """It is refused: a key comes from its file, and from nowhere else."""
    line.attach("panel", "keyset")
    with opened(config(Role.READER, line.port, tmp_path)) as (_, told):
        told.wait("ok")
        until_s = time.monotonic() + 30.0
        while not line.door.said and time.monotonic() < until_s:
            time.sleep(0.05)

    assert ["keyset 1"] == line.door.said


@both_roles
def test_peer_that_is_killed_fails_the_pulse_and_comes_back(
    role: Role, line: Wire, tmp_path: Path
) -> None:
    """Red while it is away; back within seconds, and what failed meanwhile never opens."""
    peer = line.attach(*SIDES[role])
    with opened(config(role, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        peer.kill()
        peer.wait()
        began_s = time.monotonic()
        report = actuator.pulse(command("c-1"))
        took_s = time.monotonic() - began_s
        told.wait("red")
        assert not actuator.pulse(command("c-2")).done
        line.attach(*SIDES[role])
        told.wait("ok")
        time.sleep(1.0)  # For whatever might still be sent.
        late = line.door.driven
        again = actuator.pulse(command("c-3"))

    assert not report.done
    assert took_s < 5.0  # One second, on a machine that has other things to do.
    assert 0 == late
    assert again.done
    assert 1 == line.door.driven


@both_roles
def test_peer_that_dies_unasked_is_noticed(role: Role, line: Wire, tmp_path: Path) -> None:
    """Nobody has to stand at the gate for it to turn red."""
    peer = line.attach(*SIDES[role])
    with opened(config(role, line.port, tmp_path)) as (_, told):
        told.wait("ok")
        peer.kill()
        peer.wait()

        assert told.wait("red")


@both_roles
def test_command_that_a_stopped_peer_missed_is_never_carried_out(
    role: Role, line: Wire, tmp_path: Path
) -> None:
    """It may wake up a moment after everybody has gone."""
    peer = line.attach(*SIDES[role])
    with opened(config(role, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        peer.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        report = actuator.pulse(command("c-1"))
        line.drop_what_was_sent()
        peer.send_signal(signal.SIGCONT)
        time.sleep(3.0)

    assert not report.done
    assert 0 == line.door.driven


def test_absent_line_is_told_in_one_sentence(tmp_path: Path) -> None:
    """No device file: red, a failed report, and nothing raised."""
    settings = config(Role.PANEL, str(tmp_path / "ttyUSB0"), tmp_path)
    with opened(settings) as (actuator, told):
        why = told.wait("red")

        assert "cannot be opened" in why
        assert not actuator.pulse(command("c-1")).done


def test_line_that_somebody_else_has_is_refused(line: Wire, tmp_path: Path) -> None:
    """Two programs on one line would answer for each other."""
    with open_line(line.port, 9600), opened(config(Role.PANEL, line.port, tmp_path)) as (_, told):
        assert "cannot be opened" in told.wait("red")


def test_key_that_is_no_key_is_told(line: Wire, tmp_path: Path) -> None:
    """Nothing is sent with it."""
    line.attach("device")
    settings = config(Role.PANEL, line.port, tmp_path)
    settings.key_file.write_text("secret", "ascii")
    with opened(settings) as (_, told):
        why = told.wait("red")

    assert "has to hold" in why
    assert "secret" not in why.replace("secret file", "")


def test_serial_server_over_tcp(tmp_path: Path) -> None:
    """One that hangs up is told; the address is what `site.toml` says."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        with opened(config(Role.PANEL, port, tmp_path)) as (_, told):
            connection, _ = server.accept()
            first = connection.recv(64)
            connection.close()
            why = told.wait("red")

    assert b"\x53" in first  # Every OSDP packet begins with it.
    assert "hung up" in why


def test_attack_flood_on_the_line_keeps_no_processor_busy(tmp_path: Path) -> None:
    """Somebody writes noise as fast as it is taken: memory stays, and so does the rest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        with opened(config(Role.PANEL, port, tmp_path)) as (actuator, told):
            connection, _ = server.accept()
            connection.settimeout(0.5)
            before_s = time.process_time()
            until_s = time.monotonic() + 2.0
            noise = os.urandom(4096)
            while time.monotonic() < until_s:
                try:
                    connection.sendall(noise)
                except TimeoutError:
                    continue
                except OSError:
                    break
            used_s = time.process_time() - before_s
            why = told.wait("red")
            report = actuator.pulse(command("c-1"))
            connection.close()

    assert not report.done
    assert why
    assert used_s < 2.0


@both_roles
def test_close_ends_the_thread(role: Role, line: Wire, tmp_path: Path) -> None:
    """Twice is as good as once, and later commands are refused."""
    line.attach(*SIDES[role])
    before = threading.active_count()
    with opened(config(role, line.port, tmp_path)) as (actuator, told):
        told.wait("ok")
        actuator.close()
        actuator.close()

        assert before == threading.active_count()
        assert not actuator.pulse(command("c-1")).done
    with open_line(line.port, 9600):
        pass  # It is free again.


# The thread ends with it, as it should: what nobody foresaw is not hidden.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_failure_that_nobody_foresaw_is_told(line: Wire) -> None:
    """Red, and commands are refused: a line that nobody serves must not look sound."""

    def broken(_line: Line) -> Side:
        raise RuntimeError

    told = Told()
    link = Link("the device", lambda: open_line(line.port, 9600), broken, told, persists=False)
    link.start()
    why = told.wait("red")

    assert "not served any more" in why
    assert link.send({}, 1.0)
    link.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": "COM3"}, {"port": "tcp:relay"}, {"port": "tcp::4001"}, {"port": "tcp:relay:0"},
        {"port": "tcp:169.254.169.254:4001"}, {"port": "tcp:0x7f.1:4001"},
        {"baud": 300}, {"pd_address": 127}, {"pd_address": -1}, {"output": 256},
        {"role": Role.READER}, {"role": Role.READER, "facility": 1},
        {"role": Role.READER, "facility": 300, "card": 1},
        {"role": Role.READER, "facility": 1, "card": 1, "card_bits": 37},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    """Before anything is opened."""
    settings = {"role": Role.PANEL, "port": "/dev/ttyUSB0", "key_file": tmp_path / "key", **wrong}

    with pytest.raises(PosternError):
        Config(**settings)
