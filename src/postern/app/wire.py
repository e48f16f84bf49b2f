"""The composition root: the only place that names implementations."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import assert_never
from uuid import uuid4

import cv2

from postern.actuators import KINDS as ACTUATORS
from postern.app.backup import clear_drafts
from postern.app.claims import SiteClaims
from postern.app.clock import SystemClock, plausible
from postern.app.config import load, models_folder, provided_secrets
from postern.app.duty import on_duty
from postern.app.enrolment import Enrolments
from postern.app.erasure import finish_erasures
from postern.app.export import Exports
from postern.app.matching import SiteFaceMatcher
from postern.app.passes import Passes, pass_seed, shown_to
from postern.app.proving import Made, prove
from postern.app.receipt import Sign
from postern.app.records import LEDGER, Keeper, Records, log_origin, log_seed, open_ledger
from postern.app.references import ReferenceState, reference_states
from postern.app.register import StoredRegister
from postern.app.secrets import Provided
from postern.app.site import Site
from postern.app.withdrawal import Withdrawals
from postern.app.witness_client import WitnessClient
from postern.app.witnessing import Witnessing
from postern.core.access_point import AccessPoint
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AttemptId, CameraId, Holder, PersonId
from postern.core.look import Kind
from postern.core.ports import Clock
from postern.engine.enrol import Enrolment
from postern.engine.lane import Lane
from postern.engine.ports import Eye, Matchers, Observer, Reader
from postern.engine.service import Post, Service, close_interrupted
from postern.engine.supervise import each, shielded
from postern.frame import Matcher, Recogniser, Source
from postern.ledger.log import Log
from postern.ledger.note import Note, Signer
from postern.ledger.tiles import Tiles
from postern.sources import KINDS as SOURCES
from postern.store.store import STORE_FILE, Store, open_store
from postern.vault.passes import Pass
from postern.vault.passes import claims as is_pass
from postern.vault.vault import KEYRING_FILE, Vault, open_vault
from postern.vision.faces.continuity import FaceContinuity
from postern.vision.faces.load import (
    DetectorName,
    choose_detector,
    load_calibration,
    load_cohort,
    load_recogniser,
)
from postern.vision.faces.reference import reference as face_reference
from postern.vision.model import Models, read_manifest
from postern.vision.motion import MotionGate
from postern.vision.passes.continuity import PassContinuity
from postern.vision.passes.recogniser import PassRecogniser
from postern.vision.plates import recogniser as plate_recogniser
from postern.vision.plates.continuity import PlateContinuity
from postern.vision.plates.grammar import grammar
from postern.vision.plates.match import PlateMatcher
from postern.vision.track import Patience, Tracker

#: A face fills much of the picture and hardly moves between frames; a plate is small and does. A
#: pass is waved about, and not read in every frame.
_FACE_PATIENCE = Patience()
_PASS_PATIENCE = Patience(reach=3.0, min_overlap=0.05)
_PLATE_PATIENCE = Patience(reach=4.0, min_overlap=0.1, max_probes=8, max_age_s=30.0)
#: Characters of most plates.
_USUAL_PLATE = 7


@dataclass(frozen=True, slots=True)
class Installation:
    """A site with its open store and vault.

    Attributes:
        site: What `site.toml` says.
        store: Its records.
        vault: Its references' keeper.
        records: What happened.
        signing: The 32 bytes behind its signing keys.
        models: The models.
        clock: The two clocks.
    """

    site: Site
    store: Store
    vault: Vault
    records: Records
    signing: bytes = field(repr=False)
    models: Models
    clock: Clock


def read_site(path: Path) -> Site:
    """What a `site.toml` says, checked.

    Raises:
        PosternError: `not_found` without the file, `invalid` with everything that is wrong in it.
    """
    return load(path, SOURCES, ACTUATORS)


def has_store(site: Site) -> bool:
    """Whether anything was ever kept for the site."""
    return (site.data / STORE_FILE).exists()


def try_recording(site: Site, camera: CameraId) -> PosternError | None:
    """What is wrong with the recording that stands in for a camera; None also for a live one."""
    entry = site.cameras[camera]
    source: Source = SOURCES[entry.kind].open(entry.config, camera, SystemClock())
    if source.live:
        return None
    try:
        next(iter(source.frames()), None)
    except PosternError as error:
        return error
    finally:
        source.close()
    return None


def open_models(folder: Path | None = None) -> Models:
    """The models in that folder, or in the usual one."""
    return Models(folder or models_folder(), read_manifest())


@contextmanager
def open_site(site: Site, *, throwaway: bool = False) -> Iterator[Installation]:
    """A site's installation, closed at the end.

    Args:
        site: What `site.toml` says.
        throwaway: Whether its store is made to be thrown away, as the demo's is.

    Raises:
        PosternError: As `open_store`, `open_vault` and `open_log`.
    """
    # A demo has keys of its own, whatever the environment says about the site's.
    secrets = (Provided() if throwaway else provided_secrets()).secrets(site.data)
    clock, models = SystemClock(), open_models(site.models)
    with ExitStack() as opened:
        store = opened.enter_context(open_store(site.data, throwaway=throwaway))
        vault = open_vault(site.data, len(store.references.names()), secrets.site)
        opened.callback(vault.close)
        seen = store.events.seen()
        log, signing = open_ledger(site.data, secrets, vault.site, clock, seen)
        records = Records(log, store.events, store.ids)
        opened.callback(records.close)
        with suppress(PosternError):  # What cannot be noted now is noted at the next start.
            records.note_loss(clock.now().utc)
        yield Installation(site, store, vault, records, signing, models, clock)


@contextmanager
def open_keys(site: Site) -> Iterator[tuple[Vault, Log]]:
    """The site's keys and log, where its store is lost or is to be replaced; closed at the end.

    Raises:
        PosternError: `not_found` where the site has no keys; as `open_vault` and `open_log`.
    """
    if not (site.data / KEYRING_FILE).exists():
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no file {KEYRING_FILE} in {site.data}.",
            "Without this site's keys a backup's references open no more.",
        )
    secrets = provided_secrets().secrets(site.data)
    with ExitStack() as opened:
        # One reference at least is expected, so that no key file is made anew.
        vault = open_vault(site.data, 1, secrets.site)
        opened.callback(vault.close)
        log, _ = open_ledger(site.data, secrets, vault.site, SystemClock())
        opened.callback(log.close)
        yield vault, log


@contextmanager
def open_service(installation: Installation, observer: Observer) -> Iterator[Service]:
    """The site's only service, not started yet; stopped at the end.

    Raises:
        PosternError: `conflict` where the site is served already; as `build_service`.
    """
    with on_duty(installation.site.data), ExitStack() as parts:
        clear_drafts(installation.site.data)
        service = build_service(installation, observer)
        for part in (*_record_keepers(installation, observer), service):
            parts.callback(part.stop)
            if part is not service:
                part.start()
        yield service


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


def build_service(installation: Installation, observer: Observer) -> Service:
    """The service of every access point of a site.

    Grants that an earlier run left without their actuator's answer are closed first; where that
    cannot be done now, at the next start: the way out waits for no disk.

    Raises:
        PosternError: Where a model is missing or wrong, or the store cannot be used now.
    """
    # OpenCV's own threads would fight with the workers for the same cores.
    cv2.setNumThreads(1)
    records = installation.records
    shielded(
        lambda: str(close_interrupted(records.unfinished(), records, installation.clock)),
        lambda why: _tell_ledger(observer, f"what was cut short is not closed: {why}"),
    )
    register, parts = build_register(installation), _Parts(installation)
    posts = [_post(installation, point, register, parts, observer)
             for point in installation.site.access_points.values()]  # fmt: skip
    return Service(posts, observer, workers=os.cpu_count() or 1)


def _tell_ledger(observer: Observer, why: str) -> str:
    observer.health(CameraId(LEDGER), "red", why)
    return why


def tidy(installation: Installation, *, noticed: bool = True) -> None:
    """Forgets what has run out: what old events said, the faces of people whose consent ended,
    passes, and key epochs; and finishes erasures that were cut short.

    Each is done whatever becomes of the others: a log that is damaged keeps nobody's face alive.

    Args:
        installation: The site's.
        noticed: Whether somebody has had the time to notice a calendar that was set wrong.

    Raises:
        PosternError: Where the store or the keys cannot be used now, the first of its failures;
            `unavailable` where the calendar may be wrong.
    """
    at, now = installation, installation.clock.now().utc
    if not plausible(now):
        return  # A clock that was set to the end of time must not erase everybody.
    if not noticed and shielded(lambda: at.records.leapt(now), lambda _why: False):
        raise PosternError(
            Code.UNAVAILABLE,
            f"By the calendar it is {now:%Y-%m-%d}, long after anything that is recorded.",
            "If that is wrong, set it right today: tomorrow what has run out by it is destroyed.",
        )
    each(
        (
            lambda: finish_erasures(at.store, at.vault, at.records, now),
            lambda: at.records.expire(now - at.site.retention, now),
            lambda: withdrawals(at).lapse(now),
            lambda: passes(at).expire(now),
            at.vault.retire,
        )
    )


def enrolments(installation: Installation) -> Enrolments:
    """What takes people into the site's records."""
    at = installation
    return Enrolments(at.site, at.store, at.vault, at.records, lambda: passes(at))


