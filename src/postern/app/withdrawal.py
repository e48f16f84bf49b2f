"""Ending consents: taken back by the person or an operator, or run out.

What a consent covered is destroyed before anything says so: its keys, then its references together
with the record of the end and the event. Whatever cuts that short, doing it again finishes it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from postern.app.passes import face_of, handle_of
from postern.core.consent import Consent
from postern.core.event import By, Revoked, Withdrawn
from postern.core.evidence import Factor
from postern.core.ids import ConsentId, CredentialId, EventId, PersonId
from postern.core.ports import Ledger
from postern.engine.supervise import each
from postern.store.consents import DestroyKey
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """Ends the consents of one site.

    Attributes:
        store: The records.
        ledger: Where the end of a consent becomes an event.
        destroy_key: Destroys the key of one reference; the vault's.
    """

    store: Store
    ledger: Ledger
    destroy_key: DestroyKey

    def withdraw(self, consent: ConsentId, by: By, now: datetime) -> EventId | None:
        """Takes a consent back; it counts from the next attempt on.

        Returns:
            The number of the event; None where the consent had ended before.

        Raises:
            PosternError: `not_found`; `unavailable` where it cannot be finished now; do it again.
        """
        ended = self.store.consents.find(consent).withdrawn is not None
        # Should the event fail, the consent is not marked as ended, and it is done again.
        with self.store.together():
            kept = self.store.consents.withdraw(consent, now, self.destroy_key)
            self._end_passes(kept.person, now)
            if ended:
                return None
            return self.ledger.append(Withdrawn(now, kept.id, kept.person, by))

    def withdraw_all(self, person: PersonId, by: By, now: datetime) -> tuple[Consent, ...]:
        """Takes back every consent of a person that has not ended; says which those were.

        Raises:
            PosternError: `not_found`; `unavailable` where it cannot be finished now; do it again.
        """
        known = self.store.people.find(person).id
        open_ones = [c for c in self.store.consents.of(known) if c.withdrawn is None]
        for consent in open_ones:
            self.withdraw(consent.id, by, now)
        # Where an earlier withdrawal was cut short, references are left that nothing covers.
        self._sweep(now, known)
        return tuple(open_ones)

    def lapse(self, now: datetime) -> None:
        """Ends every consent that has run out, each once, and destroys what nothing covers.

        Where an event cannot be kept now, everybody's references are destroyed all the same.

        Raises:
            PosternError: `unavailable` where it cannot be finished now; do it again.
        """
        due = self.store.consents.run_out(now)
        ends = [partial(self.withdraw, consent.id, By.EXPIRY, now) for consent in due]
        each((*ends, lambda: self._sweep(now), self.store.consent_texts.drop_unused))

    def _end_passes(self, person: PersonId, now: datetime) -> None:
        """Switches off the passes whose reference is gone, so that they are told from others'."""
        theirs = {one.id: one for one in self.store.credentials.of(person)}
        for one in theirs.values():
            shown = one.factor is Factor.PASS and one.enabled
            if shown and face_of(handle_of(one.id)) not in theirs:
                self.store.credentials.enable(one.id, enabled=False)
                self.ledger.append(Revoked(now, one.id, person))

    def _sweep(self, now: datetime, only: PersonId | None = None) -> None:
        left = self.store.consents.uncovered(now).items()
        each(
            partial(self._forget, person, reference, now)
            for reference, person in left
            if only in (None, person)
        )

    def _forget(self, person: PersonId, reference: CredentialId, now: datetime) -> None:
        self.store.consents.forget(person, reference, self.destroy_key)
        self._end_passes(person, now)
