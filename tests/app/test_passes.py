"""Passes issued, revoked and forgotten; what the site keeps of them, and what it does not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from postern.core.consent import StorageMode
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Enrolled, Event, Revoked
from postern.core.evidence import Factor
from postern.core.ids import EventId, PersonId
from postern.engine.ports import Claim
from postern.vault.passes import Pass
from postern.vault.seal import Sealed
from postern.vault.vault import KEYRING_FILE
from tests.app.pass_office import ENDS, MODES, Office, face, open_office
from tests.people import ALICE, CAROL, DAY, ERIN, NOW

both = pytest.mark.parametrize("person", [ALICE, CAROL])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path / "office") as opened:
        yield opened


@both
def test_issue_keeps_a_pass_and_a_face_until_the_same_time(
    office: Office, person: PersonId
) -> None:
    """Under the handle that the pass tells, each an event."""
    issued = office.issue(person)
    kept = {one.factor: one for one in office.store.credentials.of(person)}

    assert {Factor.PASS: issued.credential, Factor.FACE: issued.face} == kept
    assert {ENDS} == {one.valid_until for one in kept.values()} == {issued.until}
    assert MODES[person] is issued.face.mode
    assert [
        Enrolled(NOW, issued.credential.id, person), Enrolled(NOW, issued.face.id, person)
    ] == office.journal.kept  # fmt: skip


def test_site_keeps_no_reference_that_a_pass_carries(office: Office) -> None:
    """Not a sealed one either, in any file; of the one at the site it keeps the sealed bytes."""
    alice, carol = office.issue(ALICE), office.issue(CAROL)
    carried = office.passes.reader().read(alice.text.encode(), NOW)
    share = office.passes.reader().read(carol.text.encode(), NOW)
    assert isinstance(carried, Pass)
    assert isinstance(share, Pass)
    office.store.close()
    office.vault.close()
    files = b"".join(file.read_bytes() for file in office.folder.iterdir())

    assert carried.content[60:] not in files
    assert share.content not in files
    assert alice.text.encode() not in files
    assert face(ALICE).tobytes() not in files
    assert carol.sealed is not None
    assert carol.sealed in files


def test_pass_shows_nothing_where_it_is_printed_by_mistake(office: Office) -> None:
    """Neither its text nor the key that it was signed with."""
    issued = office.issue(CAROL)

    assert issued.text not in repr(issued)
    assert repr(issued.sealed) not in repr(issued)
    assert repr(office.passes.seed) not in repr(office.passes)


def test_two_passes_have_nothing_in_common(office: Office) -> None:
    """Of one person: handles, keys and contents differ, so that nobody can link them."""
    one, other = office.issue(ALICE), office.issue(ALICE)
    first, second = (
        office.passes.reader().read(text.encode(), NOW) for text in (one.text, other.text)
    )

    assert isinstance(first, Pass)
    assert isinstance(second, Pass)
    assert first.handle != second.handle
    assert first.content[46:] != second.content[46:]


@both
def test_next_pass_revokes_the_one_before_and_destroys_its_key(
    office: Office, person: PersonId
) -> None:
    """Whoever finds the old one holds noise, whatever becomes of the records."""
    old, new = office.issue(person), office.issue(person, now=NOW + DAY)

    assert {(person, new.face.id)} == office.vault.keyed()
    assert [False, True] == [
        office.passes.find(one.credential.id).enabled for one in (old, new)
    ]  # fmt: skip
    assert Revoked(NOW + DAY, old.credential.id, person) in office.journal.kept
    assert [new.face.id] == [
        one.id for one in office.store.credentials.of(person) if one.factor is Factor.FACE
    ]


@both
def test_renewed_pass_is_issued_like_any_other(office: Office, person: PersonId) -> None:
    """A handle and a key of its own; the former's key is gone, and the events say both."""
    old = office.issue(person)
    read = office.passes.reader().read(old.text.encode(), NOW)
    assert isinstance(read, Pass)
    new = office.passes.renew(read, ENDS, NOW + DAY)

    again = office.passes.reader().read(new.text.encode(), NOW + DAY)
    assert isinstance(again, Pass)
    assert read.handle != again.handle
    assert read.content != again.content
    # The very steps that were kept: no second rounding, and a code of the same size.
    assert len(old.text) == len(new.text)
    assert {(person, new.face.id)} == office.vault.keyed()
    assert [False, True] == [office.passes.find(one.credential.id).enabled for one in (old, new)]
    assert [
        Revoked(NOW + DAY, old.credential.id, person),
        Enrolled(NOW + DAY, new.credential.id, person),
        Enrolled(NOW + DAY, new.face.id, person),
    ] == office.journal.kept[2:]


def test_renewal_that_is_not_recorded_leaves_the_pass_as_it_is(office: Office) -> None:
    """The disk was full: what was shown counts on, and no key is left over."""
    old = office.issue(ALICE)
    read = office.passes.reader().read(old.text.encode(), NOW)
    assert isinstance(read, Pass)

    with pytest.raises(PosternError, match="full"):
        replace(office.passes, ledger=_Broken()).renew(read, ENDS, NOW + DAY)

    assert {(ALICE, old.face.id)} == office.vault.keyed()
    assert isinstance(office.shown(old.text), Claim)