def passes(installation: Installation) -> Passes:
    """The site's passes."""
    at = installation
    return Passes(at.store, at.vault, at.records, pass_seed(at.signing))


def references(installation: Installation) -> Mapping[PersonId, tuple[ReferenceState, ...]]:
    """How it stands with everybody's references; see `reference_states`."""
    embedder = load_calibration(face_detector(installation)).embedder
    return reference_states(installation.store, installation.vault, embedder)


def exports(installation: Installation) -> Exports:
    """What gives people everything that is kept about them."""
    at = installation
    return Exports(at.site, at.store, at.vault, at.records)


def sign_receipt(installation: Installation) -> Sign:
    """What signs receipts: the key of the site's log. No checkpoint begins as a receipt does."""
    signer = Signer(log_origin(installation.vault.site), log_seed(installation.signing))
    return lambda text: Note(text, (signer.sign(text),)).encode()


def withdrawals(installation: Installation) -> Withdrawals:
    """What ends the site's consents."""
    store = installation.store
    return Withdrawals(store, installation.records, installation.vault.destroy)


def build_register(installation: Installation) -> StoredRegister:
    """Who may be recognised at the site's access points."""
    plates = _plate_matcher(installation)
    return StoredRegister(installation.store, installation.vault, plates.reference, plausible)


