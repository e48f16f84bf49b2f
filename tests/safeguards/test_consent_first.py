"""Safeguard: no reference without live consent; taking it back counts from the next attempt on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import av
import numpy as np
import pytest
from sqlalchemy import delete

from postern.app.clock import SystemClock
from postern.app.enrolment import Applicant
from postern.app.register import StoredRegister
from postern.app.wire import Installation, enrolments
from postern.cli.demo.barrier import Visit
from postern.cli.demo.clip import FPS, write
from postern.cli.demo.door import VISIT_S, Portrait
from postern.cli.demo.scene import Cast
from postern.core.consent import StorageMode
from postern.core.decide import decide
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import CameraId, EventId, PersonId
from postern.core.look import Kind
from postern.core.person import Person
from postern.engine.enrol import Presence
from postern.engine.ports import Outcome
from postern.frame import Template
from postern.sources import KINDS
from postern.store.schema import consents
from postern.store.store import Store, open_store
from postern.vault.keyring import KeyName, open_keyring
from postern.vault.vault import KEYRING_FILE, open_vault
from postern.vision.plates.match import PlateMatcher
from tests.app.sealed_site import make_site
from tests.cli.terminal import postern
from tests.demo_site import Watcher, demo_site, played
from tests.people import (
    ALICE,
    BARRIER,
    CAROL,
    DOOR,
    NOW,
    PERSONS,
    attempt,
    consent,
    credential,
    face,
    moment,
)
from tests.store.samples import BLOB

#: Collins comes twice, with only as much of a pause as the door needs to see that she has gone.
TWICE = Cast(at_door=(Portrait.COLLINS, Portrait.COLLINS), at_barrier=(Visit("HD TR 92"),))
ONCE = Cast(at_door=(Portrait.COLLINS,), at_barrier=(Visit("HD TR 92"),))
MODEL = "ab" * 32
#: Kinds of sources that show the present, and how that is known.
LIVE = {
    "rtsp": "the camera that site.toml names sends each picture as it takes it",
    "snapshot": "it is asked for each picture anew, and that is as old as the question",
    "v4l": "the system's own driver takes each picture when it is asked for one",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(tmp_path / "store")
    opened.people.add(next(person for person in PERSONS if person.id == ALICE))
    return opened


@pytest.mark.parametrize(
    "given",
    [
        None,
        replace(consent(ALICE), withdrawn=NOW),
        consent(ALICE, expires=NOW),
        consent(ALICE, given=NOW.replace(year=NOW.year + 1), expires=NOW.replace(year=2100)),
    ],
    ids=["none", "withdrawn", "expired", "of the future"],
)
def test_no_reference_without_a_consent_that_stands(store: Store, given: object) -> None:
    """The store itself refuses; nobody has to remember to ask."""
    if given is not None:
        store.consents.add(given)  # type: ignore[arg-type]
    with pytest.raises(PosternError) as refused:
        store.credentials.add(credential(Factor.FACE, ALICE), now=NOW, sealed=BLOB)

    assert Code.UNAUTHORIZED is refused.value.code
    assert 0 == store.credentials.count_sealed()
    store.close()


LACKS: dict[str, dict[str, Any]] = {
    "withdrawn": {"withdrawn": NOW - timedelta(seconds=1)},
    "run out": {"expires": NOW},
    "yet to begin": {"given": NOW + timedelta(seconds=1)},
    "elsewhere": {"places": frozenset({BARRIER.id})},
    "on a pass": {"mode": StorageMode.PASS},
    "shared": {"mode": StorageMode.SHARED},
}


@pytest.mark.parametrize("lacking", [None, *LACKS])
def test_no_lane_gets_a_reference_without_a_consent_for_this_place_and_mode(
    tmp_path: Path, lacking: str | None
) -> None:
    """The reference, its key and a permit are there; only the consent is not the right one.

    So the lane has nothing to compare with, and were the face to match all the same it is denied.
    """
    site = make_site(tmp_path)
    changes = LACKS[lacking] if lacking else {}
    with site.store._database.writing() as connection:
        connection.execute(delete(consents).where(consents.c.person == ALICE))
    site.store.consents.add(replace(consent(ALICE), **changes))
    plates = PlateMatcher("any")
    register = StoredRegister(site.store, site.vault, plates.reference, lambda _: True)
    known = register.known(DOOR, moment())
    site.close()

    loaded = {one.holder for one in known.references[Kind.FACE]}
    assert CAROL in loaded
    decision = decide(attempt(face(ALICE)), known.permits, known.state, moment())
    assert (lacking is None) is (ALICE in loaded)
    assert (lacking is None) is decision.granted, decision.reason


#: What each kind of source cannot do without; nothing of it is reached for.
SETTINGS: dict[str, dict[str, object]] = {
    "file": {"path": Path("lane.mp4")},
    "rtsp": {"url": "rtsp://192.168.1.20/stream"},
    "snapshot": {"url": "http://192.168.1.20/picture.jpg"},
    "v4l": {},
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_only_a_live_camera_enrols(kind: str) -> None:
    """Every kind of source that is not live is refused, whatever kinds there will be. Which are is
    said here, and not by whoever calls itself so."""
    opened = KINDS[kind]
    source = opened.open(opened.config(**SETTINGS[kind]), CameraId("entrance"), SystemClock())
    presence = Presence(throwaway=False)
    assert (kind in LIVE) is source.live
    if kind in LIVE:
        presence.check(source)
        return
    with pytest.raises(PosternError, match="live camera") as refused:
        presence.check(source)
    assert Code.UNAUTHORIZED is refused.value.code


def test_recordings_and_pictures_are_refused_by_the_command(folder: Path) -> None:
    """Before anything is asked or looked at; and a demo's store cannot be slipped in."""
    told = postern("enrol", "Anna", "--camera", "corridor")

    assert 6 == told.code
    assert "live camera" in told.err
    assert "agree" not in told.err
    assert "[]\n" == postern("person", "list", "--json").out

    with open_store(folder / "demo", throwaway=True):
        pass
    site = (folder / "site.toml").read_text("utf-8")
    (folder / "site.toml").write_text(
        site.replace('name = "Garage"', 'name = "Garage"\ndata = "demo"'), "utf-8"
    )
    told = postern("enrol", "Anna", "--camera", "corridor")
    assert 5 == told.code
    assert "demo" in told.err


