"""The composition root: what it closes, forgets, refuses and leaves alone."""

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from postern.app import wire
from postern.app.clock_trust import ClockTrust
from postern.app.duty import on_duty
from postern.app.kernel_clock import Reading
from postern.app.matching import SiteFaceMatcher
from postern.app.site import ClockSource
from postern.app.wire import Installation
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Acted, By, Decided, Interrupted, Released, Withdrawn
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, AttemptId, CameraId, CredentialId, PersonId
from postern.core.moment import Moment
from postern.frame import Frame, Reference, Template
from postern.vault.quantise import Quantised
from postern.vault.vault import open_vault
from postern.vision.faces.calibration import REFERENCE_LOOKS
from postern.vision.faces.cohort import Cohort
from postern.vision.faces.load import load_calibration, load_cohort
from postern.vision.faces.match import FaceMatcher
from tests.clocks import SteppedClock
from tests.media import write_picture
from tests.people import ALICE, GARAGE, PERSONS, consent, credential, moment
from tests.store.samples import BLOB

SITE = """\
[site]
name = "Garage"
retention_days = 30

[camera.lane]
kind = "file"
path = "lane.png"
sees = "plate"

[camera.entrance]
kind = "v4l"
sees = "face"

[actuator.boom]
kind = "simulated"

[access_point.barrier]
cameras = ["lane"]
actuator = "boom"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    write_picture(tmp_path / "lane.png", 1)
    with wire.open_site(wire.read_site(tmp_path / "site.toml")) as installation:
        yield installation


class Nobody:
    """Watches and says nothing."""

    def ended(self, outcome: object) -> None: ...

    def health(self, camera: CameraId, state: str, sentence: str) -> None: ...


class Telling(Nobody):
    """Remembers who is well."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        self.states.append((camera, state))


def test_grant_without_an_answer_is_closed_at_the_next_start(site: Installation) -> None:
    """Once, as interrupted."""
    now = site.clock.now().utc
    place, attempt = AccessPointId("barrier"), AttemptId("cut-short")
    by_hand = AttemptId("cut-short-by-hand")
    site.records.append(Decided(now, place, attempt, Reason.PERMITTED, None, (), 4))
    site.records.append(Released(now, place, by_hand, "guard", ""))
    for _ in range(2):
        with wire.open_service(site, Nobody()):
            pass

    closed = [e.event for e in site.records.list() if isinstance(e.event, Interrupted)]
    assert [by_hand, attempt] == [event.attempt for event in closed]


def test_release_of_a_real_site_is_recorded_and_opens(site: Installation) -> None:
    """Through the same log and actuator as everything else; nothing has to be recognised."""
    with wire.open_service(site, Nobody()) as service:
        assert service.release(AccessPointId("barrier"), "guard", "a parcel").done

    acted, released = (entry.event for entry in site.records.list(limit=2))
    assert isinstance(released, Released)
    assert isinstance(acted, Acted)
    assert released.attempt == acted.attempt


def test_tidy_forgets_what_has_run_out(site: Installation) -> None:
    """Old events lose what they said; whose consent has ended loses the reference and its key."""
    now = site.clock.now().utc
    _enrol(site, expires=now - timedelta(seconds=1))
    old = now - timedelta(days=31)
    site.records.append(
        Decided(old, AccessPointId("barrier"), AttemptId("a"), Reason.PERMITTED, None, (), 4)
    )
    for _ in range(2):
        wire.tidy(site)

    (ended,) = [entry.event for entry in site.records.list()]
    assert isinstance(ended, Withdrawn)
    assert (ALICE, By.EXPIRY) == (ended.person, ended.by)
    assert 0 == site.store.credentials.count_sealed()
    assert (ALICE,) == tuple(person.id for person in site.store.people.all())


