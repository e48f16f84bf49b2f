"""Consents in the store: they come first, and taking one back takes effect at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, CredentialId, PersonId
from postern.store.schema import consents
from postern.store.store import Store
from tests.people import (
    ALICE,
    BOB,
    CAROL,
    CONSENTS,
    DAN,
    DAY,
    DOOR,
    ERIN,
    NOW,
    PEOPLE,
    PERSONS,
    consent,
    credential,
    credential_id,
)
from tests.store.samples import BLOB

SECOND = timedelta(seconds=1)


def test_consent_is_found_again(site: Store) -> None:
    """With its places, its times and whether it was withdrawn."""
    for person, given in CONSENTS.items():
        assert given == site.consents.of(person)
        assert given[0] == site.consents.find(given[0].id)


def test_consent_needs_its_person(store: Store) -> None:
    """Nobody agrees for somebody who is not there."""
    with pytest.raises(PosternError) as refused:
        store.consents.add(consent(ALICE))

    assert Code.NOT_FOUND is refused.value.code


def test_consent_is_recorded_once(site: Store) -> None:
    """A record is never overwritten by another of its id."""
    with pytest.raises(PosternError) as refused:
        site.consents.add(replace(consent(ALICE), purpose="anything"))

    assert Code.CONFLICT is refused.value.code
    assert "to open doors" == site.consents.of(ALICE)[0].purpose


def test_withdrawal_destroys_keys_and_references_at_once(site: Store) -> None:
    """The keys go first, then the references; the record of the consent stays."""
    seen: list[tuple[CredentialId, PersonId, int]] = []

    def destroy(reference: CredentialId, person: PersonId) -> None:
        seen.append((reference, person, len(site.credentials.of(person))))

    kept = site.consents.withdraw(consent(ALICE).id, NOW, destroy)

    assert [(credential_id(Factor.FACE, ALICE), ALICE, 1)] == seen
    assert NOW == kept.withdrawn
    assert () == site.credentials.of(ALICE)
    assert (kept,) == site.consents.of(ALICE)
    assert ALICE not in [r.person for r in site.credentials.references(DOOR.id, NOW)]


def test_withdrawal_leaves_nobody_elses_reference_out(site: Store) -> None:
    """Others keep theirs."""
    before = site.credentials.count_sealed()
    site.consents.withdraw(consent(ALICE).id, NOW, keep_key)

    assert before - 1 == site.credentials.count_sealed()


def test_withdrawal_tried_again_keeps_its_first_time(site: Store) -> None:
    """Repeating it finishes what was left undone and rewrites no record."""
    site.consents.withdraw(consent(ALICE).id, NOW, keep_key)
    kept = site.consents.withdraw(consent(ALICE).id, NOW + DAY, keep_key)

    assert NOW == kept.withdrawn


def test_withdrawal_is_not_half_done_when_keys_cannot_be_destroyed(site: Store) -> None:
    """The person sees a failure and the consent stands, so that it is tried again."""

    def fail(reference: CredentialId, person: PersonId) -> None:
        raise PosternError(Code.UNAVAILABLE, "The disk failed.")

    with pytest.raises(PosternError):
        site.consents.withdraw(consent(ALICE).id, NOW, fail)
    assert site.consents.of(ALICE)[0].withdrawn is None


def test_withdrawn_reference_is_in_no_file_of_the_store(site: Store, tmp_path) -> None:
    """Rows are overwritten, and the write-ahead log is emptied of them."""
    site.people.add(replace(PERSONS[0], id=PersonId("p-zoe"), name="Zoe"))
    site.consents.add(consent(PersonId("p-zoe")))
    needle = b"zoe's sealed reference" * 5
    site.credentials.add(credential(Factor.FACE, PersonId("p-zoe")), now=NOW, sealed=needle)
    assert _holding(tmp_path, needle)

    site.consents.withdraw(consent(PersonId("p-zoe")).id, NOW, keep_key)
    assert [] == _holding(tmp_path, needle)


def test_missing_consent_is_not_found(store: Store) -> None:
    """And no key is touched."""
    destroyed: list[PersonId] = []
    with pytest.raises(PosternError) as refused:
        store.consents.withdraw(ConsentId("c"), NOW, lambda _, person: destroyed.append(person))

    assert Code.NOT_FOUND is refused.value.code
    assert [] == destroyed


def test_what_ran_out_is_told_until_somebody_ends_it(site: Store) -> None:
    """Dan's did; Bob's, who withdrew, has ended already."""
    assert (consent(DAN, expires=NOW - DAY),) == site.consents.run_out(NOW)
    kept = site.consents.withdraw(consent(DAN).id, NOW, keep_key)

    assert (NOW, True) == (kept.withdrawn, kept.expired(NOW))
    assert () == site.consents.run_out(NOW)
    assert () == site.credentials.of(DAN)


def test_a_consent_that_was_taken_back_never_counts_as_run_out(site: Store) -> None:
    """Whenever one asks; and one that nobody ended does once its time is over."""
    (bobs,), (dans,) = CONSENTS[BOB], CONSENTS[DAN]

    assert not bobs.expired(NOW + 1000 * DAY)
    assert dans.expired(NOW)
    assert not dans.expired(NOW - DAY - SECOND)


def test_references_that_nothing_covers_are_found_and_destroyed(site: Store) -> None:
    """Dan's, whose consent ran out; whoever's consent stands, or is yet to begin, is left alone."""
    destroyed: list[PersonId] = []
    face = credential_id(Factor.FACE, DAN)
    assert {face: DAN} == site.consents.uncovered(NOW)
    assert {face: DAN} == site.consents.uncovered(NOW - SECOND)
    # A clock that was set back to before anybody agreed.
    assert {} == site.consents.uncovered(NOW - 60 * DAY)

    site.consents.forget(DAN, face, lambda _, person: destroyed.append(person))
    assert [DAN] == destroyed
    assert {} == site.consents.uncovered(NOW)


def test_withdrawal_leaves_what_another_consent_covers(site: Store) -> None:
    """Agreeing anew and then taking the older consent back destroys nothing."""
    anew = replace(consent(ALICE), id=ConsentId("anew"), given=NOW)
    site.consents.add(anew)
    destroyed: list[PersonId] = []
    site.consents.withdraw(consent(ALICE).id, NOW, lambda _, person: destroyed.append(person))
    assert [] == destroyed
    assert 1 == len(site.credentials.of(ALICE))

    site.consents.withdraw(anew.id, NOW, lambda _, person: destroyed.append(person))
    assert [ALICE] == destroyed
    assert () == site.credentials.of(ALICE)


def test_a_consent_that_has_run_out_unnoticed_covers_nothing(site: Store) -> None:
    """Its being open still is no reason to keep what another one covered."""
    late = replace(consent(ALICE), id=ConsentId("late"), expires=NOW - SECOND)
    site.consents.add(late)
    site.consents.withdraw(consent(ALICE).id, NOW, keep_key)

    assert () == site.credentials.of(ALICE)


def test_consent_covers_one_mode(site: Store) -> None:
    """Who agreed to carry a pass has not agreed to be on a roster; and each ends by itself."""
    carol = replace(consent(CAROL, mode=StorageMode.PASS), id=ConsentId("pass"))
    site.consents.add(carol)
    on_pass = credential(
        Factor.FACE, CAROL, mode=StorageMode.PASS, name=CredentialId("face-on-pass")
    )
    site.credentials.add(on_pass, now=NOW)
    destroyed: list[CredentialId] = []
    site.consents.withdraw(consent(CAROL).id, NOW, lambda name, _: destroyed.append(name))

    assert [credential_id(Factor.FACE, CAROL)] == destroyed
    assert (on_pass,) == site.credentials.of(CAROL)
    with pytest.raises(PosternError) as refused:
        site.credentials.add(credential(Factor.FACE, CAROL), now=NOW, sealed=BLOB)
    assert Code.UNAUTHORIZED is refused.value.code


def test_a_reference_of_another_mode_is_not_loaded(site: Store) -> None:
    """Should one be there with the wrong consent, no lane gets to see it."""
    site.consents.add(replace(consent(ALICE, mode=StorageMode.PASS), id=ConsentId("pass")))
    assert ALICE in [r.person for r in site.credentials.references(DOOR.id, NOW)]
    with site._database.writing() as connection:
        connection.execute(delete(consents).where(consents.c.id == consent(ALICE).id))

    assert ALICE not in [r.person for r in site.credentials.references(DOOR.id, NOW)]


def test_every_consent_is_listed_by_age(site: Store) -> None:
    """With those that have ended."""
    anew = replace(consent(ALICE), id=ConsentId("anew"), given=NOW)
    site.consents.add(anew)
    listed = site.consents.all()

    assert anew == listed[-1]
    assert {c.id for given in CONSENTS.values() for c in given} | {"anew"} == {c.id for c in listed}


def test_standing_consents_are_those_that_hold_now(site: Store) -> None:
    """Bob's and Dan's do not."""
    standing = site.consents.standing(PEOPLE, NOW)

    assert {ALICE, CAROL, ERIN} == {person for person, given in standing.items() if given}


@pytest.mark.parametrize("person", [BOB, DAN])
def test_no_reference_without_a_standing_consent(site: Store, person: PersonId) -> None:
    """A withdrawn or expired consent lets no new reference in."""
    before = site.credentials.of(person)
    face = credential(Factor.FACE, person, name=credential(Factor.PASS, person).id)
    with pytest.raises(PosternError) as refused:
        site.credentials.add(face, now=NOW, sealed=BLOB)

    assert Code.UNAUTHORIZED is refused.value.code
    assert before == site.credentials.of(person)


def test_consent_for_another_place_opens_no_reference_here(site: Store) -> None:
    """Who agreed to the barrier only is not compared at the door."""
    zoe = PersonId("p-zoe")
    site.people.add(replace(PERSONS[0], id=zoe))
    site.consents.add(consent(zoe, places=frozenset({AccessPointId("barrier")})))
    site.credentials.add(credential(Factor.FACE, zoe), now=NOW, sealed=BLOB)
    site.permits.add(replace(site.permits.all()[0], id=type(site.permits.all()[0].id)("zoe"),
                             holders=frozenset({zoe})))  # fmt: skip

    assert zoe in [r.person for r in site.credentials.references(AccessPointId("barrier"), NOW)]
    assert zoe not in [r.person for r in site.credentials.references(DOOR.id, NOW)]


def keep_key(reference: CredentialId, person: PersonId) -> None:
    """Stands in for a vault where keys are beside the point."""


def _holding(folder, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]
