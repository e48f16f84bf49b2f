"""Everything that is kept about a person, for that person to take along.

1. Every column about them is in it; a test walks the tables.
2. Secrets are not: a sealed reference is named, not given, as it opens with the site's keys only.
3. Others are not: who else a permit or an event names stays out, or under their pseudonym.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

from postern.app.consent_text import agreed_text
from postern.app.site import Site
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.event import Consented
from postern.core.ids import EventId, PersonId
from postern.core.moment import time_text
from postern.core.permit import Permit
from postern.store import schedule_text
from postern.store.events import Entry
from postern.store.store import Store
from postern.store.throttles import Throttle
from postern.vault.vault import Vault

FORMAT = "postern person 1"

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Fields = dict[str, Json]


class History(Protocol):
    """What happened."""

    def about(self, ids: Collection[str]) -> tuple[Entry, ...]:
        """What names any of these ids, and what became of those attempts, oldest first; only they
        are shown by their ids."""
        ...


def number_of(history: History, consent: Consent) -> EventId | None:
    """The number of the event of a consent; None where it has expired."""
    given = (
        entry.id
        for entry in history.about((consent.id,))
        if isinstance(entry.event, Consented) and entry.event.consent == consent.id
    )
    return next(given, None)


@dataclass(frozen=True, slots=True)
class Exports:
    """Gives people what is kept about them.

    Attributes:
        site: What `site.toml` says.
        store: The records.
        vault: Knows which references have keys.
        history: What happened.
    """

    site: Site
    store: Store
    vault: Vault
    history: History

    def all(self, person: PersonId, locale: str, now: datetime) -> Fields:
        """Everything about a person, fit for JSON: what is kept, and what happened.

        Args:
            person: Who.
            locale: The language of what they agreed to.
            now: The present time.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        kept = self.kept(person, locale)
        events = [_event(entry) for entry in self.history.about(self._ids(person))]
        return {"format": FORMAT, "made": time_text(now), **kept, "events": [*events]}

    def kept(self, person: PersonId, locale: str) -> Fields:
        """What is kept about a person, but for what happened; as `all`."""
        known = self.store.people.find(person)
        consents = self.store.consents.of(person)
        credentials = self.store.credentials.of(person)
        keyed = self._keyed(person)
        permits = self.store.permits.naming(person)
        return {
            "site": self.site.name,
            "person": {"id": known.id, "name": known.name},
            "consents": [self._consent(one, locale) for one in consents],
            "credentials": [_credential(one) for one in credentials],
            "permits": [_permit(one) for one in permits],
            "inside": [
                {"area": area, "since": time_text(since)}
                for area, since in self.store.areas.of(person).items()
            ],
            "failures": [_throttle(one) for one in self.store.throttles.of(person)],
            "keys": [*sorted(keyed)],
        }

    def _consent(self, consent: Consent, locale: str) -> Fields:
        text = agreed_text(consent, locale, self.store.consent_texts)
        return {
            "id": consent.id,
            "purpose": consent.purpose,
            "places": [*sorted(consent.places)],
            "text_version": consent.text_version,
            "mode": consent.mode.value,
            "given": time_text(consent.given),
            "expires": time_text(consent.expires),
            "withdrawn": _time(consent.withdrawn),
            "text": [{"heading": one.heading, "text": one.text} for one in text],
        }

    def _keyed(self, person: PersonId) -> frozenset[str]:
        """The references of theirs that there is a key for."""
        return frozenset(name for owner, name in self.vault.keyed() if owner == person)

    def _ids(self, person: PersonId) -> frozenset[str]:
        """The ids by which events may name a person."""
        consents = (one.id for one in self.store.consents.of(person))
        credentials = (one.id for one in self.store.credentials.of(person))
        return frozenset((person, *consents, *credentials, *self._keyed(person)))


def _credential(credential: Credential) -> Fields:
    return {
        "id": credential.id,
        "factor": credential.factor.value,
        "enabled": credential.enabled,
        "valid_from": time_text(credential.valid_from),
        "valid_until": _time(credential.valid_until),
        "mode": credential.mode and credential.mode.value,
        "model": credential.model,
    }


def _permit(permit: Permit) -> Fields:
    schedule = permit.schedule
    return {
        "id": permit.id,
        "access_points": [*sorted(permit.access_points)],
        "factors": [{"factor": c.factor.value, "max_p": c.max_p} for c in permit.factors],
        "max_false_accept": permit.max_false_accept,
        "liveness": permit.liveness,
        "schedule": None if schedule is None else schedule_text.encode(schedule),
        "valid_from": time_text(permit.valid_from),
        "valid_until": _time(permit.valid_until),
        "others": len(permit.holders) - 1,
    }


def _throttle(throttle: Throttle) -> Fields:
    return {
        "access_point": throttle.access_point,
        "failures": throttle.failures,
        "until": _time(throttle.until),
    }


def _event(entry: Entry) -> Fields:
    said = {one.name: getattr(entry.event, one.name) for one in fields(entry.event)}
    return {
        "number": entry.id,
        "at": time_text(entry.at),
        "kind": entry.kind,
        **{name: _plain(value) for name, value in said.items() if name != "at"},
    }


def _plain(value: object) -> Json:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)
