"""Home Assistant's side of a real broker: what it is told, and what it may order."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import load
from postern.app.discovery import Happening
from postern.app.home_assistant import MOST_WAITING, HomeAssistant
from postern.app.problem import ConfigError
from postern.app.site import Site
from postern.core.decision import Decision, Reason
from postern.core.ids import AccessPointId, AttemptId, CameraId, PermitId, PersonId
from postern.core.ports import Report
from postern.engine.ports import Outcome
from postern.mqtt.connection import Connection
from postern.mqtt.words import Broker, Message, Subscription
from postern.sources import KINDS as SOURCES
from tests.brokers import Mosquitto, mosquitto

SITE = """\
[site]
name = "Garage"

[camera.lane]
kind = "file"
path = "lane.mp4"
sees = "plate"

[camera.entrance]
kind = "v4l"
sees = "face"

[actuator.boom]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"

[access_point.door]
cameras = ["entrance"]
actuator = "boom"
hold_s = 0.5

[mqtt]
address = "127.0.0.1:{port}"
"""
ALICE = PersonId("p-alice")
BARRIER, DOOR = AccessPointId("barrier"), AccessPointId("door")


class Watcher:
    """Notes what it is told of the connection."""

    def __init__(self) -> None:
        self.news: list[tuple[str, str, str]] = []

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        self.news.append((camera, state, sentence))


class Doors:
    """Opens what it is asked to, or fails to."""

    def __init__(self, *, done: bool = True) -> None:
        self._done = done
        self.asked: list[tuple[str, str]] = []

    def release(self, access_point: AccessPointId, by: str, why: str) -> Report:
        self.asked.append((access_point, by))
        assert why
        return Report(self._done, "It moved, or it did not.")


class Home:
    """What Home Assistant would see: every message, and the last that the broker kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[Message] = []
        self._connection = Connection(
            Broker(address=f"127.0.0.1:{port}"), lambda *_: None,
            subscriptions=(Subscription("#"),), heard=self.heard.append,
        )  # fmt: skip
        self._connection.start()

    def last(self, topic: str) -> str | None:
        found = [one.payload.decode() for one in self.heard if one.topic == topic]
        return found[-1] if found else None

    def events(self, point: str) -> list[dict[str, Any]]:
        topic = f"postern/postern/access_point/{point}/event"
        return [json.loads(one.payload) for one in self.heard if one.topic == topic]

    def order(self, point: str, payload: str, *, retain: bool = False) -> None:
        topic = f"postern/postern/access_point/{point}/set"
        publish.single(topic, payload, 1, retain, hostname="127.0.0.1", port=self.port)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as made:
        yield made


def site(folder: Path, port: int, more: str = "") -> Site:
    """A garage with a barrier and a door."""
    (folder / "site.toml").write_text(SITE.format(port=port) + more, "utf-8")
    return load(folder / "site.toml", SOURCES, ACTUATORS, {})


@contextmanager
def told(place: Site, doors: Doors) -> Iterator[tuple[HomeAssistant, Home, Watcher]]:
    """A site that tells a Home Assistant, once both are there."""
    assert place.mqtt is not None
    home, watcher = Home(place.mqtt.endpoint.port), Watcher()
    tells = HomeAssistant(place, place.mqtt, watcher.health)
    tells.attach(doors)
    tells.start()
    try:
        until(lambda: home.last("postern/postern/status") == "online")
        yield tells, home, watcher
    finally:
        tells.stop()
        home.close()


