"""`postern run` beside a real broker: the whole way from an order to the record, and its end."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish

from postern.mqtt.connection import Connection
from postern.mqtt.words import Broker, Message, Subscription
from tests.brokers import Mosquitto, mosquitto
from tests.cli.terminal import ended, postern, started
from tests.media import write_picture

SITE = """\
[site]
name = "Garage"

[camera.lane]
kind = "file"
path = "lane.png"
loop = true
sees = "plate"

[actuator.boom]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"

[input.boom_is_up]
kind = "mqtt"
address = "127.0.0.1:{port}"
topic = "boom"
means = "door_contact"
access_point = "barrier"

[mqtt]
address = "127.0.0.1:{port}"
commands = true
"""
BASE = "postern/postern"


class Home:
    """The last of every topic, as Home Assistant has it."""

    def __init__(self, port: int) -> None:
        self.last: dict[str, str] = {}
        self._connection = Connection(
            Broker(address=f"127.0.0.1:{port}"),
            lambda *_: None,
            subscriptions=(Subscription(f"{BASE}/#"),),
            heard=self._heard,
        )
        self._connection.start()

    def _heard(self, message: Message) -> None:
        self.last[message.topic] = message.payload.decode()

    def wait(self, topic: str, wanted: Callable[[str], bool], seconds: float = 60.0) -> str:
        until_s = time.monotonic() + seconds
        while not (topic in self.last and wanted(self.last[topic])):
            assert time.monotonic() < until_s, self.last
            time.sleep(0.05)
        return self.last[topic]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as made:
        yield made


@pytest.fixture
def home(broker: Mosquitto) -> Iterator[Home]:
    made = Home(broker.port)
    yield made
    made.close()


def served(folder: Path, broker: Mosquitto, home: Home) -> "subprocess.Popen[str]":
    """The service, once it has told Home Assistant that it is there."""
    write_picture(folder / "lane.png", 3)
    (folder / "site.toml").write_text(SITE.format(port=broker.port), "utf-8")
    process = started("run", cwd=folder)
    home.wait(f"{BASE}/status", lambda said: said == "online")
    return process


def test_order_over_mqtt_opens_and_is_in_the_record(
    folder: Path, broker: Mosquitto, home: Home
) -> None:
    """Who asked for it stands there, before what the actuator answered."""
    process = served(folder, broker, home)
    publish.single(
        f"{BASE}/access_point/barrier/set", "OPEN", 1, hostname="127.0.0.1", port=broker.port
    )
    event = home.wait(f"{BASE}/access_point/barrier/event", bool)
    process.send_signal(signal.SIGINT)
    told = ended(process)
    newest, before = json.loads(postern("events", "--json", "--limit", "2").out)

    assert "opened_by_hand" == json.loads(event)["event_type"]
    assert ("acted", True) == (newest["kind"], newest["event"]["done"])
    assert ("released", "mqtt") == (before["kind"], before["event"]["by"])
    assert 0 == told.code, told
    assert "offline" == home.wait(f"{BASE}/status", lambda said: said == "offline")


def say(contact: str, broker: Mosquitto) -> None:
    """Has the barrier's contact say that it is shut (`off`) or open."""
    publish.single("boom", contact, 1, hostname="127.0.0.1", port=broker.port)


def test_barrier_that_is_forced_is_a_problem_to_home_assistant(
    folder: Path, broker: Mosquitto, home: Home
) -> None:
    """From its contact's message to its alarm, and to the end of that."""
    process = served(folder, broker, home)
    problem = f"{BASE}/health/access_point_barrier"
    until_s = time.monotonic() + 30.0
    # Its input may not listen yet; what it finds open when it comes was not forced.
    while home.last.get(problem) != "ON" and time.monotonic() < until_s:
        say("off", broker)
        say("on", broker)
        time.sleep(0.5)
    home.wait(problem, lambda found: found == "ON")
    say("off", broker)
    home.wait(problem, lambda found: found == "OFF")
    process.send_signal(signal.SIGINT)
    told = ended(process)
    events = json.loads(postern("events", "--json", "--limit", "9").out)

    assert 0 == told.code, told
    assert "forced" in [one["event"].get("alarm") for one in events]


def test_service_that_is_killed_is_shown_as_offline(
    folder: Path, broker: Mosquitto, home: Home
) -> None:
    """The broker says so, as the last will of the service."""
    process = served(folder, broker, home)
    process.kill()
    process.communicate()

    assert "offline" == home.wait(f"{BASE}/status", lambda said: said == "offline")


def test_service_goes_on_without_its_broker(folder: Path, broker: Mosquitto, home: Home) -> None:
    """One sentence in red, and no other sign of it."""
    process = served(folder, broker, home)
    broker.kill()
    time.sleep(1.0)
    running = process.poll() is None
    process.send_signal(signal.SIGINT)
    told = ended(process)

    assert running
    assert 0 == told.code
    assert "home assistant: red - The broker 127.0.0.1:" in told.err
    assert "Traceback" not in told.err
