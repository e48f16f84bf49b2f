"""People: who is registered, what they are called, and how they go.

Nobody is added here: a person comes with their consent and a live capture, by `postern enrol`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from postern.api.call import CHANGE, NEW, ONE, call
from postern.api.consents import AskedBy, Consent, Withdrawal, agreed
from postern.api.idempotency import IdempotencyKey, Replies, done
from postern.api.locale import Locale, Locales, spoken
from postern.api.paging import Cursor, Limit, Page, paged, read, whole
from postern.api.reason import Why, stated
from postern.api.version import IfMatch, IfNoneMatch, Seen, shown, unchanged
from postern.core.consent import Consent as KeptConsent
from postern.core.ids import PersonId
from postern.core.person import MAX_NAME, folded
from postern.core.person import Person as KeptPerson
from postern.core.role import Right
from postern.web.caller import Caller
from postern.web.given import Asked, Given
from postern.web.problem import field

PersonPath = FromPath[str]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is registered.

    Attributes:
        id: Their id.
        name: What they want to be called.
        consent_until: Until when they agree to be recognised anywhere; null where they do not.
    """

    id: str
    name: str
    consent_until: datetime | None


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person wants to be called."""

    name: Annotated[
        str, msgspec.Meta(min_length=1, max_length=MAX_NAME, examples=["Maria Popescu"])
    ]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was destroyed, counted; nothing of it is kept.

    Attributes:
        person: Who was forgotten.
        at: When.
        event: The number of the event.
        keys: Keys of references and passes.
        references: References of the face.
        passes: Passes.
        others: Other credentials.
        consents: Consents, also those that had ended.
        permits: Permits that named the person.
        presence: Notes of being inside an area, or of failed attempts.
        receipt: The receipt for the person: a page in HTML that `postern consents check` checks.
    """

    person: str
    at: datetime
    event: str
    keys: int
    references: int
    passes: int
    others: int
    consents: int
    permits: int
    presence: int
    receipt: str


class People(Protocol):
    """Everybody who is registered. Its methods may be called from any thread."""

    def page(
        self, containing: str, after: tuple[str, str] | None, limit: int
    ) -> Sequence[KeptPerson]:
        """Some of them, by their folded names and ids; `unavailable`."""
        ...

    def find(self, person: PersonId) -> KeptPerson:
        """One of them; `not_found`, `unavailable`."""
        ...

    def agree_until(self, people: Sequence[KeptPerson]) -> Mapping[PersonId, datetime]:
        """Until when those agree who do; `unavailable`."""
        ...

    def rename(self, person: PersonId, name: str, by: str, seen: Seen[KeptPerson]) -> KeptPerson:
        """Calls somebody otherwise; `invalid`, `not_found`, `unavailable`, as `seen`."""
        ...

    def erase(self, person: PersonId, by: str, locale: str, seen: Seen[KeptPerson]) -> Erased:
        """Forgets somebody; `not_found`, `unavailable`, as `seen`."""
        ...

    def withdraw(self, person: PersonId, asked_by: AskedBy, by: str) -> None:
        """Takes all of somebody's consents back; `not_found`, `unavailable`."""
        ...

    def consents(self, person: PersonId) -> Sequence[KeptConsent]:
        """What somebody agreed to, oldest first; `not_found`, `unavailable`."""
        ...

    def record(self, person: PersonId, why: str, locale: str, by: str) -> Mapping[str, object]:
        """Everything about somebody, having recorded who looks, and why; `not_found`,
        `unavailable`."""
        ...


@get("/people", **call("listPeople", "List people, or find some by name", Right.READ))
def list_people(
    request: Asked,
    known_people: Given[People],
    name: Annotated[
        str,
        QueryParameter(
            max_length=MAX_NAME,
            description="A part of the name; capitals and marks make no difference.",
        ),
    ] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[Person]]:
    """By name. Nobody is found by a face, a picture or anything but their name."""
    key = read(cursor, str, str)
    after = None if key is None else (str(key[0]), str(key[1]))
    found = known_people.page(name, after, limit + 1)
    until = known_people.agree_until(found)
    return paged(
        request,
        found,
        limit,
        lambda one: (folded(one.name), one.id),
        lambda one: Person(one.id, one.name, until.get(one.id)),
    )


