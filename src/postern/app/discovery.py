"""What Home Assistant is told about a site, as its MQTT discovery for devices takes it.

The keys are those of Home Assistant's documentation of MQTT (discovery payloads for a device, lock,
cover, event, binary sensor). No name of a person, no plate and no picture is in any of it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from postern.app.board import told_as
from postern.app.site import Site
from postern.app.tables import MqttTable
from postern.core.ids import AccessPointId
from postern.core.look import Kind
from postern.mqtt.words import Message

ONLINE, OFFLINE = "online", "offline"
PROBLEM, FINE = "ON", "OFF"


class Happening(StrEnum):
    """What can happen at an access point."""

    GRANTED = "granted"
    DENIED = "denied"
    OPENED_BY_HAND = "opened_by_hand"
    NOT_OPENED = "not_opened"


class Order(StrEnum):
    """What Home Assistant may ask a lock or a cover for."""

    UNLOCK = "UNLOCK"
    OPEN = "OPEN"
    LOCK = "LOCK"
    CLOSE = "CLOSE"
    STOP = "STOP"


#: Those that open; Postern closes nothing by order: the actuator does, by itself.
OPENING = frozenset({Order.UNLOCK, Order.OPEN})


@dataclass(frozen=True, slots=True)
class Face:
    """What an access point is to Home Assistant.

    Attributes:
        platform: `lock` for a door, `cover` for a gate.
        shut: What its state is while it is shut.
        open: What it is while it is open.
    """

    platform: str
    shut: str
    open: str


DOOR, GATE = Face("lock", "LOCKED", "UNLOCKED"), Face("cover", "closed", "open")


class Topics:
    """Where everything of a site is published, below `postern/NODE`.

    Args:
        table: The section `[mqtt]`.
    """

    def __init__(self, table: MqttTable) -> None:
        self._base = f"postern/{table.node}"
        self.config = f"{table.prefix}/device/postern_{table.node}/config"
        self.birth = f"{table.prefix}/status"
        self.status = f"{self._base}/status"
        self.orders = f"{self._base}/access_point/+/set"

    def order(self, point: AccessPointId) -> str:
        """Where an access point takes orders."""
        return f"{self._base}/access_point/{point}/set"

    def state(self, point: AccessPointId) -> str:
        """Where it says whether it is open."""
        return f"{self._base}/access_point/{point}/state"

    def event(self, point: AccessPointId) -> str:
        """Where it says what happens."""
        return f"{self._base}/access_point/{point}/event"

    def health(self, part: "Part") -> str:
        """Where it is said whether something has a problem."""
        return f"{self._base}/health/{_slug(part.name)}"

    def ordered(self, topic: str) -> str:
        """The access point whose orders come on a topic."""
        return topic.removeprefix(f"{self._base}/access_point/").removesuffix("/set")


def face_of(site: Site, point: AccessPointId) -> Face:
    """A gate where a camera sees plates, else a door."""
    cameras = site.access_points[point].cameras
    plates = any(site.cameras[camera].sees is Kind.PLATE for camera in cameras)
    return GATE if plates else DOOR


@dataclass(frozen=True, slots=True)
class Part:
    """Something that may have a problem.

    Attributes:
        name: What Home Assistant calls it: its kind and its name, since a camera and an access
            point may share theirs.
        told: The name under which the service tells its state.
        diagnostic: Whether it concerns those who look after the site more than those who use it.
    """

    name: str
    told: str
    diagnostic: bool = True


def parts_of(site: Site) -> tuple[Part, ...]:
    """Everything whose health is told. An access point's is red while it has an alarm, too."""
    return (
        *(
            Part(f"access point {name}", told_as(site, name), diagnostic=False)
            for name in site.access_points
        ),
        *(Part(f"camera {name}", name) for name in site.cameras),
        *(Part(f"{kind} {name}", f"{kind} {name}") for kind, name in _devices(site)),
        Part("ledger", "ledger"),
    )


def _devices(site: Site) -> Iterable[tuple[str, str]]:
    yield from (("actuator", name) for name in site.actuators)
    yield from (("input", name) for name in site.inputs)


def announcement(site: Site, table: MqttTable, topics: Topics) -> Message:
    """The device with all its entities; kept for a Home Assistant that comes later."""
    entities: dict[str, Mapping[str, Any]] = {}
    for point in site.access_points:
        face = face_of(site, point)
        entities[f"{_slug(point)}_opening"] = _opening(table, topics, point, face)
        entities[f"{_slug(point)}_event"] = {
            "platform": "event",
            "name": f"{point} event",
            "unique_id": f"postern_{table.node}_{_slug(point)}_event",
            "state_topic": topics.event(point),
            "event_types": [str(one) for one in Happening],
        }
    for part in parts_of(site):
        entities[f"{_slug(part.name)}_problem"] = _trouble(table, topics, part)
    payload = {
        "device": {
            "identifiers": [f"postern_{table.node}"],
            "name": site.name,
            "manufacturer": "Postern",
            "sw_version": version("postern"),
        },
        "origin": {"name": "Postern", "sw_version": version("postern")},
        "availability_topic": topics.status,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "qos": 1,
        "components": entities,
    }
    return Message(topics.config, json.dumps(payload).encode(), retain=True)


def _trouble(table: MqttTable, topics: Topics, part: Part) -> Mapping[str, Any]:
    told = {
        "platform": "binary_sensor",
        "name": part.name,
        "unique_id": f"postern_{table.node}_{_slug(part.name)}_problem",
        "device_class": "problem",
        "state_topic": topics.health(part),
        "payload_on": PROBLEM,
        "payload_off": FINE,
    }
    return {**told, "entity_category": "diagnostic"} if part.diagnostic else told


def _opening(
    table: MqttTable, topics: Topics, point: AccessPointId, face: Face
) -> Mapping[str, Any]:
    """The lock or the cover; without commands, what only shows the same."""
    told = {
        "name": str(point),
        "unique_id": f"postern_{table.node}_{_slug(point)}_opening",
        "state_topic": topics.state(point),
    }
    if face is GATE:
        gate = {**told, "platform": "cover", "device_class": "gate", "payload_stop": None,
                "state_open": face.open, "state_closed": face.shut}  # fmt: skip
        return {**gate, "command_topic": topics.order(point)} if table.commands else gate
    if not table.commands:  # A lock takes orders, or it is none.
        return {**told, "platform": "binary_sensor", "device_class": "lock",
                "payload_on": face.open, "payload_off": face.shut}  # fmt: skip
    return {**told, "platform": "lock", "command_topic": topics.order(point), "optimistic": False,
            "state_locked": face.shut, "state_unlocked": face.open}  # fmt: skip


def _slug(name: str) -> str:
    """A name as it may stand in an id: access points and cameras have letters, digits, - and _."""
    return name.replace(" ", "_")