def least_bounds(
    installation: Installation, holders: Collection[Holder] = ()
) -> dict[Factor, float]:
    """The smallest bound that one comparison can reach, for every factor that the site looks for.

    Args:
        installation: The site's.
        holders: Whose plates are meant; where there is none among them, one of seven characters.
    """
    kinds = {camera.sees for camera in installation.site.cameras.values()}
    least = {}
    if Kind.FACE in kinds:
        least[Factor.FACE] = load_calibration(face_detector(installation)).floor
    if Kind.PLATE in kinds:
        vehicles = installation.store.vehicles.all()
        lengths = {len(one.plate) for one in vehicles if one.id in holders} or {_USUAL_PLATE}
        least[Factor.PLATE] = max(map(_least_of_plate, lengths))
    return least


def check_models(installation: Installation) -> None:
    """Loads what the site's cameras need, as the service does.

    Raises:
        PosternError: Where a model is missing or wrong.
    """
    parts = _Parts(installation)
    for kind in {camera.sees for camera in installation.site.cameras.values()}:
        parts.recogniser(kind)


def build_enrolment(installation: Installation) -> Enrolment:
    """What takes somebody's looks in."""
    recogniser = _Parts(installation).recogniser(Kind.FACE)
    return Enrolment(recogniser, FaceContinuity(), face_reference)


def read_pass(installation: Installation, source: Source) -> Pass:
    """The first pass that is held up to a camera of the site; as `shown_to`."""
    recogniser = _Parts(installation).recogniser(Kind.PASS)
    return shown_to(source, recogniser, passes(installation).reader())