@both
def test_pass_is_handed_out_where_the_former_keys_are_being_read(
    office: Office, person: PersonId
) -> None:
    """By another program: the new one counts; the traces go when the site is tidied up."""
    old = office.issue(person)
    with closing(sqlite3.connect(office.folder / KEYRING_FILE)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM keys").fetchall()
        new = office.issue(person)

    assert old.swept
    assert not new.swept
    assert isinstance(office.shown(new.text), Claim)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(old.text)
    office.passes.expire(NOW)
    assert [new.face.id] == [
        one.id for one in office.store.credentials.of(person) if one.factor is Factor.FACE
    ]


@both
def test_revoked_pass_is_one_event_and_its_key_is_gone(office: Office, person: PersonId) -> None:
    """Doing it again changes nothing."""
    issued = office.issue(person)
    read = office.passes.reader().read(issued.text.encode(), NOW)
    assert isinstance(read, Pass)

    assert office.passes.revoke(issued.credential.id, NOW + DAY)
    assert not office.passes.revoke(issued.credential.id, NOW + DAY)
    assert [Revoked(NOW + DAY, issued.credential.id, person)] == office.journal.kept[2:]
    assert frozenset() == office.vault.keyed()
    blob = issued.sealed or read.content
    with pytest.raises(PosternError, match="destroyed"):
        office.vault.open(Sealed(issued.face.id, person, blob), read.content)


def test_revoking_one_pass_leaves_all_others(office: Office) -> None:
    """Also those of the same epoch."""
    alice, carol = office.issue(ALICE), office.issue(CAROL)
    office.passes.revoke(alice.credential.id, NOW)

    assert isinstance(office.shown(carol.text), Claim)


@pytest.mark.parametrize("revoked", [True, False])
def test_expired_passes_are_forgotten_with_their_keys(office: Office, revoked: bool) -> None:
    """At the hour they end and not before; also revoked ones."""
    short, long = office.issue(ALICE, until=NOW + DAY), office.issue(CAROL, until=NOW + 2 * DAY)
    if revoked:
        office.passes.revoke(short.credential.id, NOW)
    office.passes.expire(NOW + DAY - timedelta(seconds=1))
    assert 2 == len(office.passes.all())
    office.passes.expire(NOW + DAY)

    assert [long.credential] == list(office.passes.all())
    assert {(CAROL, long.face.id)} == office.vault.keyed()
    assert () == office.store.credentials.of(ALICE)


@pytest.mark.parametrize("mode", [StorageMode.SHARED, StorageMode.ROSTER])
def test_pass_of_a_mode_that_was_not_agreed_to_is_refused(
    office: Office, mode: StorageMode
) -> None:
    """Nothing is kept of it."""
    with pytest.raises(PosternError) as refused:
        office.issue(ALICE, mode=mode)

    assert refused.value.code in (Code.UNAUTHORIZED, Code.INVALID)
    assert [] == office.journal.kept
    assert () == office.store.credentials.of(ALICE)
    assert frozenset() == office.vault.keyed()


def test_pass_for_somebody_who_is_not_known_is_refused(office: Office) -> None:
    """Consent first."""
    with pytest.raises(PosternError):
        office.issue(ERIN, mode=StorageMode.PASS)

    assert () == office.passes.all()


def test_pass_that_would_have_ended_already_is_refused(office: Office) -> None:
    """Also one of less than a second."""
    for until in (NOW - DAY, NOW, NOW + timedelta(microseconds=5)):
        with pytest.raises(PosternError, match="ends after it begins"):
            office.issue(ALICE, until=until)

    assert frozenset() == office.vault.keyed()


def test_pass_that_cannot_be_recorded_leaves_the_one_before(office: Office) -> None:
    """The records go back, and the old key is still there."""
    old = office.issue(ALICE)
    broken = replace(office.passes, ledger=_Broken())
    office.passes = broken
    with pytest.raises(PosternError, match="full"):
        office.issue(ALICE)

    assert isinstance(office.shown(old.text), Claim)


def test_revocation_that_cannot_be_recorded_has_destroyed_the_key(office: Office) -> None:
    """A lost pass opens nothing from that moment on; doing it again finishes the record."""
    issued = office.issue(ALICE)
    whole, office.passes = office.passes, replace(office.passes, ledger=_Broken())
    with pytest.raises(PosternError, match="full"):
        office.passes.revoke(issued.credential.id, NOW)
    assert frozenset() == office.vault.keyed()

    assert whole.revoke(issued.credential.id, NOW)
    assert 1 == sum(isinstance(event, Revoked) for event in office.journal.kept)


def test_only_passes_are_found(office: Office) -> None:
    """A face is no pass, and an unknown id is none."""
    issued = office.issue(ALICE)
    for name in (issued.face.id, issued.credential.id[:-1]):
        with pytest.raises(PosternError) as refused:
            office.passes.find(name)  # type: ignore[arg-type]

        assert Code.NOT_FOUND is refused.value.code


def test_passes_of_a_person_end_with_the_person(office: Office) -> None:
    """Erased: keys, credentials and consents."""
    office.issue(ALICE)
    office.store.people.remove(ALICE, office.vault.erase)

    assert () == office.passes.all()
    assert frozenset() == office.vault.keyed()
    assert {CAROL} == {person.id for person in office.store.people.all()}


class _Broken:
    """A ledger on a full disk."""

    def append(self, event: Event) -> EventId:
        raise PosternError(Code.UNAVAILABLE, "The disk is full.")
