"""Who may be recognised: read again exactly when something changed."""

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from postern.app.register import StoredRegister
from postern.app.rekey import rekey
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, Holder, OrderId
from postern.core.look import Kind
from postern.core.mode import Mode, Order
from postern.core.person import Person
from postern.engine.ports import Known
from postern.frame import Template
from postern.store.store import Store, open_store
from postern.store.throttles import WAIT
from postern.vault.vault import Vault, open_vault
from postern.vision.plates.match import PlateMatcher
from tests.people import (
    ALICE,
    BARRIER,
    DAY,
    DOOR,
    ERIN,
    FACE,
    GARAGE,
    NOW,
    PERSONS,
    PLACES,
    PLATE,
    VAN,
    WAY_OUT,
    consent,
    credential,
    moment,
    permit,
)

MODEL = "ab" * 32
PEOPLE = tuple(person for person in PERSONS if person.id in (ALICE, ERIN))


@dataclass
class Office:
    """A site with Alice and Erin by face and the van by its plate."""

    folder: Path
    store: Store
    vault: Vault
    register: StoredRegister
    trusted: bool = True

    def known(self, seconds: float = 0.0) -> Known:
        """What is known at the door, so many seconds after noon."""
        return self.register.known(DOOR, moment(seconds))

    def faces(self, seconds: float = 0.0) -> set[Holder]:
        """Whose faces may be compared there."""
        return {one.holder for one in self.known(seconds).references[Kind.FACE]}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store, vault = open_store(tmp_path), open_vault(tmp_path)
    for person in PEOPLE:
        enrol(store, vault, person)
    van = next(one for one in GARAGE if one.id == VAN)
    store.vehicles.add(van)
    store.credentials.add(credential(Factor.PLATE, VAN), now=NOW)
    store.permits.add(permit(ALICE, ERIN, name="staff", liveness=False))
    store.permits.add(permit(VAN, name="van", factors=(PLATE,), liveness=False))
    register = StoredRegister(store, vault, PlateMatcher("m").reference, lambda _: made.trusted)
    made = Office(tmp_path, store, vault, register)
    yield made
    vault.close()
    store.close()


def enrol(store: Store, vault: Vault, person: Person) -> None:
    """Keeps a person with their consent and a face that is nobody else's."""
    store.people.add(person)
    store.consents.add(consent(person.id))
    vector = np.random.default_rng(list(person.id.encode())).normal(size=128).astype(np.float32)
    face = credential(Factor.FACE, person.id)
    sealed = vault.seal(face.id, person.id, Template(vector, MODEL, 3))
    store.credentials.add(face, now=NOW, sealed=sealed.blob)


def test_known_names_who_holds_a_permit_here(office: Office) -> None:
    """Permits, opened faces and plates of this access point."""
    known = office.known()

    assert {"staff", "van"} == {one.id for one in known.permits}
    assert {ALICE, ERIN} == office.faces()
    assert [VAN] == [one.holder for one in known.references[Kind.PLATE]]


def test_known_asks_the_store_nothing_while_nothing_changed(office: Office) -> None:
    """The same object comes back, and not one query but the counter's was made."""
    before = office.known()
    with _Queries() as asked:
        again = [office.known(at / 10) for at in range(20)]

    assert all(one is before for one in again)
    assert [] == asked


def test_known_is_the_same_for_each_access_point_by_itself(office: Office) -> None:
    """What is known at one door is not given at another."""
    at_door = office.known()
    at_barrier = office.register.known(BARRIER, moment())

    assert BARRIER.id == at_barrier.state.access_point.id
    assert at_door is office.known()


def test_withdrawal_by_another_process_counts_at_the_next_look(office: Office) -> None:
    """The reference is gone although this process read it a moment before."""
    assert {ALICE, ERIN} == office.faces()
    with open_store(office.folder) as store:
        other = open_vault(office.folder, store.credentials.count_sealed())
        store.consents.withdraw(consent(ALICE).id, NOW, other.destroy)
        other.close()

    assert {ERIN} == office.faces(0.1)
    assert ALICE not in {one.holder for one in office.known(0.2).state.credentials.values()}


