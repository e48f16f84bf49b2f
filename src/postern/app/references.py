"""How it stands with everybody's reference, so that nobody finds out at the door."""

from collections.abc import Mapping
from dataclasses import dataclass

from postern.core.consent import StorageMode
from postern.core.credential import Credential
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, PersonId
from postern.store.store import Store
from postern.vault.seal import Sealed
from postern.vault.standing import Standing
from postern.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class ReferenceState:
    """One reference, as far as the site can tell.

    Attributes:
        credential: The face credential it belongs to.
        mode: How it is kept.
        standing: Whether it can be used, and what it lacks where it cannot. Of one that a pass
            carries the site has the key and the name of the model alone; whether it was altered
            shows at the next visit, and so does the model of one from before that was kept.
    """

    credential: CredentialId
    mode: StorageMode
    standing: Standing


def reference_states(
    store: Store, vault: Vault, embedder: str
) -> Mapping[PersonId, tuple[ReferenceState, ...]]:
    """How it stands with the references of everybody who has one.

    Args:
        store: Has the references.
        vault: Has the keys.
        embedder: The sha256 of the model that the site uses now.

    Raises:
        PosternError: `unavailable` where the store or the keys cannot be read now.
    """
    kept = {
        one.credential: Sealed(one.credential, one.person, one.blob)
        for one in store.references.all()
    }
    keyed = vault.keyed()
    states: dict[PersonId, tuple[ReferenceState, ...]] = {}
    for person in store.people.all():
        for face in store.credentials.of(person.id):
            if face.factor is not Factor.FACE or face.mode is None:
                continue
            if face.id in kept:
                standing = vault.standing(kept[face.id], embedder)
            else:
                standing = _carried(face, embedder, keyed=(person.id, face.id) in keyed)
            state = ReferenceState(face.id, face.mode, standing)
            states[person.id] = (*states.get(person.id, ()), state)
    return states


def _carried(face: Credential, embedder: str, *, keyed: bool) -> Standing:
    """How it stands with a reference that a pass carries."""
    if not keyed:
        return Standing.KEY_MISSING
    return Standing.READY if face.model in (None, embedder) else Standing.NEEDS_NEW_LOOKS
