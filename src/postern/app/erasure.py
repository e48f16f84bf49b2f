"""Forgetting a person: keys first, and everything else after them.

1. Once the keys are gone, nothing of the person can be opened any more, whatever happens next, and
   no backup brings them back.
2. The event comes before the records go: while they are there, doing it again finishes it.
"""

from dataclasses import dataclass
from datetime import datetime

from postern.core.errors import Code, PosternError
from postern.core.event import Erased
from postern.core.evidence import Factor
from postern.core.ids import EventId, PersonId
from postern.core.person import Person
from postern.core.ports import Ledger
from postern.store.store import Store
from postern.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was destroyed, counted; nothing of it is kept.

    Attributes:
        person: Who was forgotten.
        at: When.
        event: The number of the event.
        keys: Keys of references and passes.
        references: References of the face, at the site or on a pass.
        passes: Passes.
        others: Credentials of any other kind.
        consents: Consents, also those that had ended.
        permits: Permits that named the person.
        presence: Notes of being inside an area, or of failed attempts.
    """

    person: Person
    at: datetime
    event: EventId
    keys: int
    references: int
    passes: int
    others: int
    consents: int
    permits: int
    presence: int


def erase(store: Store, vault: Vault, ledger: Ledger, person: PersonId, now: datetime) -> Erasure:
    """Forgets a person with everything that is kept about them.

    Raises:
        PosternError: `not_found` where there is nobody of that id, or not any more; `unavailable`
            where it cannot be finished now; do it again.
    """
    known = _find(store, vault, person)
    keys = sum(owner == person for owner, _ in vault.keyed())
    vault.erase(person)
    factors = [one.factor for one in store.credentials.of(person)]
    faces, passes = factors.count(Factor.FACE), factors.count(Factor.PASS)
    consents = len(store.consents.of(person))
    permits = len(store.permits.naming(person))
    presence = len(store.areas.of(person)) + len(store.throttles.of(person))
    event = ledger.append(Erased(now, person))
    # The vault's keys are gone already; asked once more, it has nothing left to do.
    store.people.remove(person, vault.erase)
    store.consent_texts.drop_unused()
    others = len(factors) - faces - passes
    return Erasure(known, now, event, keys, faces, passes, others, consents, permits, presence)


def finish_erasures(store: Store, vault: Vault, ledger: Ledger, now: datetime) -> None:
    """Forgets whoever's erasure was cut short after their keys were destroyed.

    Raises:
        PosternError: `unavailable` where it cannot be finished now; do it again.
    """
    for person in store.people.all():
        if vault.is_erased(person.id):
            erase(store, vault, ledger, person.id, now)


def _find(store: Store, vault: Vault, person: PersonId) -> Person:
    try:
        return store.people.find(person)
    except PosternError as error:
        if error.code is not Code.NOT_FOUND or not vault.is_erased(person):
            raise
        # Whatever may have been cut short then: their keys, and traces of them.
        vault.erase(person)
        raise PosternError(
            Code.NOT_FOUND, "This person was erased before; nothing is kept about them."
        ) from None