def until(fact: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until something is so."""
    until_s = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def outcome(point: AccessPointId, decision: Decision) -> Outcome:
    """What a lane says."""
    return Outcome(
        point, decision.attempt, decision, 3, (), "Alice's plate KAMP417 at 0.93.", 0.2, True
    )


def granted(reason: Reason = Reason.PERMITTED) -> Decision:
    """Alice may pass."""
    return Decision(AttemptId("a-1"), reason, PermitId("office"), (ALICE,), None, 1e-5)


def test_announcement_is_what_home_assistant_asks_for(broker: Mosquitto, tmp_path: Path) -> None:
    """A device with an origin; each entity with its platform, its own id and what it requires."""
    with told(site(tmp_path, broker.port, "commands = true\n"), Doors()) as (_, home, _watcher):
        found = json.loads(home.last("homeassistant/device/postern_postern/config") or "")

    assert {"device", "origin", "components"} <= found.keys()
    assert found["device"]["identifiers"]
    assert found["origin"]["name"]
    assert "postern/postern/status" == found["availability_topic"]
    entities = found["components"]
    ids = [one["unique_id"] for one in entities.values()]
    assert len(set(ids)) == len(ids) == 2 * 2 + 2 + 2 + 1 + 1
    required = {
        "lock": {"command_topic"}, "cover": {"command_topic", "device_class"},
        "event": {"state_topic", "event_types"}, "binary_sensor": {"state_topic", "device_class"},
    }  # fmt: skip
    for entity in entities.values():
        assert required[entity["platform"]] <= entity.keys()
    assert "lock" == entities["door_opening"]["platform"]
    gate = entities["barrier_opening"]
    assert ("cover", "gate") == (gate["platform"], gate["device_class"])
    assert [str(one) for one in Happening] == entities["door_event"]["event_types"]
    assert {"camera_lane_problem", "actuator_boom_problem", "ledger_problem"} <= entities.keys()
    assert "diagnostic" == entities["camera_lane_problem"]["entity_category"]
    assert "entity_category" not in entities["access_point_door_problem"]


def test_grant_that_nothing_carried_out_opens_nothing(broker: Mosquitto, tmp_path: Path) -> None:
    """The relay did not answer: whoever reads that the gate is open would leave it so."""
    point = AccessPointId("barrier")
    with told(site(tmp_path, broker.port), Doors()) as (tells, home, _watcher):
        tells.ended(replace(outcome(point, granted()), driven=False))
        tells.ended(outcome(AccessPointId("door"), granted()))
        until(lambda: bool(home.events("door")))

        assert ["not_opened"] == [one["event_type"] for one in home.events("barrier")]
        assert "closed" == home.last("postern/postern/access_point/barrier/state")


def test_announcement_is_kept_for_whoever_comes_later(broker: Mosquitto, tmp_path: Path) -> None:
    """Home Assistant may start after Postern does."""
    with told(site(tmp_path, broker.port), Doors()):
        later = Home(broker.port)
        until(lambda: later.last("homeassistant/device/postern_postern/config") is not None)
        until(lambda: later.last("postern/postern/access_point/barrier/state") == "closed")
        assert all(one.retain for one in later.heard)
        later.close()


def test_without_commands_there_is_nothing_to_order(broker: Mosquitto, tmp_path: Path) -> None:
    """The default: no entity has a topic for orders, and one that comes all the same is none."""
    doors = Doors()
    with told(site(tmp_path, broker.port), doors) as (_, home, _watcher):
        announced = home.last("homeassistant/device/postern_postern/config") or ""
        home.order("door", "UNLOCK")
        time.sleep(0.5)

    assert "command_topic" not in announced
    assert [] == doors.asked


@pytest.mark.parametrize(
    ("point", "payload"), [("door", "UNLOCK"), ("door", "OPEN"), ("barrier", "OPEN")]
)
def test_order_opens_exactly_once(
    point: str, payload: str, broker: Mosquitto, tmp_path: Path
) -> None:
    """It is an event that says so, and open for as long as it is driven."""
    doors = Doors()
    with told(site(tmp_path, broker.port, "commands = true\n"), doors) as (_, home, _watcher):
        home.order(point, payload)
        until(lambda: bool(home.events(point)))
        topic = f"postern/postern/access_point/{point}/state"
        shut = "LOCKED" if point == "door" else "closed"
        until(lambda: home.last(topic) == shut)
        states = [one.payload.decode() for one in home.heard if one.topic == topic]

    assert [(point, "mqtt")] == doors.asked
    assert [shut, "UNLOCKED" if point == "door" else "open", shut] == states
    [event] = home.events(point)
    assert {"event_type": "opened_by_hand", "reason": "mqtt", "access_point": point} == event


def test_attack_order_that_the_broker_keeps_opens_nothing(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """Neither at once nor at the next start, when it would open with nobody there."""
    doors, place = Doors(), site(tmp_path, broker.port, "commands = true\n")
    with told(place, doors) as (_, home, _watcher):
        home.order("door", "UNLOCK", retain=True)
        time.sleep(0.5)
    with told(place, doors):
        time.sleep(0.5)

    assert [] == doors.asked


def test_attack_flood_of_orders_opens_once(broker: Mosquitto, tmp_path: Path) -> None:
    """Fifty in a moment are one."""
    doors = Doors()
    with told(site(tmp_path, broker.port, "commands = true\n"), doors) as (_, home, _watcher):
        topic = "postern/postern/access_point/door/set"
        publish.multiple([(topic, "UNLOCK", 1, False)] * 50, hostname="127.0.0.1", port=broker.port)
        until(lambda: bool(home.events("door")))
        time.sleep(0.5)

    assert 1 == len(doors.asked)


@pytest.mark.parametrize("payload", ["LOCK", "CLOSE", "STOP", "unlock", "", "\x00", "UNLOCK "])
def test_other_orders_open_nothing(payload: str, broker: Mosquitto, tmp_path: Path) -> None:
    """Nothing is closed by order either; what is asked for so is told how it is."""
    doors = Doors()
    with told(site(tmp_path, broker.port, "commands = true\n"), doors) as (_, home, _watcher):
        home.order("door", payload)
        home.order("cellar", "UNLOCK")
        time.sleep(0.4)
        assert "LOCKED" == home.last("postern/postern/access_point/door/state")

    assert [] == doors.asked


def test_order_that_is_not_carried_out_says_so(broker: Mosquitto, tmp_path: Path) -> None:
    """It stays shut, for Home Assistant too."""
    doors = Doors(done=False)
    with told(site(tmp_path, broker.port, "commands = true\n"), doors) as (_, home, _watcher):
        home.order("door", "UNLOCK")
        until(lambda: bool(home.events("door")))

        assert "LOCKED" == home.last("postern/postern/access_point/door/state")
        assert "not_opened" == home.events("door")[0]["event_type"]


def test_what_happens_is_told_without_a_name(broker: Mosquitto, tmp_path: Path) -> None:
    """A reason and a place: neither who, nor which plate, nor how sure."""
    with told(site(tmp_path, broker.port), Doors()) as (tells, home, _watcher):
        tells.ended(outcome(BARRIER, granted()))
        tells.ended(outcome(BARRIER, granted(Reason.PASSBACK)))
        until(lambda: len(home.events("barrier")) == 2)
        said = b" ".join(one.payload for one in home.heard).decode()

    expected = [("granted", "permitted"), ("denied", "passback")]
    assert expected == [(one["event_type"], one["reason"]) for one in home.events("barrier")]
    assert all(
        {"event_type", "reason", "access_point"} == one.keys() for one in home.events("barrier")
    )
    for secret in ("alice", "KAMP417", "0.93", "office", "1e-05"):
        assert secret.lower() not in said.lower()


def test_stranger_is_told_like_nobody(broker: Mosquitto, tmp_path: Path) -> None:
    """Whoever watches the broker does not learn that somebody was there."""
    with told(site(tmp_path, broker.port), Doors()) as (tells, home, _watcher):
        tells.ended(outcome(DOOR, Decision(AttemptId("a-1"), Reason.UNAUTHORIZED)))
        tells.ended(outcome(DOOR, Decision(AttemptId("a-2"), Reason.INVALID_PASS)))
        tells.ended(outcome(DOOR, granted()))
        until(lambda: bool(home.events("door")))

    assert ["granted"] == [one["event_type"] for one in home.events("door")]


def test_health_is_told_without_its_sentence(broker: Mosquitto, tmp_path: Path) -> None:
    """A problem, or none; sentences have addresses in them."""
    with told(site(tmp_path, broker.port), Doors()) as (tells, home, _watcher):
        tells.health(CameraId("lane"), "red", "The camera at 192.0.2.7 is silent.")
        until(lambda: home.last("postern/postern/health/camera_lane") == "ON")
        tells.health(CameraId("lane"), "ok", "It is back.")
        until(lambda: home.last("postern/postern/health/camera_lane") == "OFF")
        tells.health(CameraId("nobody"), "red", "There is none such.")
        said = b" ".join(one.payload for one in home.heard).decode()

    assert "192.0.2.7" not in said


def test_alarm_of_an_access_point_is_a_problem_of_it(broker: Mosquitto, tmp_path: Path) -> None:
    """An alarm is that access point's state, and not that of a camera of the same name."""
    place = site(tmp_path, broker.port)
    place = replace(
        place, cameras={**place.cameras, CameraId("door"): place.cameras[CameraId("entrance")]}
    )
    with told(place, Doors()) as (tells, home, _watcher):
        tells.health(CameraId("access_point door"), "red", "forced: it was opened")
        until(lambda: home.last("postern/postern/health/access_point_door") == "ON")
        tells.health(CameraId("door"), "red", "no frames arrive")
        until(lambda: home.last("postern/postern/health/camera_door") == "ON")
        tells.health(CameraId("door"), "ok", "frames arrive")
        until(lambda: home.last("postern/postern/health/camera_door") == "OFF")
        assert "ON" == home.last("postern/postern/health/access_point_door")
        tells.health(CameraId("access_point door"), "ok", "forced is over")
        until(lambda: home.last("postern/postern/health/access_point_door") == "OFF")

        assert "OFF" == home.last("postern/postern/health/access_point_barrier")


def test_stop_is_told(broker: Mosquitto, tmp_path: Path) -> None:
    """Offline is kept, so that Home Assistant shows it as it is."""
    with told(site(tmp_path, broker.port), Doors()):
        pass
    later = Home(broker.port)
    until(lambda: later.last("postern/postern/status") == "offline")
    later.close()


def test_home_assistant_that_starts_anew_is_told_again(broker: Mosquitto, tmp_path: Path) -> None:
    """Its own word for that is `online` on its status topic."""
    with told(site(tmp_path, broker.port), Doors()) as (_, home, _watcher):
        topic = "homeassistant/device/postern_postern/config"
        before = sum(one.topic == topic for one in home.heard)
        publish.single("homeassistant/status", "online", 1, hostname="127.0.0.1", port=broker.port)
        until(lambda: sum(one.topic == topic for one in home.heard) == before + 1)


def test_broker_that_is_killed_holds_nobody_up_and_is_told_again(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """A thousand grants meanwhile wait for nothing; afterwards it knows the site again."""
    with told(site(tmp_path, broker.port), Doors()) as (tells, _home, watcher):
        broker.kill()
        until(lambda: ("home assistant", "red") in [news[:2] for news in watcher.news])
        began_s = time.monotonic()
        for _ in range(1000):
            tells.ended(outcome(BARRIER, granted()))
        took_s = time.monotonic() - began_s
        assert len(tells._waiting) <= MOST_WAITING
        broker.start()
        until(lambda: watcher.news[-1][:2] == ("home assistant", "ok"))
        later = Home(broker.port)
        until(lambda: later.last("homeassistant/device/postern_postern/config") is not None)
        until(lambda: later.last("postern/postern/status") == "online")
        later.close()

    assert took_s < 5.0  # Not one wait for a broker in it.


@pytest.mark.parametrize(
    "wrong", ['prefix = "a/b"', 'node = ""', 'commands = "yes"', "tls = 1", 'user = "x"', "x = 1"]
)
def test_impossible_settings_are_refused(wrong: str, tmp_path: Path) -> None:
    """With their line, as everything in `site.toml`."""
    with pytest.raises(ConfigError):
        site(tmp_path, 1883, f"{wrong}\n")