def test_damaged_log_keeps_no_face_alive(site: Installation) -> None:
    """Its events cannot expire, which is told; whose consent has ended is forgotten."""
    now = site.clock.now().utc
    _enrol(site, expires=now - timedelta(seconds=1))
    site.records.append(
        Decided(now, AccessPointId("barrier"), AttemptId("a"), Reason.PERMITTED, None, (), 4)
    )
    site.records.settle()
    site.records.append(
        Decided(now, AccessPointId("barrier"), AttemptId("b"), Reason.PERMITTED, None, (), 4)
    )
    tile = next(p for p in (site.site.data / "ledger/tile/0").rglob("*") if p.is_file())
    tile.write_bytes(bytes(tile.stat().st_size))

    with pytest.raises(PosternError, match="do not fit"):
        wire.tidy(site)
    assert 0 == site.store.credentials.count_sealed()
    assert frozenset() == site.vault.keyed()


def test_service_starts_while_the_log_cannot_be_written(site: Installation) -> None:
    """Entries will stay shut; the way out does not wait for whoever holds the log's turn."""
    told = Telling()
    now = site.clock.now().utc
    place, attempt = AccessPointId("barrier"), AttemptId("cut-short")
    site.records.append(Decided(now, place, attempt, Reason.PERMITTED, None, (), 4))
    with (site.site.data / "ledger/journal/lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        wire.build_service(site, told)
    assert [("ledger", "red")] == told.states

    wire.build_service(site, told)
    closed = [e.event for e in site.records.list() if isinstance(e.event, Interrupted)]
    assert [attempt] == [event.attempt for event in closed]


def test_what_is_secret_does_not_show_where_it_is_printed_by_mistake(site: Installation) -> None:
    """Neither keys nor pictures nor what was made of a face."""
    numbers = np.full(128, 0.4321, np.float32)
    picture = np.full((2, 2, 3), 173, np.uint8)
    for thing, secret in (
        (site, repr(site.signing)),
        (Template(numbers, "m", 1), "0.4321"),
        (Quantised(np.full(128, 117, np.int8), np.float32(1)), "117"),
        (Frame(CameraId("lane"), picture, moment(), 0), "173"),
    ):
        assert secret not in repr(thing)


def test_attack_clock_at_the_end_of_time_erases_nobody(site: Installation) -> None:
    """A calendar that cannot be right is no reason to forget."""
    now = site.clock.now().utc
    _enrol(site, expires=now + timedelta(days=300))
    far = SteppedClock()
    far.advance(60 * 365 * 86400.0)
    wire.tidy(replace(site, clock=far))

    assert 1 == site.store.credentials.count_sealed()


def test_calendar_that_stepped_erases_nobody(site: Installation) -> None:
    """Ahead by less than what would be noticed in the log, and past the end of her consent."""
    now = site.clock.now().utc
    _enrol(site, expires=now + timedelta(days=5))
    offset, told = [0.0], []

    def read() -> Reading:
        return Reading(now + timedelta(seconds=offset[0]), 1000.0, False)

    trust = ClockTrust(ClockSource.RTC, lambda *said: told.append(said), read)
    assert trust.look()
    offset[0] = timedelta(days=10).total_seconds()
    later = replace(site, clock=Fixed(Moment(now + timedelta(days=10), 0.0)))
    point = site.site.access_points[AccessPointId("barrier")]
    register = wire.build_register(later, trust.trusted)

    wire.tidy(later, trusted=trust.trusted)
    assert 1 == site.store.credentials.count_sealed()
    assert not register.known(point, later.clock.now()).state.clock_trusted
    offset[0] = 0.0
    assert register.known(point, site.clock.now()).state.clock_trusted
    assert ["red", "ok"] == [state for _, state, _ in told]
    # The same, where nobody looks for steps.
    wire.tidy(later)
    assert 0 == site.store.credentials.count_sealed()


def test_calendar_that_leapt_erases_nobody_before_it_was_noticed(site: Installation) -> None:
    """A battery that failed, two years ahead: it is said, and a day later it counts."""
    now = site.clock.now().utc
    _enrol(site, expires=now + timedelta(days=300))
    site.records.append(
        Decided(now, AccessPointId("barrier"), AttemptId("a"), Reason.PERMITTED, None, (), 4)
    )
    later = replace(site, clock=Fixed(Moment(now + timedelta(days=730), 0.0)))

    with pytest.raises(PosternError, match="long after anything that is recorded") as doubted:
        wire.tidy(later, noticed=False)
    assert Code.UNAVAILABLE is doubted.value.code
    assert 1 == site.store.credentials.count_sealed()
    wire.tidy(later, noticed=True)
    assert 0 == site.store.credentials.count_sealed()


@dataclass(frozen=True)
class Fixed:
    """A clock that stands still."""

    at: Moment

    def now(self) -> Moment:
        return self.at


def test_one_service_at_a_time_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    """The lock goes with the process, or with the end of the block."""
    with on_duty(tmp_path):
        with pytest.raises(PosternError, match="already") as refused, on_duty(tmp_path):
            pass
        assert Code.CONFLICT is refused.value.code
    with on_duty(tmp_path):
        pass


def test_unknown_camera_is_refused_with_the_known_ones(site: Installation) -> None:
    """By its name."""
    with pytest.raises(PosternError) as refused:
        wire.open_source(site, CameraId("lnae"))

    assert Code.NOT_FOUND is refused.value.code
    assert "lane, entrance" in refused.value.hint


def test_recordings_are_tried_and_live_cameras_left_alone(site: Installation) -> None:
    """A live camera may be in use; a recording that is gone is told."""
    place = site.site
    assert (None, None) == tuple(wire.try_recording(place, name) for name in place.cameras)
    (place.file.parent / "lane.png").unlink()

    fault = wire.try_recording(place, CameraId("lane"))
    assert fault is not None
    assert Code.NOT_FOUND is fault.code


def test_least_bounds_name_what_faces_and_plates_can_prove(site: Installation) -> None:
    """The tables' floor for faces; for plates a few in a million, more for the shortest."""
    van = GARAGE[0]
    site.store.vehicles.add(van)
    least = wire.least_bounds(site, [van.id])

    assert load_calibration("dlib").floor == least[Factor.FACE]
    assert 1e-6 < least[Factor.PLATE] < 1e-5
    assert not wire.has_store(wire.read_site(_elsewhere(site)))


def test_site_matcher_says_what_the_plain_matcher_says(tmp_path: Path) -> None:
    """Turning everything alike changes no bound but by what was rounded away."""
    calibration, cohort = load_calibration("dlib"), load_cohort("dlib")
    vault = open_vault(tmp_path)
    drawn = np.random.default_rng(2).multivariate_normal(cohort.mean(0), np.cov(cohort.T), 6)
    vectors = drawn.astype(np.float32)
    plain, sealed = [], []
    for at, vector in enumerate(vectors):
        name, person = CredentialId(f"c-{at}"), PersonId(f"p-{at}")
        template = Template(vector, calibration.embedder, REFERENCE_LOOKS)
        plain.append(Reference(name, person, template))
        sealed.append(Reference(name, person, vault.open(vault.seal(name, person, template))))
    probe = (Template(vectors[0] + 0.02, calibration.embedder, 1),)

    apart = FaceMatcher(calibration, Cohort(cohort)).match(probe, tuple(plain), moment())
    turned = SiteFaceMatcher(vault, calibration, cohort).match(probe, tuple(sealed), moment())

    assert [one.holder for one in apart][:1] == [one.holder for one in turned][:1] == ["p-0"]
    found = {one.holder: one.p for one in turned}
    for one in apart:
        assert one.p == pytest.approx(found[one.holder], rel=0.5)
    vault.close()


def _enrol(site: Installation, expires: object) -> None:
    """Alice, with a consent that was given long ago."""
    (alice,) = (person for person in PERSONS if person.id == ALICE)
    given = consent(ALICE, expires=expires)  # type: ignore[arg-type]
    site.store.people.add(alice)
    site.store.consents.add(given)
    site.store.credentials.add(credential(Factor.FACE, ALICE), now=given.given, sealed=BLOB)


def _elsewhere(site: Installation) -> Path:
    """The same file where nothing was ever kept."""
    folder = site.site.file.parent / "elsewhere"
    folder.mkdir()
    copy = folder / "site.toml"
    copy.write_text(SITE, "utf-8")
    return copy
