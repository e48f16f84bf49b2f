"""Taking somebody into the records: asked once for each mode, all of it or nothing, no roster over
its cap."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from postern.actuators import KINDS as ACTUATORS
from postern.app.config import load
from postern.app.consent_text import agreed_text
from postern.app.enrolment import Applicant, Enrolments
from postern.app.passes import IssuedPass, Passes, pass_seed
from postern.app.roster import CAP, check_room, roster
from postern.app.site import ConsentTerms, Roster
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.event import Consented, Enrolled, Event, Revoked
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, CredentialId, EventId, PersonId
from postern.core.person import Person
from postern.frame import Template
from postern.sources import KINDS as SOURCES
from postern.store.store import open_store
from postern.vault.seal import Sealed
from postern.vault.vault import KEYRING_FILE, open_vault
from tests.app.notebook import Notebook
from tests.app.test_config import MINIMAL, write
from tests.people import DAY, NOW, consent, credential
from tests.store.samples import BLOB

BARRIER = AccessPointId("barrier")
ZOE = Person(PersonId("p-zoe"), "Zoe")
LOOKS = Template(np.linspace(-1, 1, 128, dtype=np.float32), "ab" * 32, 3)
ZOES = Applicant(ZOE, StorageMode.ROSTER, frozenset({BARRIER}))


@pytest.fixture
def enrolments(tmp_path: Path) -> Iterator[Enrolments]:
    site = replace(
        load(write(tmp_path, MINIMAL), SOURCES, ACTUATORS, {}),
        roster=Roster("Six people live here, and no one else."),
    )
    with open_store(tmp_path / "data") as store:
        vault, notebook = open_vault(tmp_path / "data"), Notebook()
        passes = Passes(store, vault, notebook, pass_seed(bytes(32)))
        yield Enrolments(site, store, vault, notebook, lambda: passes)
        vault.close()


def test_who_agrees_is_kept_with_what_they_agreed_to(enrolments: Enrolments) -> None:
    """Person, consent, its text, the sealed reference, and two events, the first of them told."""
    assert enrolments.check(ZOES, NOW) is None
    kept = enrolments.keep(ZOES, LOOKS, NOW)
    store = enrolments.store

    assert (kept.consent,) == store.consents.of(ZOE.id)
    assert (StorageMode.ROSTER, ZOES.places) == (kept.consent.mode, kept.consent.places)
    assert NOW + 365 * DAY == kept.consent.expires
    assert agreed_text(kept.consent, "de", store.consent_texts)
    (face,) = store.credentials.of(ZOE.id)
    assert (StorageMode.ROSTER, None) == (face.mode, kept.issued)
    consented, enrolled = _events(enrolments)
    assert Consented(NOW, kept.consent.id, ZOE.id, "1") == consented
    assert Enrolled(NOW, face.id, ZOE.id) == enrolled
    assert "0" == kept.event
    assert {ZOE.id} == roster(store, BARRIER, NOW)


def test_new_looks_replace_the_earlier_ones_under_the_same_consent(
    enrolments: Enrolments,
) -> None:
    """Nobody is asked twice; the earlier reference and its key are gone, and an event says so."""
    first = enrolments.keep(ZOES, LOOKS, NOW)
    store, vault = enrolments.store, enrolments.vault
    (before,) = _references(enrolments)
    assert vault.open(before)
    assert first.consent == enrolments.check(ZOES, NOW + DAY)
    second = enrolments.keep(ZOES, replace(LOOKS, values=LOOKS.values[::-1].copy()), NOW + DAY)

    assert (first.consent, None) == (second.consent, second.event)
    assert (first.consent,) == store.consents.of(ZOE.id)
    (after,) = _references(enrolments)
    assert vault.open(after)
    with pytest.raises(PosternError, match="destroyed"):
        vault.open(before)
    assert Revoked(NOW + DAY, before.credential, ZOE.id) == _events(enrolments)[-1]


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_a_pass_is_issued_with_the_consent_and_ends_with_it(
    enrolments: Enrolments, mode: StorageMode
) -> None:
    """The site keeps its key; the reference only where it needs the holder's share to be opened."""
    kept = enrolments.keep(replace(ZOES, mode=mode), LOOKS, NOW)
    store = enrolments.store

    assert kept.issued is not None
    ends, zone = kept.issued.until.astimezone(enrolments.site.zone), enrolments.site.zone
    assert (0, 0, 0) == (ends.hour, ends.minute, ends.second)
    assert kept.consent.expires.astimezone(zone).date() == ends.date()
    factors = {one.factor: one for one in store.credentials.of(ZOE.id)}
    assert mode is factors[Factor.FACE].mode
    assert Factor.PASS in factors
    assert (0 if mode is StorageMode.PASS else 1) == len(_references(enrolments))
    assert [Consented, Enrolled, Enrolled] == [type(event) for event in _events(enrolments)]
    assert frozenset() == roster(store, BARRIER, NOW)


