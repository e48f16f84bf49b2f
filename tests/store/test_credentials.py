"""Credentials in the store, and which references an attempt may be compared with."""

from datetime import timedelta

import pytest

from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CredentialId, PersonId
from postern.store.credentials import KeptReference
from postern.store.store import Store
from tests.people import (
    ALICE,
    BARRIER,
    CAROL,
    DOOR,
    ERIN,
    NOW,
    PASS,
    PIN,
    VAN,
    credential,
    credential_id,
    permit,
)
from tests.store.samples import BLOB

ALICES_FACE = credential_id(Factor.FACE, ALICE)


def test_credential_is_found_again(site: Store) -> None:
    """Without its secret part."""
    assert credential(Factor.FACE, ALICE) == site.credentials.find(ALICES_FACE)
    assert (credential(Factor.PLATE, VAN),) == site.credentials.of(VAN)


def test_references_are_those_of_permits_and_consents_here(site: Store) -> None:
    """Alice and Erin: Bob withdrew, Dan's consent ran out, and Carol has no permit."""
    expected = {KeptReference(credential_id(Factor.FACE, p), p, BLOB) for p in (ALICE, ERIN)}

    assert expected == set(site.credentials.references(DOOR.id, NOW))
    assert () == site.credentials.references(AccessPointId("elsewhere"), NOW)


def test_a_permit_for_elsewhere_or_without_a_face_opens_no_reference(site: Store) -> None:
    """Carol agrees everywhere, but only a permit that asks for her face here has it compared."""
    site.permits.add(permit(CAROL, name="at-the-barrier", at=frozenset({BARRIER.id})))
    site.permits.add(permit(CAROL, name="by-pin", factors=(PASS, PIN)))

    assert CAROL not in _compared(site)
    site.permits.add(permit(CAROL, name="by-face"))
    assert CAROL in _compared(site)


def test_disabled_or_invalid_credentials_are_not_compared(site: Store) -> None:
    """Switched off, not yet valid, no longer valid: the reference stays sealed."""
    site.credentials.enable(ALICES_FACE, enabled=False)
    assert ALICE not in _compared(site)
    site.credentials.enable(ALICES_FACE, enabled=True)
    assert ALICE in _compared(site)

    site.credentials.remove(ALICES_FACE)
    late = credential(Factor.FACE, ALICE, valid_from=NOW + timedelta(hours=1))
    site.credentials.add(late, now=NOW, sealed=BLOB)
    assert ALICE not in _compared(site)
    site.credentials.remove(ALICES_FACE)
    ended = credential(Factor.FACE, ALICE, valid_until=NOW)
    site.credentials.add(ended, now=NOW, sealed=BLOB)
    assert ALICE not in _compared(site)


def test_a_reference_is_for_a_face_alone(site: Store) -> None:
    """A plate carries none, a face does not go without, and a vehicle has no face."""
    name = CredentialId("new")
    cases = [
        (credential(Factor.PLATE, VAN, name=name), BLOB),
        (credential(Factor.FACE, ALICE, name=name), None),
        (credential(Factor.FACE, ALICE, name=name), b""),
        (credential(Factor.FACE, ALICE, name=name), bytes(5000)),
        (credential(Factor.FACE, VAN, name=name), BLOB),
    ]
    for one, sealed in cases:
        with pytest.raises(PosternError) as refused:
            site.credentials.add(one, now=NOW, sealed=sealed)
        assert Code.INVALID is refused.value.code
    with pytest.raises(PosternError):
        site.credentials.find(name)


def test_credential_is_added_once(site: Store) -> None:
    """Nobody's reference is replaced by another's under its id."""
    with pytest.raises(PosternError) as refused:
        site.credentials.add(credential(Factor.FACE, ALICE), now=NOW, sealed=b"another")

    assert Code.CONFLICT is refused.value.code
    assert BLOB == site.credentials.references(DOOR.id, NOW)[0].blob


def test_credential_needs_its_holder(site: Store) -> None:
    """A credential of nobody is refused."""
    with pytest.raises(PosternError) as refused:
        site.credentials.add(credential(Factor.CARD, PersonId("p-nobody")), now=NOW)

    assert Code.NOT_FOUND is refused.value.code


def test_missing_credential_is_not_found(store: Store) -> None:
    """For every call that names one."""
    name = CredentialId("none")
    for call in (
        lambda: store.credentials.find(name),
        lambda: store.credentials.remove(name),
        lambda: store.credentials.enable(name, enabled=True),
    ):
        with pytest.raises(PosternError) as refused:
            call()
        assert Code.NOT_FOUND is refused.value.code


def _compared(site: Store) -> list[PersonId]:
    return [reference.person for reference in site.credentials.references(DOOR.id, NOW)]
