"""Inputs of a running service: doors, buttons and fire, each at a real peer that can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock

import pytest

from postern.actuators.simulated.actuator import SimulatedActuator
from postern.app import wire
from postern.app.wire import Installation
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, Alarmed, Event, Released
from postern.core.ids import AccessPointId, CameraId
from postern.engine.service import Service
from tests.media import write_picture
from tests.sources.inputs.peers import TOPIC, ModbusDevice, Mosquitto

POINTS = ("door", "way_out", "listed")
SITE = """\
[site]
name = "Office"
{cameras}
[input.contact]
kind = "modbus"
address = "127.0.0.1:{modbus}"
number = 0
means = "door_contact"
access_point = "door"

[input.green_button]
kind = "modbus"
address = "127.0.0.1:{modbus}"
number = 1
means = "request_to_exit"
access_point = "door"

[input.panel]
kind = "mqtt"
address = "127.0.0.1:{mqtt}"
topic = "{topic}/0"
means = "fire"
"""
POINT = """
[camera.{name}_camera]
kind = "file"
path = "still.png"
sees = "plate"

[actuator.{name}]
kind = "simulated"

[access_point.{name}]
cameras = ["{name}_camera"]
actuator = "{name}"
{more}
"""
MORE = {
    "door": "opens_within_s = 1.0\nheld_open_s = 3.0",
    "way_out": 'direction = "exit"',
    "listed": 'evacuation = "open"',
}


class Watching:
    """Remembers the states that are told."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._told: list[tuple[str, str, str]] = []

    def ended(self, outcome: object) -> None: ...

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        with self._lock:
            self._told.append((camera, state, sentence))

    def of(self, name: str) -> list[str]:
        """Somebody's states, in order."""
        with self._lock:
            return [state for who, state, _ in self._told if who == name]

    def sentences(self, name: str) -> list[str]:
        """What was said with them."""
        with self._lock:
            return [sentence for who, _, sentence in self._told if who == name]

    def last(self, name: str, state: str) -> bool:
        """Whether somebody's last state was this one."""
        return [state] == self.of(name)[-1:]


class Office:
    """A running service, its devices, and what is seen of both."""

    def __init__(self, installation: Installation, service: Service, watching: Watching) -> None:
        self.installation = installation
        self.service = service
        self.watching = watching

    def actuator(self, name: str) -> SimulatedActuator:
        return opened(self.service, name)

    def is_open(self, name: str) -> bool:
        return self.actuator(name).opened_until is not None

    def events(self) -> list[Event]:
        """Oldest first."""
        return [entry.event for entry in self.installation.records.list(limit=1000)][::-1]

    def alarms(self) -> list[str]:
        return [
            f"{'...' if e.over else ''}{e.access_point}:{e.alarm}"
            for e in self.events()
            if isinstance(e, Alarmed)
        ]


def opened(service: Service, name: str) -> SimulatedActuator:
    """What opens an access point."""
    heralded = service._lanes[AccessPointId(name)]._actuator
    found = heralded._actuator  # type: ignore[attr-defined]
    assert isinstance(found, SimulatedActuator)
    return found


@pytest.fixture
def modbus(tmp_path: Path) -> Iterator[ModbusDevice]:
    device = ModbusDevice(tmp_path / "modbus")
    device.start()
    yield device
    device.kill()