def test_withdrawal_in_this_process_counts_at_the_next_look(office: Office) -> None:
    """Also where the change came through the very store that is read."""
    office.known()
    office.store.consents.withdraw(consent(ALICE).id, NOW, office.vault.destroy)

    assert {ERIN} == office.faces()


def test_keys_destroyed_by_another_process_count_at_the_next_look(office: Office) -> None:
    """Also where the store's row was not reached any more: the opened face is dropped."""
    assert {ALICE, ERIN} == office.faces()
    other = open_vault(office.folder, office.store.credentials.count_sealed())
    other.erase(ALICE)
    other.close()

    assert {ERIN} == office.faces(0.1)


def test_rekeying_by_another_process_changes_nothing(office: Office) -> None:
    """Everybody is still known, in the axes that this process turns its probes to."""
    before = {one.holder: one.template.values for one in office.known().references[Kind.FACE]}
    with open_store(office.folder) as store:
        other = open_vault(office.folder, store.credentials.count_sealed())
        assert 2 == rekey(store, other, lambda _: None).renewed
        other.close()

    after = {one.holder: one.template.values for one in office.known(0.1).references[Kind.FACE]}
    assert {ALICE, ERIN} == before.keys() == after.keys()
    for holder, values in before.items():
        assert values is not after[holder]
        apart = values.astype(np.float32) - after[holder].astype(np.float32)
        assert np.abs(apart).max() < 1e-3


def test_new_permits_and_people_count_at_the_next_look(office: Office) -> None:
    """What is added is seen as what is taken away."""
    office.known()
    carol = next(one for one in PERSONS if one.name == "Carol")
    enrol(office.store, office.vault, carol)
    office.store.permits.add(permit(carol.id, name="carol", liveness=False))
    assert {ALICE, ERIN, carol.id} == office.faces()

    office.store.permits.remove(permit(carol.id, name="carol").id)
    assert {ALICE, ERIN} == office.faces()


def test_consent_that_ends_while_running_counts_at_once(office: Office) -> None:
    """No change in the store is needed: the clock is enough."""
    ends_s = (consent(ALICE).expires - NOW).total_seconds()
    assert ALICE in office.faces(ends_s - 0.1)

    assert set() == office.faces(ends_s)


def test_credential_that_begins_or_ends_counts_at_once(office: Office) -> None:
    """Also where consent stands on."""
    later = credential(Factor.FACE, ALICE, name=CredentialId("later"), valid_from=NOW + 0.5 * DAY)
    vector = np.ones(128, np.float32)
    sealed = office.vault.seal(later.id, ALICE, Template(vector, MODEL, 3))
    office.store.credentials.add(later, now=NOW, sealed=sealed.blob)
    day_s = DAY.total_seconds()
    assert 2 == len(office.known().references[Kind.FACE])

    assert 3 == len(office.known(day_s / 2).references[Kind.FACE])


def test_attack_clock_stepped_back_is_read_again(office: Office) -> None:
    """What was read at a later time says nothing about an earlier one."""
    ends_s = (consent(ALICE).expires - NOW).total_seconds()
    assert set() == office.faces(ends_s + 1)

    assert {ALICE, ERIN} == office.faces()


def test_clock_that_is_no_longer_trusted_is_told(office: Office) -> None:
    """The state says so at the next look."""
    assert office.known().state.clock_trusted
    office.trusted = False

    assert not office.known().state.clock_trusted


def test_references_stay_the_same_object_over_changes_elsewhere(office: Office) -> None:
    """An event does not make every face be prepared anew, nor does somebody new."""
    before = office.known().references
    office.store.people.rename(replace(PEOPLE[0], name="Alicia"))
    assert before is office.known().references
    office.store.people.add(PERSONS[1])
    office.store.permits.add(permit(PERSONS[1].id, name="new", liveness=False))
    after = office.known().references

    assert before is not after
    assert before[Kind.FACE] is after[Kind.FACE]
    assert before[Kind.PLATE] is after[Kind.PLATE]


