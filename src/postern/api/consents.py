"""Consents: what people agreed to, in the words they were shown, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from postern.api.call import NEW, ONE, call
from postern.api.idempotency import IdempotencyKey, Replies, done
from postern.api.locale import Locale, Locales, spoken
from postern.api.version import IfNoneMatch, shown
from postern.core.consent import Consent as KeptConsent
from postern.core.consent import StorageMode
from postern.core.ids import ConsentId
from postern.core.role import Right
from postern.web.caller import Caller
from postern.web.given import Asked, Given


class AskedBy(StrEnum):
    """Who wants a consent to end."""

    PERSON = "person"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to.

    Attributes:
        id: Its id.
        person: Whose it is.
        purpose: What for.
        access_points: Where.
        mode: How the reference of their face may be kept.
        text_version: Which version of the site's text they were shown.
        given: When they agreed.
        expires: When it ends by itself.
        withdrawn: When it was taken back, or found to have ended; null while it stands.
    """

    id: str
    person: str
    purpose: str
    access_points: Sequence[str]
    mode: StorageMode
    text_version: str
    given: datetime
    expires: datetime
    withdrawn: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a text.

    Attributes:
        heading: What it is about.
        text: What it says.
    """

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """The words that a person was shown.

    Attributes:
        consent: What they agreed to by them.
        text: Its parts; none where the text is not kept in that language.
    """

    consent: str
    text: Sequence[Part]


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Taking a consent back."""

    asked_by: AskedBy = AskedBy.OPERATOR


class Clause(Protocol):
    """One part of a text."""

    @property
    def heading(self) -> str:
        """What it is about."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...


class Consents(Protocol):
    """What people agreed to. Its methods may be called from any thread."""

    def find(self, consent: ConsentId) -> KeptConsent:
        """One of them; `not_found`, `unavailable`."""
        ...

    def text(self, consent: ConsentId, locale: str) -> Sequence[Clause]:
        """What its person was shown; `not_found`, `unavailable`."""
        ...

    def withdraw(self, consent: ConsentId, asked_by: AskedBy, by: str) -> None:
        """Takes one back; `not_found`, `unavailable`."""
        ...


@get(
    "/consents/{consent:str}",
    **call("getConsent", "Show a consent", Right.READ, refused=ONE),
)
def get_consent(
    consents: Given[Consents], consent: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[Consent]:
    """Also one that has ended."""
    return shown(agreed(consents.find(ConsentId(consent))), if_none_match)


@get(
    "/consents/{consent:str}/text",
    **call("getTextOfConsent", "Show the words that were agreed to", Right.READ, refused=ONE),
)
def get_text(
    consents: Given[Consents],
    locales: Given[Locales],
    consent: FromPath[str],
    locale: Locale = "en",
) -> Response[ConsentText]:
    """Word for word as the person was shown them, in any language that the site has them in."""
    found = consents.text(ConsentId(consent), spoken(locale, locales))
    parts = [Part(one.heading, one.text) for one in found]
    return Response(ConsentText(consent, parts), headers={"Cache-Control": "no-store"})


@post(
    "/consents/{consent:str}/withdrawal",
    status_code=HTTPStatus.OK,
    **call("withdrawConsent", "Take one consent back", Right.ERASE, refused=(*ONE, *NEW)),
)
def withdraw_consent(
    request: Asked,
    consents: Given[Consents],
    replies: Given[Replies],
    caller: Given[Caller],
    consent: FromPath[str],
    data: JSONBody[Withdrawal],
    key: IdempotencyKey = None,
) -> Response[Consent]:
    """It counts at once, and what nothing else covers is destroyed; twice is the same."""

    def withdraw() -> str:
        consents.withdraw(ConsentId(consent), data.asked_by, caller.by)
        return consent

    done(replies, request, caller, key, data, withdraw)
    return shown(agreed(consents.find(ConsentId(consent))))


CONSENTS = [get_consent, get_text, withdraw_consent]


def agreed(kept: KeptConsent) -> Consent:
    """A consent as it is shown."""
    return Consent(
        kept.id, kept.person, kept.purpose, sorted(kept.places), kept.mode, kept.text_version,
        kept.given, kept.expires, kept.withdrawn,
    )  # fmt: skip