@get("/people/{person:str}", **call("getPerson", "Show a person", Right.READ, refused=ONE))
def get_person(
    known_people: Given[People], person: PersonPath, if_none_match: IfNoneMatch = None
) -> Response[Person]:
    """With the version to change them by."""
    return shown(_person(known_people, known_people.find(PersonId(person))), if_none_match)


@patch(
    "/people/{person:str}",
    **call("renamePerson", "Call a person otherwise", Right.ENROL, refused=CHANGE),
)
def rename_person(
    known_people: Given[People],
    caller: Given[Caller],
    person: PersonPath,
    data: JSONBody[Name],
    if_match: IfMatch = None,
) -> Response[Person]:
    """Nothing else about a person can be changed."""
    seen: Seen[KeptPerson] = unchanged(if_match, lambda one: _person(known_people, one))
    with field("name"):
        KeptPerson(PersonId("p-"), data.name)
    return shown(
        _person(known_people, known_people.rename(PersonId(person), data.name, caller.by, seen))
    )


@delete(
    "/people/{person:str}",
    status_code=HTTPStatus.OK,
    **call("erasePerson", "Forget a person for good", Right.ERASE, refused=CHANGE),
)
def erase_person(
    known_people: Given[People],
    caller: Given[Caller],
    locales: Given[Locales],
    person: PersonPath,
    if_match: IfMatch = None,
    locale: Locale = "en",
) -> Response[Erased]:
    """Keys, references, passes, consents and their part in permits; gives the receipt."""
    seen: Seen[KeptPerson] = unchanged(if_match, lambda one: _person(known_people, one))
    erased = known_people.erase(PersonId(person), caller.by, spoken(locale, locales), seen)
    return Response(erased, headers={"Cache-Control": "no-store"})


@get(
    "/people/{person:str}/consents",
    **call("listConsentsOfPerson", "List what a person agreed to", Right.READ, refused=ONE),
)
def list_consents(known_people: Given[People], person: PersonPath) -> Response[Page[Consent]]:
    """Oldest first, also what has ended."""
    return _consents(known_people, PersonId(person))


@post(
    "/people/{person:str}/withdrawal",
    status_code=HTTPStatus.OK,
    **call(
        "withdrawConsentsOfPerson", "Take all consents of a person back", Right.ERASE,
        refused=(*ONE, *NEW),
    ),
)  # fmt: skip
def withdraw_consents(
    request: Asked,
    known_people: Given[People],
    replies: Given[Replies],
    caller: Given[Caller],
    person: PersonPath,
    data: JSONBody[Withdrawal],
    key: IdempotencyKey = None,
) -> Response[Page[Consent]]:
    """It counts at once, and the references that they covered are destroyed."""

    def withdraw() -> str:
        known_people.withdraw(PersonId(person), data.asked_by, caller.by)
        return person

    done(replies, request, caller, key, data, withdraw)
    return _consents(known_people, PersonId(person))


@get(
    "/people/{person:str}/record",
    **call("exportPerson", "Give everything about a person", Right.EXPORT, refused=ONE),
)
def export_person(
    known_people: Given[People],
    caller: Given[Caller],
    locales: Given[Locales],
    person: PersonPath,
    reason: Why = None,
    locale: Locale = "en",
) -> Response[Mapping[str, object]]:
    """What is kept and what happened, for that person. That it was looked at, and why, is recorded
    before, and stands in it."""
    why = stated(reason)
    record = known_people.record(PersonId(person), why, spoken(locale, locales), caller.by)
    return Response(record, headers={"Cache-Control": "no-store"})


PEOPLE = [
    list_people, get_person, rename_person, erase_person, list_consents, withdraw_consents,
    export_person,
]  # fmt: skip


def _person(people: People, kept: KeptPerson) -> Person:
    return Person(kept.id, kept.name, people.agree_until((kept,)).get(kept.id))


def _consents(people: People, person: PersonId) -> Response[Page[Consent]]:
    return whole([agreed(one) for one in people.consents(person)])