@pytest.fixture
def mqtt(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mqtt")
    broker.start()
    broker.set(False)
    yield broker
    broker.kill()


@pytest.fixture
def folder(
    tmp_path: Path, modbus: ModbusDevice, mqtt: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A site's, with its devices."""
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    write_picture(tmp_path / "still.png", 1)
    points = "".join(POINT.format(name=name, more=MORE[name]) for name in POINTS)
    text = SITE.format(cameras=points, modbus=modbus.port, mqtt=mqtt.port, topic=TOPIC)
    (tmp_path / "site.toml").write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def office(folder: Path) -> Iterator[Office]:
    with running(folder) as office:
        yield office


@contextmanager
def running(
    folder: Path, inputs: Sequence[str] = ("contact", "green_button", "panel")
) -> Iterator[Office]:
    """The service of the site in a folder, once its inputs are heard."""
    watching = Watching()
    with (
        wire.open_site(wire.read_site(folder / "site.toml")) as installation,
        wire.open_service(installation, watching) as service,
    ):
        service.start()
        for name in inputs:
            assert until(partial(watching.last, f"input {name}", "ok"))
        yield Office(installation, service, watching)


def until(holds: Callable[[], bool], timeout_s: float = 15.0) -> bool:
    """Whether something comes to hold in time."""
    end_s = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end_s:
        time.sleep(0.02)
    return holds()


def test_door_that_is_opened_after_a_grant_and_shut_again_is_no_alarm(
    office: Office, modbus: ModbusDevice
) -> None:
    """The usual story, through log, actuator and contact."""
    assert office.service.release(AccessPointId("door"), "guard", "a parcel").done
    modbus.set(True)
    time.sleep(0.5)
    modbus.set(False)
    time.sleep(2.5)

    assert [] == office.alarms()
    assert [] == office.watching.of("door")


def test_door_that_is_forced_or_stands_open_is_told_and_recorded(
    office: Office, modbus: ModbusDevice
) -> None:
    """Both, and that they are over."""
    modbus.set(True)
    assert until(lambda: ["door:forced", "door:held_open"] == office.alarms())
    assert "red" == office.watching.of("door")[-1]
    modbus.set(False)

    assert until(lambda: {"...door:forced", "...door:held_open"} <= set(office.alarms()), 20)
    assert until(lambda: "ok" == office.watching.of("door")[-1])
    assert {"way_out", "listed"}.isdisjoint(a.split(":")[0] for a in office.alarms())


def test_relay_that_moves_no_door_is_told(office: Office) -> None:
    """Its contact never opens."""
    assert office.service.release(AccessPointId("door"), "guard", "").done

    assert until(lambda: ["door:relay_unconfirmed"] == office.alarms())


def test_button_opens_and_is_recorded_as_such(office: Office, modbus: ModbusDevice) -> None:
    """A press of a fifth of a second; the door then opens without an alarm."""
    modbus.set(True, at=1)
    time.sleep(0.2)
    modbus.set(False, at=1)
    assert until(lambda: office.is_open("door"), 2)
    modbus.set(True)
    time.sleep(0.5)
    modbus.set(False)
    time.sleep(1.5)

    released = [event for event in office.events() if isinstance(event, Released)]
    assert [("request_to_exit", "the button green_button")] == [(e.by, e.why) for e in released]
    assert [] == office.alarms()


def test_killed_modbus_device_is_red_and_the_lanes_go_on(
    office: Office, modbus: ModbusDevice
) -> None:
    """`kill -9`; back again it is well again, and what happened meanwhile is not called forced."""
    modbus.kill()
    for name in ("contact", "green_button"):
        assert until(partial(office.watching.last, f"input {name}", "red"))
    assert office.service.release(AccessPointId("door"), "guard", "").done
    assert office.is_open("door")
    time.sleep(2.5)
    modbus.set(True)
    modbus.start()
    for name in ("contact", "green_button"):
        assert until(partial(office.watching.last, f"input {name}", "ok"))
    assert office.service.release(AccessPointId("door"), "guard", "").done

    assert ["ok"] == office.watching.of("input panel")
    assert until(lambda: ["door:held_open"] == office.alarms())


def test_fire_opens_exits_and_what_the_site_lists_until_it_is_over(
    office: Office, mqtt: Mosquitto
) -> None:
    """Within a second, for as long as the panel says so; the other entry stays as it is."""
    mqtt.set(True)
    assert until(lambda: office.is_open("way_out") and office.is_open("listed"), 1.5)
    time.sleep(7.0)
    assert office.is_open("way_out")
    assert office.is_open("listed")
    assert not office.is_open("door")
    assert {f"{name}:fire" for name in POINTS} == set(office.alarms())
    mqtt.set(False)

    assert until(lambda: not office.is_open("way_out") and not office.is_open("listed"))
    assert until(lambda: {f"...{name}:fire" for name in POINTS} <= set(office.alarms()))
    assert [] == [event for event in office.events() if isinstance(event, Released | Acted)]


def test_killed_broker_leaves_open_what_fire_opened(office: Office, mqtt: Mosquitto) -> None:
    """Until it is back and says that the fire is over."""
    mqtt.set(True)
    assert until(lambda: office.is_open("way_out"), 1.5)
    mqtt.kill()
    assert until(lambda: "red" == office.watching.of("input panel")[-1])
    time.sleep(7.0)
    assert office.is_open("way_out")
    mqtt.start()
    mqtt.set(False)

    assert until(lambda: "ok" == office.watching.of("input panel")[-1])
    assert until(lambda: not office.is_open("way_out"))


def test_fire_that_was_there_before_the_service_opens_as_it_starts(
    tmp_path: Path, modbus: ModbusDevice, mqtt: Mosquitto, office: Office
) -> None:
    """A machine that restarts during a fire; what the broker has kept is the present."""
    mqtt.set(True)
    assert until(lambda: office.is_open("way_out"), 1.5)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(
        [sys.executable, "-c", _RESTART, tmp_path], env=environment, timeout=60, check=False,
        capture_output=True,
    )  # fmt: skip

    assert process.returncode == 0, process.stderr.decode()


#: The same site in another folder of data, in a process of its own: open within two seconds.
_RESTART = """
import os, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
os.environ["POSTERN_DATA"] = str(folder / "other-data")
from tests.app.test_inputs import running
with running(folder) as office:
    end_s = time.monotonic() + 2.0
    while not office.is_open("way_out") and time.monotonic() < end_s:
        time.sleep(0.02)
    sys.exit(0 if office.is_open("way_out") and not office.is_open("door") else 1)
"""


def test_button_and_fire_open_where_the_data_cannot_be_opened(
    folder: Path, modbus: ModbusDevice, mqtt: Mosquitto
) -> None:
    """At a start on a disk that is full: nobody is let in, and nobody who leaves is kept."""
    watching, full = Watching(), PosternError(Code.UNAVAILABLE, "The disk is full.")
    with wire.open_way_out(wire.read_site(folder / "site.toml"), watching, full) as service:
        service.start()
        for name in ("contact", "green_button", "panel"):
            assert until(partial(watching.last, f"input {name}", "ok"))
        assert ["it stays shut: The disk is full."] == watching.sentences("door")
        assert not service.release(AccessPointId("door"), "guard", "a parcel").done
        modbus.set(True, at=1)
        assert until(lambda: opened(service, "door").opened_until is not None, 3)
        modbus.set(False, at=1)

        assert not service.holding
        mqtt.set(True)
        way_out, listed = opened(service, "way_out"), opened(service, "listed")
        assert until(lambda: None not in (way_out.opened_until, listed.opened_until), 3)
        assert until(lambda: opened(service, "door").opened_until is None, 3)
        assert service.holding
        mqtt.set(False)
        assert until(lambda: not service.holding, 3)
        assert "red" == watching.of("door")[-1]
