"""A relay behind a real broker; what every kind must do is in contracts/test_actuator.py."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from paho.mqtt import publish

from postern.actuators import KINDS, Timer
from postern.actuators.mqtt.actuator import MqttActuator, open_actuator
from postern.actuators.mqtt.config import Config
from postern.core.errors import PosternError
from postern.core.ids import AccessPointId
from postern.core.ports import Command
from tests.actuators.mqtt.relay import COMMANDS, STATES, relay
from tests.actuators.osdp.lines import Told
from tests.brokers import PASSWORD, USER, Mosquitto, mosquitto
from tests.clocks import MachineClock

HELD = """
import sys, time
from postern.actuators.mqtt.actuator import open_actuator
from postern.actuators.mqtt.config import Config
from postern.core.ports import Command
config = Config(address="127.0.0.1:" + sys.argv[1], topic=sys.argv[2], off="OFF")
actuator = open_actuator(config, None, lambda *_: None)
sys.stdin.readline()
print(actuator.pulse(Command("c-1", "door", 60.0)).done, flush=True)
time.sleep(60)
"""


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as made:
        yield made


def config(port: int, **more: Any) -> Config:
    """A relay that has to be told to close."""
    return Config(address=f"127.0.0.1:{port}", topic=COMMANDS, **{"off": "OFF", **more})


@contextmanager
def opened(settings: Config) -> Iterator[tuple[MqttActuator, Told]]:
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


def until(fact: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until something is so."""
    until_s = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_pulse_right_at_the_start_is_not_ended_by_what_ends_an_earlier_run(
    broker: Mosquitto,
) -> None:
    """A connection that comes ends what was left on; it must not end what begins meanwhile."""
    for number in range(8):
        with (
            relay(broker.port) as gate,
            opened(config(broker.port, state_topic=STATES)) as (actuator, _),
        ):
            assert actuator.pulse(command(f"c-{number}", 2.0)).done
            time.sleep(0.3)

            assert "ON" == gate.told[-1]
            assert gate.is_on


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_service_that_is_killed_in_mid_pulse_leaves_no_gate_open(
    how: signal.Signals, broker: Mosquitto
) -> None:
    """The broker sends the end: it is our last will. It does so too where the service hangs."""
    with relay(broker.port) as gate:
        command_line = [sys.executable, "-c", HELD, str(broker.port), COMMANDS]
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(command_line, stdin=none, stdout=pipe, text=True) as process:
            assert process.stdout is not None
            assert "True\n" == process.stdout.readline()
            until(lambda: gate.is_on)
            process.send_signal(how)
            until(lambda: not gate.is_on)
            process.kill()

        assert 1 == gate.driven