def test_a_new_pass_ends_the_former_one(enrolments: Enrolments) -> None:
    """Its key is gone, whoever has found it, and nobody is asked again."""
    applicant = replace(ZOES, mode=StorageMode.PASS)
    first = enrolments.keep(applicant, LOOKS, NOW)
    second = enrolments.keep(applicant, LOOKS, NOW + DAY)
    assert first.issued is not None
    assert second.issued is not None

    assert (first.consent, None) == (second.consent, second.event)
    keyed = enrolments.vault.keyed()
    assert (ZOE.id, second.issued.face.id) in keyed
    assert (ZOE.id, first.issued.face.id) not in keyed


@pytest.mark.parametrize("mode", StorageMode)
def test_what_cannot_be_recorded_leaves_nothing_behind(
    enrolments: Enrolments, mode: StorageMode
) -> None:
    """Neither person, consent, text nor reference, nor a key that opens nothing."""

    class Full(Notebook):
        def append(self, event: object) -> EventId:
            if isinstance(event, Enrolled):
                raise PosternError(Code.UNAVAILABLE, "The disk is full.")
            return EventId("0")

    full = Full()
    passes = replace(enrolments.passes(), ledger=full)
    failing = replace(enrolments, ledger=full, passes=lambda: passes)
    with pytest.raises(PosternError, match="full"):
        failing.keep(replace(ZOES, mode=mode), LOOKS, NOW)

    assert () == failing.store.people.all()
    assert () == failing.store.consents.all()
    assert failing.store.consent_texts.find("1", "en") is None
    assert frozenset() == failing.vault.keyed()


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_pass_that_cannot_be_written_enrols_nobody(
    enrolments: Enrolments, mode: StorageMode
) -> None:
    """It is written before anything is kept."""

    def meets_a_full_disk(_: IssuedPass) -> AbstractContextManager[None]:
        raise PosternError(Code.UNAVAILABLE, "The disk is full.")

    with pytest.raises(PosternError, match="full"):
        enrolments.keep(replace(ZOES, mode=mode), LOOKS, NOW, meets_a_full_disk)

    assert () == enrolments.store.people.all()
    assert frozenset() == enrolments.vault.keyed()
    assert [] == _events(enrolments)


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.ROSTER])
def test_enrolment_is_told_of_where_the_former_keys_are_being_read(
    enrolments: Enrolments, tmp_path: Path, mode: StorageMode
) -> None:
    """By another program: it counts all the same, and so does its pass."""
    applicant = replace(ZOES, mode=mode)
    first = enrolments.keep(applicant, LOOKS, NOW)
    with closing(sqlite3.connect(tmp_path / "data" / KEYRING_FILE)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM keys").fetchall()
        second = enrolments.keep(applicant, LOOKS, NOW + DAY)

    assert (True, False) == (first.swept, second.swept)
    assert (mode is StorageMode.PASS) is (second.issued is not None)
    assert 1 == len(enrolments.vault.keyed())


@pytest.mark.parametrize("ended", ["withdrawn", "expired", "elsewhere", "other mode"])
def test_who_has_no_consent_for_this_is_asked_anew(enrolments: Enrolments, ended: str) -> None:
    """Whatever it is that the earlier consent lacks."""
    enrolments.store.people.add(ZOE)
    given = replace(consent(ZOE.id), places=frozenset({BARRIER}))
    lacking = {
        "withdrawn": replace(given, withdrawn=NOW - DAY),
        "expired": replace(given, expires=NOW),
        "elsewhere": replace(given, places=frozenset({AccessPointId("door")})),
        "other mode": replace(given, mode=StorageMode.PASS),
    }
    enrolments.store.consents.add(lacking[ended])

    assert enrolments.check(ZOES, NOW) is None
    kept = enrolments.keep(ZOES, LOOKS, NOW)
    assert kept.consent.id != given.id
    assert 2 == len(enrolments.store.consents.of(ZOE.id))


def test_a_roster_without_a_justification_takes_nobody(enrolments: Enrolments) -> None:
    """Not even where one person's enrolment asks for it."""
    without = replace(enrolments, site=replace(enrolments.site, roster=Roster(None)))
    for call in (lambda: without.check(ZOES, NOW), lambda: without.keep(ZOES, LOOKS, NOW)):
        with pytest.raises(PosternError) as refused:
            call()
        assert Code.UNAUTHORIZED is refused.value.code
        assert "[roster]" in refused.value.hint
    assert () == without.store.people.all()


def test_a_text_that_changed_under_its_version_enrols_nobody(enrolments: Enrolments) -> None:
    """The next person would agree to something else under the same name."""
    enrolments.keep(ZOES, LOOKS, NOW)
    terms = ConsentTerms(purpose="To count you.")
    changed = replace(enrolments, site=replace(enrolments.site, consent=terms))
    yan = replace(ZOES, person=Person(PersonId("p-yan"), "Yan"))
    with pytest.raises(PosternError, match="changed") as refused:
        changed.keep(yan, LOOKS, NOW)

    assert Code.CONFLICT is refused.value.code
    assert (ZOE,) == changed.store.people.all()


def test_a_roster_takes_as_many_as_its_cap_and_nobody_more(enrolments: Enrolments) -> None:
    """Nobody is asked, no permit is made; who is on it already may renew their looks."""
    people = _fill(enrolments, CAP - 1)
    enrolments.keep(ZOES, LOOKS, NOW)
    assert CAP == len(roster(enrolments.store, BARRIER, NOW))
    yan = replace(ZOES, person=Person(PersonId("p-yan"), "Yan"))

    with pytest.raises(PosternError, match="500") as refused:
        enrolments.check(yan, NOW)
    assert Code.CONFLICT is refused.value.code
    enrolments.check(ZOES, NOW)
    enrolments.check(replace(yan, places=frozenset({AccessPointId("door")})), NOW)
    check_room(enrolments.store, [BARRIER], [people[0], ZOE.id], NOW)
    with pytest.raises(PosternError, match="501"):
        check_room(enrolments.store, [BARRIER], [yan.person.id], NOW)

    # One leaves, and there is room.
    enrolments.store.people.remove(people[0], enrolments.vault.erase)
    enrolments.check(yan, NOW)


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_people_with_other_modes_are_on_no_roster(
    enrolments: Enrolments, mode: StorageMode
) -> None:
    """They are compared with nobody but themselves."""
    enrolments.store.people.add(ZOE)
    enrolments.store.consents.add(replace(consent(ZOE.id), mode=mode, places=ZOES.places))
    face = credential(Factor.FACE, ZOE.id, mode=mode)
    sealed = None if mode is StorageMode.PASS else BLOB
    enrolments.store.credentials.add(face, now=NOW, sealed=sealed)

    assert frozenset() == roster(enrolments.store, BARRIER, NOW)


def _fill(enrolments: Enrolments, count: int) -> list[PersonId]:
    """So many people on the roster, written as fast as may be."""
    people = [PersonId(f"p-{at}") for at in range(count)]
    with enrolments.store.together():
        for person in people:
            enrolments.store.people.add(Person(person, "Somebody"))
            given = replace(consent(person), id=ConsentId(f"c-{person}"), places=ZOES.places)
            enrolments.store.consents.add(given)
            face = credential(Factor.FACE, person, name=CredentialId(f"face-{person}"))
            enrolments.store.credentials.add(face, now=NOW, sealed=BLOB)
    return people


def _events(enrolments: Enrolments) -> list[Event]:
    assert isinstance(enrolments.ledger, Notebook)
    return enrolments.ledger.events


def _references(enrolments: Enrolments) -> list[Sealed]:
    """Everything that is sealed at the site, opened or not."""
    store = enrolments.store
    with store._database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT id, holder, sealed FROM credentials WHERE sealed IS NOT NULL"
        ).all()
    return [Sealed(CredentialId(c), PersonId(p), blob) for c, p, blob in rows]
