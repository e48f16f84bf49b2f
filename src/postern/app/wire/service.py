"""The service of a site: its lanes with their cameras and actuators, and what keeps its log."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import cv2

from postern.actuators import KINDS as ACTUATORS
from postern.actuators import Kind as ActuatorKind
from postern.actuators import Tell, Timer
from postern.app.backup import clear_drafts
from postern.app.board import AtAccessPoint
from postern.app.clock import plausible
from postern.app.clock_trust import ClockTrust
from postern.app.duty import on_duty
from postern.app.home_assistant import HomeAssistant
from postern.app.proving import Made, prove
from postern.app.records import LEDGER, Keeper
from postern.app.register import StoredRegister, Trusted
from postern.app.site import Site
from postern.app.wire.installation import Installation, open_source
from postern.app.wire.parts import Parts, Windows, build_register, shuttered
from postern.app.witness_client import WitnessClient
from postern.app.witnessing import Witnessing
from postern.core.access_point import AccessPoint
from postern.core.ids import AccessPointId, AttemptId, CameraId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.engine.attendance import Attendance
from postern.engine.heralded import Heralded
from postern.engine.lane import Lane
from postern.engine.observers import Observers
from postern.engine.porter import HELD_S, Porter
from postern.engine.ports import Eye, Observer, Reader, Trusting
from postern.engine.sensing import Sensing
from postern.engine.service import Post, Service, close_interrupted
from postern.engine.standing import Standing
from postern.engine.supervise import shielded
from postern.ledger.tiles import Tiles
from postern.sources.inputs import KINDS as INPUTS
from postern.vision.motion import MotionGate
from postern.vision.tamper import TamperWatch


@contextmanager
def open_service(
    installation: Installation,
    observer: Observer,
    trusted: Trusted = plausible,
    windows: Windows = shuttered,
) -> Iterator[Service]:
    """The site's only service, not started yet; stopped at the end.

    Args:
        installation: The site's.
        observer: Who watches.
        trusted: Whether a time of the calendar can be relied on.
        windows: Gives what shows each camera's frames to whoever looks.

    Raises:
        PosternError: `conflict` where the site is served already; as `build_service`.
    """
    with on_duty(installation.site.data), ExitStack() as parts:
        clear_drafts(installation.site.data)
        home = _home_assistant(installation, observer)
        everybody = observer if home is None else Observers(observer, home)
        service = build_service(installation, everybody, trusted, windows)
        if home is not None:
            home.attach(service)
            parts.callback(home.stop)
            home.start()
        for part in (*_record_keepers(installation, everybody), service):
            parts.callback(part.stop)
            if part is not service:
                part.start()
        yield service


def _home_assistant(installation: Installation, observer: Observer) -> HomeAssistant | None:
    """What tells Home Assistant of the site, where `site.toml` names a broker."""
    site = installation.site
    return None if site.mqtt is None else HomeAssistant(site, site.mqtt, observer.health)


def _record_keepers(installation: Installation, observer: Observer) -> tuple[Keeper, Witnessing]:
    """What publishes the log, and what has it witnessed."""
    clients = _witness_clients(installation)
    return Keeper(installation.records, observer.health), Witnessing(clients, observer.health)


def _witness_clients(installation: Installation) -> list[WitnessClient]:
    """The witnesses that the site asks."""
    site, log = installation.site, installation.records.log
    folder = site.data / LEDGER
    return [
        WitnessClient(entry, folder / "witnesses", log, lambda size: Tiles(folder, size))
        for entry in site.witnesses.values()
    ]


def prove_event(installation: Installation, index: int) -> Made:
    """The proof of one event; the site's witnesses are asked if need be.

    Raises:
        PosternError: As `prove`.
    """
    folder, log = installation.site.data / LEDGER, installation.records.log
    clients = _witness_clients(installation)
    return prove(log, lambda size: Tiles(folder, size), clients, index)


def build_service(
    installation: Installation,
    observer: Observer,
    trusted: Trusted = plausible,
    windows: Windows = shuttered,
) -> Service:
    """The service of every access point of a site.

    Grants that an earlier run left without their actuator's answer are closed first; where that
    cannot be done now, at the next start: the way out waits for no disk.

    Raises:
        PosternError: Where a model is missing or wrong, or the store cannot be used now.
    """
    records = installation.records
    shielded(
        lambda: str(close_interrupted(records.unfinished(), records, installation.clock)),
        lambda why: _tell_ledger(observer, f"what was cut short is not closed: {why}"),
    )
    register, parts = build_register(installation, trusted), Parts(installation, windows)
    standing = Standing(register, installation.clock, trusted, observer)
    actuators = build_actuators(installation, observer)
    posts = [
        _post(installation, point, register, parts, actuators, observer)
        for point in installation.site.access_points.values()
    ]
    lanes = [post.lane for post in posts]
    attendance = build_attendance(installation, lanes, actuators, observer, standing)
    return Service(posts, observer, workers(), attendance=attendance)


def build_attendance(
    installation: Installation,
    lanes: Sequence[Lane],
    actuators: Mapping[AccessPointId, Heralded],
    observer: Observer,
    standing: Standing | None = None,
) -> Attendance:
    """Who stands beside the access points of these lanes, which are all of the site's, and hears
    its inputs.

    Args:
        installation: The site's.
        lanes: The access points' lanes.
        actuators: What opens each of them.
        observer: Who watches.
        standing: The orders; None where they cannot be read.
    """
    opens = _held_by_nobody if standing is None else standing.opens
    porters = {
        lane.access_point.id: Porter(
            lane,
            actuators[lane.access_point.id],
            installation.records,
            installation.clock,
            partial(opens, lane.access_point),
        )
        for lane in lanes
    }
    senses = _senses(installation, porters, observer)
    return Attendance([*porters.values()], senses, standing)


def _held_by_nobody(_point: AccessPoint, _now: Moment) -> bool:
    return False


def workers() -> int:
    """How many cameras are looked at at once: one for each core."""
    # OpenCV's own threads would fight with the workers for the same cores.
    cv2.setNumThreads(1)
    return os.cpu_count() or 1


def clock_trust(installation: Installation, observer: Observer) -> ClockTrust:
    """What says whether the site's calendar can be believed, and tells when that changes."""
    return ClockTrust(installation.site.clock.source, observer.health)