def test_service_that_dies_after_a_slow_broker_took_a_pulse_leaves_no_gate_open(
    broker: Mosquitto,
) -> None:
    """The broker had not said in time that it has the pulse; it passes it on, and then its end."""
    with relay(broker.port) as gate:
        command_line = [sys.executable, "-c", HELD, str(broker.port), COMMANDS]
        pipe = subprocess.PIPE
        with subprocess.Popen(command_line, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            until(lambda: bool(gate.told))  # It is connected.
            with broker.stopped():
                process.stdin.write("\n")
                process.stdin.flush()
                assert "False\n" == process.stdout.readline()
                time.sleep(0.3)
                process.kill()
            until(lambda: "OFF" in gate.told[1:])

        assert not gate.is_on


def test_broker_that_is_killed_in_mid_pulse_ends_it_when_it_is_back(broker: Mosquitto) -> None:
    """Red meanwhile; nobody forgets that something was left on."""
    with relay(broker.port) as gate, opened(config(broker.port)) as (actuator, told):
        assert actuator.pulse(command("c-1")).done
        broker.kill()
        told.wait("red")
        time.sleep(1.5)
        assert gate.is_on
        broker.start()
        until(lambda: not gate.is_on)

        told.wait("ok")
        assert 1 == gate.driven


def test_command_that_failed_is_not_sent_when_the_broker_is_back(broker: Mosquitto) -> None:
    """Somebody else may stand at the gate by then."""
    with relay(broker.port) as gate, opened(config(broker.port)) as (actuator, told):
        told.wait("ok")
        until(lambda: bool(gate.told))  # What an earlier run had left on is ended.
        broker.kill()
        report = actuator.pulse(command("c-1"))
        broker.start()
        told.wait("ok")
        until(lambda: "OFF" in gate.told[1:])
        time.sleep(0.5)

    assert not report.done
    assert "ON" not in gate.told


def test_relay_that_comes_back_late_does_not_open(broker: Mosquitto) -> None:
    """Nobody listened: that is a failure at once, and the broker keeps nothing for it."""
    with opened(config(broker.port)) as (actuator, told):
        until(lambda: bool(told.news))
        report = actuator.pulse(command("c-1"))
        with relay(broker.port) as gate:
            time.sleep(1.0)

            assert "ON" not in gate.told
    assert not report.done
    assert "nobody listens" in report.detail


def test_what_the_broker_has_kept_is_no_confirmation(broker: Mosquitto) -> None:
    """The relay said ON a week ago; now it does nothing, and that is what counts."""
    publish.single(STATES, "ON", 1, retain=True, hostname="127.0.0.1", port=broker.port)
    settings = config(broker.port, state_topic=STATES)
    with relay(broker.port, acts=False) as gate, opened(settings) as (actuator, _):
        # At once: what was kept comes as soon as the connection stands, with the pulse under way.
        report = actuator.pulse(command("c-1"))

    assert "ON" in gate.told
    assert not report.done
    assert "did not say" in report.detail


def test_relay_that_says_it_is_on_confirms(broker: Mosquitto) -> None:
    """And it is told to close when the time is over."""
    settings = config(broker.port, state_topic=STATES)
    with relay(broker.port) as gate, opened(settings) as (actuator, told):
        told.wait("ok")
        report = actuator.pulse(command("c-1", 0.5))
        until(lambda: not gate.is_on)

    assert report.done
    assert "says that it is on" in report.detail


def test_relay_that_says_changes_only_confirms_what_holds_it_open(broker: Mosquitto) -> None:
    """It is on already when it is told again, and says nothing; after its end it has to say so."""
    settings = config(broker.port, state_topic=STATES)
    with relay(broker.port, always=False) as gate, opened(settings) as (actuator, told):
        told.wait("ok")
        until(lambda: bool(gate.told))
        for number in range(3):
            assert actuator.pulse(command(f"c-{number}", 1.0)).done
            time.sleep(0.2)
        until(lambda: not gate.is_on)
        gate._acts = False
        report = actuator.pulse(command("c-4"))

    assert 3 == gate.driven
    assert not report.done
    assert [] == [why for state, why in told.news if "does not say" in why]


def test_relay_that_is_slow_to_say_that_it_is_off_is_not_called_stuck(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next pulse has begun before it said so, and the broker is slower than the relay."""
    settings = config(broker.port, state_topic=STATES)
    with relay(broker.port) as gate, opened(settings) as (actuator, told):
        publish = actuator._connection.publish

        def slowly(*what: Any, **how: Any) -> None:
            publish(*what, **how)
            time.sleep(0.3)

        told.wait("ok")
        until(lambda: bool(gate.told))
        monkeypatch.setattr(actuator._connection, "publish", slowly)
        assert actuator.pulse(command("c-1", 0.5)).done
        gate.fault = "drop"  # Of being off it says nothing.
        until(lambda: not gate.is_on)
        gate.fault = ""
        assert actuator.pulse(command("c-2", 4.0)).done
        time.sleep(2.5)

    assert [] == [why for state, why in told.news if state == "red"]


def test_stuck_relay_is_told_in_red(broker: Mosquitto) -> None:
    """It said that it is on, was told to close, and says nothing more."""
    settings = config(broker.port, state_topic=STATES)
    with relay(broker.port) as gate, opened(settings) as (actuator, told):
        told.wait("ok")
        assert actuator.pulse(command("c-1", 0.5)).done
        gate._acts = False
        why = told.wait("red")
        time.sleep(4.0)
        still = told.news[-1]
        gate._acts = True
        told.wait("ok")

    assert "does not say that it did" in why
    assert ("red", why) == still
    assert not gate.is_on


def test_what_is_told_last_is_what_holds() -> None:
    """Whoever is told that all is well, and is slow to take it, learns after it that it is not."""
    news, taken = list[str](), Event()

    def slow(state: str, _why: str) -> None:
        if state == "ok":
            taken.wait(0.5)
        news.append(state)

    actuator = MqttActuator(config(1), slow)
    first = Thread(target=actuator._say, args=("broker", "ok", "It is connected."))
    first.start()
    time.sleep(0.1)
    then = Thread(target=actuator._say, args=("relay", "red", "It is stuck."))
    then.start()
    for thread in (first, then):
        thread.join()

    assert ["ok", "red"] == news


def test_device_that_times_itself_is_left_alone(broker: Mosquitto) -> None:
    """One message, which it takes for the whole pulse."""
    settings = Config(address=f"127.0.0.1:{broker.port}", topic=COMMANDS, timed_by_device=True)
    with relay(broker.port, times=0.3) as gate, opened(settings) as (actuator, told):
        told.wait("ok")
        assert actuator.pulse(command("c-1", 0.3)).done
        until(lambda: not gate.is_on)
        time.sleep(0.5)

    assert ["ON"] == gate.told
    assert Timer.DEVICE is KINDS["mqtt"].timer(settings)
    assert Timer.BROKER is KINDS["mqtt"].timer(config(1883))


def test_closing_ends_what_is_driven(broker: Mosquitto) -> None:
    """A service that is stopped in good order leaves nothing open either."""
    with relay(broker.port) as gate:
        with opened(config(broker.port)) as (actuator, told):
            told.wait("ok")
            assert actuator.pulse(command("c-1", 60.0)).done
            actuator.close()
            actuator.close()
        until(lambda: not gate.is_on)


def test_attack_broker_that_takes_connections_and_drops_them() -> None:
    """Red, one sentence, a failed report within its second, and no hurry to try again."""
    taken = 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def drop() -> None:
            nonlocal taken
            until_s = time.monotonic() + 5.0
            while time.monotonic() < until_s:
                try:
                    server.accept()[0].close()
                    taken += 1
                except TimeoutError:
                    continue

        dropper = Thread(target=drop)
        dropper.start()
        with opened(config(server.getsockname()[1])) as (actuator, told):
            why = told.wait("red")
            report = actuator.pulse(command("c-1"))
            dropper.join()

    assert why.startswith("The broker 127.0.0.1:") or "Nobody can tell" in why
    assert not report.done
    assert 1 <= taken <= 4


def test_attack_broker_that_takes_connections_and_says_nothing() -> None:
    """Noticed within seconds."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        opened(config(server.getsockname()[1])) as (actuator, told),
    ):
        began_s = time.monotonic()
        report = actuator.pulse(command("c-1"))
        took_s = time.monotonic() - began_s
        why = told.wait("red")

    assert not report.done
    assert took_s < 4.0  # One second, on a machine that has other things to do.
    assert "The broker 127.0.0.1:" in why


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_broker_asks_for_a_password(password: str, tmp_path: Path) -> None:
    """The right one opens; another is told in red, and never shown."""
    file = tmp_path / "password"
    file.write_text(password + "\n", "utf-8")
    file.chmod(0o600)
    with mosquitto(password=True) as broker:
        settings = config(broker.port, user=USER, password_file=file)
        with opened(settings) as (_, told):
            why = told.wait("ok" if password == PASSWORD else "red")
            time.sleep(0.3)

    assert ("refuses the connection" in why) is (password != PASSWORD)
    assert not any(password in sentence or USER in sentence for _, sentence in told.news)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": ""}, {"address": "a b"}, {"address": "169.254.169.254"}, {"address": "0x7f.1"},
        {"address": "a:0"}, {"address": "a:70000"}, {"ca": Path("ca.pem")},
        {"user": "x"}, {"password_file": Path("x")}, {"topic": ""}, {"topic": "a/#"},
        {"topic": "+/b"}, {"state_topic": "a/+"}, {"on": ""}, {"off": None}, {"on": "x" * 2000},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    """Before anything is opened."""
    with pytest.raises(PosternError):
        Config(**{"address": "broker", "topic": COMMANDS, "off": "OFF", **wrong})