def test_who_may_pass_is_not_read_again_where_something_else_was_changed(office: Office) -> None:
    """Somebody went in, somebody signed in: a door may have tens of thousands of permits."""
    before = office.known()
    office.register.passed(DOOR, (ALICE,), NOW)
    office.store.people.rename(replace(PEOPLE[0], name="Alicia"))
    with _Queries() as asked:
        after = office.known()

    assert (before.permits, before.references) == (after.permits, after.references)
    assert before.permits is after.permits
    assert {ALICE: NOW} == after.state.inside
    assert [] == [one for one in asked if re.search(r"FROM (permits|credentials|consents)", one)]
    assert asked


def test_what_is_known_is_what_would_be_read_anew(office: Office) -> None:
    """Whatever was changed, in whatever order, by this program or another, and whenever."""
    random, seconds = Random(7), 0.0  # noqa: S311 - the same changes every time
    with closing(open_store(office.folder)) as elsewhere:
        for step in range(300):
            store = random.choice((office.store, elsewhere))
            with suppress(PosternError, IndexError):  # What is gone cannot be taken away again.
                random.choice(_CHANGES)(store, office, random, step)
            office.trusted = random.random() < 0.9
            seconds += random.choice((0.0, 1.0, 3600.0, -1800.0))
            anew = StoredRegister(
                office.store, office.vault, PlateMatcher("m").reference, lambda _: office.trusted
            )
            for point in (DOOR, BARRIER):
                read = anew.known(point, moment(seconds))
                kept = office.register.known(point, moment(seconds))
                assert read.permits == kept.permits, step
                assert read.state == kept.state, step
                assert _named(read) == _named(kept), step
    assert {"permit-", "credential", "consent"} <= _DONE


#: What the changes below did, so that none of them can be in vain all the time.
_DONE: set[str] = set()


def _named(known: Known) -> dict[Kind, list[tuple[CredentialId, Holder]]]:
    return {
        kind: [(one.credential, one.holder) for one in found]
        for kind, found in known.references.items()
    }


def _new_permit(store: Store, _office: Office, random: Random, step: int) -> None:
    places = random.choice((frozenset({DOOR.id}), frozenset({BARRIER.id}), PLACES))
    holder = random.choice((ALICE, ERIN, VAN))
    factors = (PLATE,) if holder == VAN else (FACE,)
    store.permits.add(permit(holder, name=f"p{step}", at=places, factors=factors, liveness=False))


def _no_permit(store: Store, _office: Office, random: Random, _step: int) -> None:
    store.permits.remove(random.choice(store.permits.all()).id)
    _DONE.add("permit-")


def _other_permit(store: Store, _office: Office, random: Random, _step: int) -> None:
    one = random.choice(store.permits.all())
    store.permits.replace(replace(one, max_false_accept=random.choice((1e-3, 1e-4, 1e-5))))


def _switch(store: Store, _office: Office, random: Random, _step: int) -> None:
    holder = random.choice((ALICE, ERIN))
    name = credential(Factor.FACE, holder).id
    store.credentials.enable(name, enabled=random.random() < 0.5)
    _DONE.add("credential")


def _withdraw(store: Store, office: Office, random: Random, step: int) -> None:
    if step > 150:
        holder = random.choice((ALICE, ERIN))
        store.consents.withdraw(consent(holder).id, NOW, office.vault.destroy)
        _DONE.add("consent")


def _passed(_store: Store, office: Office, random: Random, _step: int) -> None:
    point = random.choice((DOOR, BARRIER, WAY_OUT))
    office.register.passed(point, (random.choice((ALICE, ERIN, VAN)),), NOW)


