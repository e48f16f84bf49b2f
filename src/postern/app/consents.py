"""Consents: what people agreed to, in the words they were shown, and taking one back."""

from dataclasses import dataclass

from postern.api.consents import AskedBy
from postern.app.consent_text import Clauses, agreed_text
from postern.app.people import ASKED_BY
from postern.app.withdrawal import Withdrawals
from postern.core.consent import Consent
from postern.core.event import Changed
from postern.core.ids import ConsentId
from postern.core.ports import Clock, Ledger
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Consents:
    """The consents of one site.

    Attributes:
        store: The records.
        ledger: Where a change becomes an event.
        clock: Says how late it is.
        withdrawals: Ends them.
    """

    store: Store
    ledger: Ledger
    clock: Clock
    withdrawals: Withdrawals

    def find(self, consent: ConsentId) -> Consent:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.consents.find(consent)

    def text(self, consent: ConsentId, locale: str) -> Clauses:
        """What its person was shown; empty where it is not kept in that language.

        Raises:
            PosternError: `not_found`; `invalid` where it is damaged; `unavailable`.
        """
        return agreed_text(self.find(consent), locale, self.store.consent_texts)

    def withdraw(self, consent: ConsentId, asked_by: AskedBy, by: str) -> None:
        """Takes one back; twice is the same.

        Raises:
            PosternError: `not_found`; `unavailable` where it cannot be finished now; do it again.
        """
        now = self.clock.now().utc
        with self.store.together():
            if self.withdrawals.withdraw(consent, ASKED_BY[asked_by], now) is not None:
                self.ledger.append(Changed(now, "consent withdrawn", consent, by))