def _senses(
    installation: Installation, porters: Mapping[AccessPointId, Porter], observer: Observer
) -> list[Sensing]:
    """The site's inputs, each heard beside its access point, or beside all of them."""
    return [
        Sensing(
            name,
            entry.means,
            INPUTS[entry.kind].open(entry.config, name, installation.clock),
            [porters[entry.access_point]] if entry.access_point else [*porters.values()],
            observer,
        )
        for name, entry in installation.site.inputs.items()
    ]


def _tell_ledger(observer: Observer, why: str) -> str:
    observer.health(CameraId(LEDGER), "red", why)
    return why


def build_actuators(
    installation: Installation, observer: Observer
) -> dict[AccessPointId, Heralded]:
    """What opens each access point; the same actuator for those that share one."""

    def told(name: str) -> Tell:
        # Beside cameras and access points, as witnesses are.
        return lambda state, why: observer.health(CameraId(f"actuator {name}"), state, why)

    site, clock = installation.site, installation.clock
    driven = {
        name: Heralded(ACTUATORS[at.kind].open(at.config, clock, told(name)), clock, HELD_S)
        for name, at in site.actuators.items()
    }
    return {point: driven[name] for point, name in site.actuator_of.items()}


def pulse_timers(
    site: Site, kinds: Mapping[str, ActuatorKind[Any]] = ACTUATORS
) -> dict[str, Timer]:
    """What ends the pulses of every actuator where the service dies, by the actuator's name."""
    return {name: kinds[at.kind].timer(at.config) for name, at in site.actuators.items()}


def _post(
    installation: Installation,
    point: AccessPoint,
    register: StoredRegister,
    parts: Parts,
    actuators: Mapping[AccessPointId, Heralded],
    observer: Observer,
) -> Post:
    eyes = tuple(build_eye(installation, camera, parts) for camera in point.cameras)
    lane = Lane(
        point,
        register,
        parts.matchers({reader.kind for eye in eyes for reader in eye.readers}),
        parts.claims(register),
        installation.records,
        actuators[point.id],
        installation.clock,
        AtAccessPoint(installation.site, point.id, observer),
        lambda: AttemptId(uuid4().hex),
    )
    return Post(lane, eyes)


def build_eye(installation: Installation, camera: CameraId, parts: Parts) -> Eye:
    """A camera with what looks for everything that it is to see."""
    sees = installation.site.cameras[camera].sees
    # Whoever is looked at may hold up a pass; it is read first, to count for the same frame.
    kinds = (Kind.PASS, Kind.FACE) if sees is Kind.FACE else (sees,)
    readers = tuple(Reader(kind, parts.recogniser(kind), parts.tracker(kind)) for kind in kinds)
    source = open_source(installation, camera)
    tamper = TamperWatch() if source.live else Trusting()
    return Eye(camera, source, MotionGate(), readers, tamper, parts.windows(camera))
