"""Taking somebody into the records: consent first, then the reference, all of it or nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from postern.app.consent_text import check_text, keep_text
from postern.app.pass_days import pass_end
from postern.app.passes import Hand, IssuedPass, Passes, unwritten
from postern.app.roster import check_room
from postern.app.site import Site
from postern.core.consent import Consent, StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError
from postern.core.event import Consented, Enrolled, Revoked
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, CredentialId, EventId, PersonId
from postern.core.person import Person
from postern.core.ports import Ledger
from postern.frame import Template
from postern.store.store import Store
from postern.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants to be recognised, and how.

    Attributes:
        person: Who; may be known already.
        mode: How their reference is to be kept.
        places: The access points at which they are to be recognised.
    """

    person: Person
    mode: StorageMode
    places: frozenset[AccessPointId]


@dataclass(frozen=True, slots=True)
class Admission:
    """What came of it.

    Attributes:
        consent: What the person agreed to, now or before.
        event: The number of the event of their consent; None where they had agreed before.
        issued: Their pass; None for a roster.
        swept: Whether the keys of their former references are gone with every trace; if not,
            another program used the keys.
    """

    consent: Consent
    event: EventId | None
    issued: IssuedPass | None = None
    swept: bool = True


@dataclass(frozen=True, slots=True)
class Enrolments:
    """Takes people into the records of one site.

    Attributes:
        site: What `site.toml` says.
        store: The records.
        vault: Seals references.
        ledger: Where consents and enrolments become events.
        passes: Gives what issues passes; asked only where one is to be issued.
    """

    site: Site
    store: Store
    vault: Vault
    ledger: Ledger
    passes: Callable[[], Passes]

    def check(self, applicant: Applicant, now: datetime) -> Consent | None:
        """Refuses whom this site cannot take in like that, before anything is asked.

        Returns:
            The person's consent that covers it already; None where they are to be asked.

        Raises:
            PosternError: `unauthorized` for a roster that nobody justified; `conflict` where the
                roster is full, or the consent text changed under its version; `unavailable`.
        """
        if applicant.mode is StorageMode.ROSTER:
            if self.site.roster.justification is None:
                raise PosternError(
                    Code.UNAUTHORIZED,
                    "This site has not justified a roster, so that it keeps none.",
                    'Use --mode pass, or add [roster] with justification = "..." to site.toml.',
                )
            check_room(self.store, applicant.places, [applicant.person.id], now)
        check_text(self.site, self.store.consent_texts)
        return self._covering(applicant, now)

    def keep(
        self, applicant: Applicant, template: Template, now: datetime, hand: Hand = unwritten
    ) -> Admission:
        """Keeps a person who agreed, with their consent and their sealed reference.

        An earlier reference of theirs that is kept in the same way goes, and so does an earlier
        pass.

        Args:
            applicant: Who.
            template: Their reference, gathered from live looks.
            now: The present time.
            hand: Writes a pass down before anything is kept.

        Raises:
            PosternError: as `check`, and as the store's, the vault's and the hand's own.
        """
        consent = self.check(applicant, now) or self._consent(applicant, now)
        if applicant.mode is StorageMode.ROSTER:
            return self._keep_on_roster(applicant, consent, template, now)
        passes, person = self.passes(), applicant.person.id
        until = pass_end(consent.expires, now, self.site.zone, None)
        issued = passes.make(person, template, applicant.mode, until, now)
        with self._all_or_nothing(issued.face, lambda: hand(issued)):
            event = self._record(applicant, consent)
            passes.keep(issued, now)
        return Admission(consent, event, issued, passes.sweep(person))

    def _keep_on_roster(
        self, applicant: Applicant, consent: Consent, template: Template, now: datetime
    ) -> Admission:
        name, person = CredentialId(f"face-{uuid4().hex[:12]}"), applicant.person.id
        face = Credential(
            name, Factor.FACE, person, True, now, mode=applicant.mode, model=template.model
        )
        former = [one for one in self.store.credentials.of(person) if one.mode is face.mode]
        sealed = self.vault.seal(name, person, template, mode=applicant.mode)
        with self._all_or_nothing(face):
            # Once more: somebody else may have taken the last place meanwhile.
            check_room(self.store, applicant.places, [person], now)
            event = self._record(applicant, consent)
            self.store.credentials.add(face, now=now, sealed=sealed.blob)
            self.ledger.append(Enrolled(now, name, person))
            for one in former:
                self.store.credentials.remove(one.id)
                self.ledger.append(Revoked(now, one.id, person))
        return Admission(consent, event, swept=self._sweep(former))

    def _sweep(self, former: Iterable[Credential]) -> bool:
        """Destroys the keys of references that are kept no more; False where one is still used."""
        swept = True
        for one in former:
            try:
                self.vault.destroy(one.id, PersonId(one.holder))
            except PosternError as error:
                if not error.retry_helps:
                    raise
                swept = False
        return swept

    @contextmanager
    def _all_or_nothing(
        self,
        face: Credential,
        written: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[None]:
        try:
            with written(), self.store.together():
                yield
        except BaseException:
            # Nothing was kept; a key that opens nothing must not stay either.
            self.vault.destroy(face.id, PersonId(face.holder))
            raise

    def _record(self, applicant: Applicant, consent: Consent) -> EventId | None:
        """Keeps a new consent with the text that it goes by, and the person if they are new."""
        if consent in self.store.consents.of(consent.person):
            return None
        if not self._is_known(applicant.person):
            self.store.people.add(applicant.person)
        keep_text(self.site, applicant.mode, self.store.consent_texts)
        self.store.consents.add(consent)
        return self.ledger.append(
            Consented(consent.given, consent.id, consent.person, consent.text_version)
        )

    def _is_known(self, person: Person) -> bool:
        return any(person.id == one.id for one in self.store.people.all())

    def _covering(self, applicant: Applicant, now: datetime) -> Consent | None:
        standing = self.store.consents.standing([applicant.person.id], now)
        fits = [
            consent
            for consent in standing.get(applicant.person.id, ())
            if consent.mode is applicant.mode and applicant.places <= consent.places
        ]
        return max(fits, key=lambda consent: consent.expires, default=None)

    def _consent(self, applicant: Applicant, now: datetime) -> Consent:
        terms = self.site.consent
        return Consent(
            ConsentId(f"consent-{uuid4().hex[:12]}"),
            applicant.person.id,
            terms.purpose,
            applicant.places,
            terms.text_version,
            applicant.mode,
            now,
            now + timedelta(days=terms.valid_days),
        )
