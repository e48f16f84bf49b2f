"""Consents in the store: they come first, and taking one back takes effect at once."""

from dataclasses import replace

import pytest

from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, PersonId
from postern.store.store import Store
from tests.people import ALICE, BOB, CONSENTS, DAN, DAY, DOOR, NOW, PERSONS, consent, credential
from tests.store.samples import BLOB


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
    seen: list[tuple[PersonId, int]] = []

    def destroy(person: PersonId) -> None:
        seen.append((person, len(site.credentials.of(person))))

    kept = site.consents.withdraw(consent(ALICE).id, NOW, destroy)

    assert [(ALICE, 1)] == seen
    assert NOW == kept.withdrawn
    assert () == site.credentials.of(ALICE)
    assert (kept,) == site.consents.of(ALICE)
    assert ALICE not in [r.person for r in site.credentials.references(DOOR.id, NOW)]


def test_withdrawal_leaves_nobody_elses_reference_out(site: Store) -> None:
    """Others keep theirs."""
    before = site.credentials.count_sealed()
    site.consents.withdraw(consent(ALICE).id, NOW, lambda person: None)

    assert before - 1 == site.credentials.count_sealed()


def test_withdrawal_tried_again_keeps_its_first_time(site: Store) -> None:
    """Repeating it finishes what was left undone and rewrites no record."""
    site.consents.withdraw(consent(ALICE).id, NOW, lambda person: None)
    kept = site.consents.withdraw(consent(ALICE).id, NOW + DAY, lambda person: None)

    assert NOW == kept.withdrawn


def test_withdrawal_is_not_half_done_when_keys_cannot_be_destroyed(site: Store) -> None:
    """The person sees a failure and the consent stands, so that it is tried again."""

    def fail(person: PersonId) -> None:
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

    site.consents.withdraw(consent(PersonId("p-zoe")).id, NOW, lambda person: None)
    assert [] == _holding(tmp_path, needle)


def test_missing_consent_is_not_found(store: Store) -> None:
    """And no key is touched."""
    destroyed: list[PersonId] = []
    with pytest.raises(PosternError) as refused:
        store.consents.withdraw(ConsentId("c"), NOW, destroyed.append)

    assert Code.NOT_FOUND is refused.value.code
    assert [] == destroyed


def test_lapsed_people_are_those_without_a_standing_consent(site: Store) -> None:
    """Dan's ran out; `forget` destroys what is left of him. Bob, who withdrew, has none left."""
    destroyed: list[PersonId] = []
    assert (DAN,) == site.consents.lapsed(NOW)

    for person in site.consents.lapsed(NOW):
        site.consents.forget(person, destroyed.append)
    assert [DAN] == destroyed
    assert () == site.consents.lapsed(NOW)


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


def _holding(folder, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if needle in path.read_bytes()]