def test_enrolment_is_kept_with_its_consent_or_not_at_all(
    site: Callable[[Cast], Installation],
) -> None:
    """Purpose, places, text version and expiry, and two events that say so."""
    installation = site(ONCE)
    (given,) = installation.store.consents.of(PersonId("p-demo"))
    terms = installation.site.consent

    assert (terms.purpose, terms.text_version) == (given.purpose, given.text_version)
    assert {"door"} == given.places
    assert terms.valid_days == (given.expires - given.given).days
    kinds = [entry.kind for entry in installation.records.list()]
    assert {"consented", "enrolled"} <= set(kinds)

    # And where it fails, neither name nor consent nor reference nor key is.
    template = Template(np.ones(128, np.float32), MODEL, 3)
    applicant = Applicant(Person(PersonId("p-two"), "Two"), StorageMode.ROSTER, given.places)
    failing = replace(enrolments(installation), ledger=FullDisk())
    before = _keys(installation.site.data)
    with pytest.raises(PosternError, match="full"):
        failing.keep(applicant, template, installation.clock.now().utc)
    assert ["p-demo"] == [person.id for person in installation.store.people.all()]
    assert 1 == installation.store.credentials.count_sealed()
    assert before == _keys(installation.site.data)


def _keys(data: Path) -> set[KeyName]:
    keyring = open_keyring(data / KEYRING_FILE)
    try:
        return set(keyring.names())
    finally:
        keyring.close()


class FullDisk:
    """A ledger that cannot be written."""

    def append(self, event: object) -> EventId:
        raise PosternError(Code.UNAVAILABLE, "The disk is full.")


def test_withdrawal_counts_at_the_next_attempt_while_the_service_runs(
    site: Callable[[Cast], Installation],
) -> None:
    """She is let in, takes her consent back elsewhere, comes again, and the door stays shut."""
    installation = site(TWICE)
    withdrawn = Event()

    def withdraw(outcome: Outcome) -> None:
        if outcome.decision.granted and not withdrawn.is_set():
            _withdraw_elsewhere(installation.site.data)
            withdrawn.set()

    watcher = Watcher(withdraw)
    played(installation, watcher)

    assert withdrawn.is_set()
    at_door = [o for o in watcher.outcomes if o.access_point == "door"]
    first, *later = at_door
    assert first.decision.granted
    assert later
    assert not any(outcome.decision.granted for outcome in later)
    assert 0 == installation.store.credentials.count_sealed()
    # A stranger now: the denial names nobody.
    assert () == at_door[-1].decision.holders


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Opens the demo's site with a cast; closed at the end of the test."""
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))

    def opened(cast: Cast) -> Installation:
        (tmp_path / "demo").mkdir()
        life = demo_site(tmp_path / "demo", cast, _shorten)
        request.addfinalizer(lambda: life.__exit__(None, None, None))
        return life.__enter__()

    return opened


def _withdraw_elsewhere(data: Path) -> None:
    """As another process does: through a store and a vault of its own."""
    with open_store(data, throwaway=True) as store:
        vault = open_vault(data, store.credentials.count_sealed())
        for given in store.consents.of(PersonId("p-demo")):
            store.consents.withdraw(given.id, given.given, vault.destroy)
        vault.close()


def _shorten(folder: Path) -> None:
    """Leaves two seconds of each visit at the door, and what comes after it."""
    with av.open(str(folder / "door.mp4")) as container:
        frames = [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for frame in container.decode(video=0)
        ]
    visit = round(VISIT_S * FPS)
    kept = [at for at in range(len(frames)) if at % visit < 22 or at % visit >= 54]
    write(folder / "door.mp4", iter([frames[at] for at in kept]))