def _failed(_store: Store, office: Office, random: Random, _step: int) -> None:
    office.register.failed(random.choice((DOOR, BARRIER)), ALICE, NOW)


def _ordered(store: Store, _office: Office, random: Random, step: int) -> None:
    until = NOW + random.choice((DAY, 30 * DAY, DAY / 24))
    store.modes.add(
        Order(
            OrderId(f"o{step}"), Mode.LOCKDOWN, frozenset({DOOR.id}), "guard", "a test", NOW, until
        )
    )


def _lifted(store: Store, _office: Office, random: Random, _step: int) -> None:
    store.modes.end(random.choice(store.modes.all()).id)


def _vehicle_gone(store: Store, _office: Office, _random: Random, step: int) -> None:
    if step > 250:
        store.vehicles.remove(VAN)


def _named_otherwise(store: Store, _office: Office, random: Random, step: int) -> None:
    store.people.rename(replace(random.choice(PEOPLE), name=f"Somebody {step}"))


_CHANGES = (
    _new_permit, _no_permit, _other_permit, _switch, _withdraw, _passed, _failed, _ordered, _lifted,
    _vehicle_gone, _named_otherwise,
)  # fmt: skip


def test_one_damaged_reference_keeps_nobody_else_out(office: Office) -> None:
    """A reference whose key was destroyed is left out."""
    office.vault.erase(ALICE)

    assert {ERIN} == office.faces()


def test_keys_that_cannot_be_read_now_leave_nobody_out_for_good(office: Office) -> None:
    """The look fails, and the next one succeeds."""
    vault: Any = _Blocked(office.vault)
    broken = StoredRegister(office.store, vault, PlateMatcher("m").reference, lambda _: True)
    with pytest.raises(PosternError, match="later"):
        broken.known(DOOR, moment())

    assert 2 == len(broken.known(DOOR, moment()).references[Kind.FACE])


def test_passing_counts_the_area(office: Office) -> None:
    """In by an entry, out by an exit; what is known says so at once."""
    office.known()
    office.register.passed(DOOR, (ALICE,), NOW)
    assert (1, {ALICE: NOW}) == (office.known().state.occupancy, office.known().state.inside)

    office.register.passed(WAY_OUT, (ALICE,), NOW)
    assert 0 == office.known().state.occupancy


def test_passing_is_noted_at_once(office: Office) -> None:
    """One transaction: a lane that waits for the store waits once."""
    commits: list[object] = []
    heard = commits.append
    event.listen(Engine, "commit", heard)
    try:
        office.register.passed(DOOR, (ALICE, VAN), NOW)
    finally:
        event.remove(Engine, "commit", heard)
    assert 1 == len(commits)


def test_failed_claims_make_their_holder_wait_until_they_pass(office: Office) -> None:
    """At that door alone; the fifth in a row begins the wait, and being let in ends the row."""
    for _ in range(4):
        office.register.failed(DOOR, ALICE, NOW)
    assert {} == office.known().state.throttled
    office.register.failed(DOOR, ALICE, NOW)
    assert {ALICE: NOW + WAIT} == office.known().state.throttled
    assert {} == office.register.known(BARRIER, moment()).state.throttled

    office.register.passed(DOOR, (ALICE,), NOW)
    assert {} == office.known().state.throttled
    office.register.failed(DOOR, ALICE, NOW)
    assert {} == office.known().state.throttled


class _Blocked:
    """A vault whose keys are locked the first time."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._blocked = True

    def version(self) -> int:
        return self._vault.version()

    def open(self, sealed: Any) -> Template:
        if self._blocked:
            self._blocked = False
            raise PosternError(Code.UNAVAILABLE, "Come back later.")
        return self._vault.open(sealed)


class _Queries:
    """Every statement that reaches SQLite through SQLAlchemy inside."""

    def __enter__(self) -> list[str]:
        self._asked: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._note)
        return self._asked

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)

    def _note(self, *given: object) -> None:
        self._asked.append(str(given[2]))
