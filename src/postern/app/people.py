"""People: finding them by name, calling them otherwise, showing them what is kept, and forgetting.

Nobody is added here: a person comes with their consent and a live capture (`app/enrolment.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from postern.api.consents import AskedBy
from postern.api.people import Erased
from postern.api.version import Seen
from postern.app.erasure import erase
from postern.app.export import Exports, Fields
from postern.app.receipt import Made, Sign, erasure_receipt
from postern.app.site import Site
from postern.app.withdrawal import Withdrawals
from postern.app.wording import wording
from postern.core.consent import Consent
from postern.core.event import By, Changed, Viewed
from postern.core.ids import PersonId
from postern.core.person import Person
from postern.core.ports import Clock, Ledger
from postern.store.store import Store
from postern.vault.vault import Vault

#: Who wants a consent to end, as its event says it.
ASKED_BY = {AskedBy.PERSON: By.PERSON, AskedBy.OPERATOR: By.OPERATOR}
#: Why somebody looked who hands a person what is kept about them, before what they say themselves.
_EXPORTED = "exported: "


@dataclass(frozen=True, slots=True)
class People:
    """The people of one site.

    Attributes:
        site: What `site.toml` says.
        store: The records.
        vault: Keeps their keys.
        ledger: Where a change becomes an event.
        clock: Says how late it is.
        withdrawals: Ends consents.
        exports: Gives people what is kept about them.
        sign: Signs receipts.
    """

    site: Site
    store: Store
    vault: Vault
    ledger: Ledger
    clock: Clock
    withdrawals: Withdrawals
    exports: Exports
    sign: Sign = field(repr=False)

    def page(
        self, containing: str, after: tuple[str, str] | None, limit: int
    ) -> tuple[Person, ...]:
        """Some of them, by their folded names and ids.

        Raises:
            PosternError: `unavailable`.
        """
        return self.store.people.page(containing=containing, after=after, limit=limit)

    def find(self, person: PersonId) -> Person:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.people.find(person)

    def agree_until(self, people: Sequence[Person]) -> Mapping[PersonId, datetime]:
        """Until when those of them agree who do.

        Raises:
            PosternError: `unavailable`.
        """
        ids, now = [one.id for one in people], self.clock.now().utc
        standing = self.store.consents.standing(ids, now)
        return {who: max(c.expires for c in given) for who, given in standing.items() if given}

    def rename(self, person: PersonId, name: str, by: str, seen: Seen[Person]) -> Person:
        """Calls somebody otherwise.

        Raises:
            PosternError: `invalid` for a name that is none; `not_found`; `unavailable`; as `seen`.
        """
        now, called = self.clock.now().utc, Person(person, name)
        with self.store.together():
            seen(self.find(person))
            self.store.people.rename(called)
            self.ledger.append(Changed(now, "person renamed", person, by))
        return called

    def erase(self, person: PersonId, by: str, locale: str, seen: Seen[Person]) -> Erased:
        """Forgets somebody with everything that is kept about them; gives their receipt.

        Raises:
            PosternError: `invalid` for a locale that there is none of; `not_found`; `unavailable`
                where it cannot be finished now: do it again; as `seen`.
        """
        now, words = self.clock.now().utc, wording(locale)
        with self.store.together():
            seen(self.find(person))
            self.ledger.append(Changed(now, "person to be forgotten", person, by))
            gone = erase(self.store, self.vault, self.ledger, person, now)
        made = Made(words, now.astimezone(self.site.zone))
        page = erasure_receipt(self.site, gone, made).page(self.sign)
        return Erased(
            person, gone.at, gone.event, gone.keys, gone.references, gone.passes, gone.others,
            gone.consents, gone.permits, gone.presence, page,
        )  # fmt: skip

    def consents(self, person: PersonId) -> tuple[Consent, ...]:
        """What somebody agreed to, oldest first.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.consents.of(self.find(person).id)

    def withdraw(self, person: PersonId, asked_by: AskedBy, by: str) -> None:
        """Takes all of somebody's consents back.

        Raises:
            PosternError: `not_found`; `unavailable` where it cannot be finished now; do it again.
        """
        now = self.clock.now().utc
        with self.store.together():
            if self.withdrawals.withdraw_all(person, ASKED_BY[asked_by], now):
                self.ledger.append(Changed(now, "consents withdrawn", person, by))

    def record(self, person: PersonId, why: str, locale: str, by: str) -> Fields:
        """Everything about somebody, having recorded who looks, and why.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        now, known = self.clock.now().utc, self.find(person).id
        self.ledger.append(Viewed(now, known, by, f"{_EXPORTED}{why}"))
        return self.exports.all(known, locale, now)