def open_source(installation: Installation, camera: CameraId) -> Source:
    """A camera of the site.

    Raises:
        PosternError: `not_found` where the site has none of that name.
    """
    entry = installation.site.cameras.get(camera)
    if entry is None:
        known = ", ".join(installation.site.cameras)
        raise PosternError(
            Code.NOT_FOUND, f"There is no camera called {camera!r}.", f"Known cameras: {known}."
        )
    opened: Source = SOURCES[entry.kind].open(entry.config, camera, installation.clock)
    return opened


def face_detector(installation: Installation) -> DetectorName:
    """The face detector that this site uses."""
    return choose_detector(installation.models, str(installation.site.faces.detector))


class _Parts:
    """Recognisers and matchers of one installation, each made once and only if it is needed."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._recognisers: dict[Kind, Recogniser] = {}

    def recogniser(self, kind: Kind) -> Recogniser:
        if kind not in self._recognisers:
            self._recognisers[kind] = self._load(kind)
        return self._recognisers[kind]

    def matchers(self, kinds: Collection[Kind]) -> Matchers:
        """Matchers of its own for every lane: they remember the lane's references."""
        return {kind: self._matcher(kind) for kind in kinds if kind is not Kind.PASS}

    def claims(self, register: StoredRegister) -> SiteClaims:
        """What passes say; whichever cameras a lane has."""
        at = self._installation
        embedder = load_calibration(face_detector(at)).embedder
        return SiteClaims(register, at.store, at.vault, passes(at).reader(), embedder)

    def tracker(self, kind: Kind) -> Tracker:
        match kind:
            case Kind.PLATE:
                return Tracker(PlateContinuity(), _PLATE_PATIENCE)
            case Kind.PASS:
                return Tracker(PassContinuity(), _PASS_PATIENCE)
            case Kind.FACE:
                return Tracker(FaceContinuity(), _FACE_PATIENCE)
            case _:
                assert_never(kind)

    def _matcher(self, kind: Kind) -> Matcher:
        if kind is Kind.PLATE:
            return _plate_matcher(self._installation)
        detector = face_detector(self._installation)
        calibration = load_calibration(detector)
        return SiteFaceMatcher(self._installation.vault, calibration, load_cohort(detector))

    def _load(self, kind: Kind) -> Recogniser:
        installation = self._installation
        match kind:
            case Kind.PLATE:
                regions = tuple(str(region) for region in installation.site.plates.regions)
                return plate_recogniser.load(installation.models, grammar(regions))
            case Kind.PASS:
                return PassRecogniser(is_pass)
            case Kind.FACE:
                return load_recogniser(installation.models, face_detector(installation))
            case _:
                assert_never(kind)


def _post(
    installation: Installation,
    point: AccessPoint,
    register: StoredRegister,
    parts: _Parts,
    observer: Observer,
) -> Post:
    eyes = tuple(_eye(installation, camera, parts) for camera in point.cameras)
    entry = installation.site.actuators[installation.site.actuator_of[point.id]]
    lane = Lane(
        point,
        register,
        parts.matchers({reader.kind for eye in eyes for reader in eye.readers}),
        parts.claims(register),
        installation.records,
        ACTUATORS[entry.kind].open(entry.config, installation.clock),
        installation.clock,
        observer,
        lambda: AttemptId(uuid4().hex),
    )
    return Post(lane, eyes)


def _eye(installation: Installation, camera: CameraId, parts: _Parts) -> Eye:
    sees = installation.site.cameras[camera].sees
    # Whoever is looked at may hold up a pass; it is read first, to count for the same frame.
    kinds = (Kind.PASS, Kind.FACE) if sees is Kind.FACE else (sees,)
    readers = tuple(Reader(kind, parts.recogniser(kind), parts.tracker(kind)) for kind in kinds)
    return Eye(camera, open_source(installation, camera), MotionGate(), readers)


@lru_cache
def _least_of_plate(length: int) -> float:
    # Which characters they are hardly matters, and looking at each plate would take minutes.
    matcher = PlateMatcher("any")
    return matcher.best(matcher.reference("KM4178WHDR"[:length]))


def _plate_matcher(installation: Installation) -> PlateMatcher:
    return PlateMatcher(installation.models.entry("plate-reader-ppocr").sha256)
