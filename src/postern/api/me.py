"""What users change of their own: their password, their codes and their passkeys.

Every call takes a session whose owner has proven minutes ago that it is they.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody

from postern.api.sessions import Entered, renewed
from postern.web.authenticate import Front, proven, token_of
from postern.web.given import Asked as Call
from postern.web.given import Given
from postern.web.problem import field as field_of
from postern.web.sign_in import Asked, CodesOffered, Opened


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that is to count from now on, with what counts at present."""

    former: str = field(repr=False)
    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FirstCode:
    """The first code of an app, which shows that it has what it was given."""

    ticket: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a device made, as the browser's `toJSON` gives it, and what its owner calls it."""

    ticket: str
    name: str
    answer: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey.

    Attributes:
        id: What it is called here.
        name: What its owner calls it.
        created: When it was added.
        used: When it was last used; null if it never was.
    """

    id: str
    name: str
    created: datetime
    used: datetime | None


class OwnThings(Protocol):
    """What is a user's own, by what their browser shows. Its methods may be called from any thread.

    Each refuses with 401 where there is no such session; `unavailable`.
    """

    def change_password(
        self, token: str, former: str, password: str, code: str | None, source: str
    ) -> Opened:
        """A new session in the place of all others; 401, 429, `invalid`."""
        ...

    def offer_codes(self, token: str) -> CodesOffered:
        """Codes for an app, which do not count yet."""
        ...

    def take_codes(self, token: str, ticket: str, code: str) -> None:
        """Has them count; 401, `invalid`."""
        ...

    def drop_codes(self, token: str, former: str, password: str, code: str, source: str) -> Opened:
        """A new session in the place of all others, without codes; 401, 429, `invalid`."""
        ...

    def passkeys(self, token: str) -> Sequence[Passkey]:
        """Their passkeys, oldest first."""
        ...

    def ask_new_passkey(self, token: str) -> Asked:
        """What a device is asked to make one; `conflict`."""
        ...

    def add_passkey(
        self, token: str, ticket: str, answer: Mapping[str, object], name: str
    ) -> Passkey:
        """The passkey that a device made; 401, `invalid`, `conflict`."""
        ...

    def remove_passkey(self, token: str, passkey: str) -> None:
        """Forgets one; `not_found`."""
        ...


@put("/me/password", sync_to_thread=True, guards=[proven], summary="Change your password")
def change_password(
    request: Call, data: JSONBody[NewPassword], own: Given[OwnThings], front: Given[Front]
) -> Response[Entered]:
    """All your other sessions end."""
    source = front.source(request)
    return renewed(
        own.change_password(token_of(request), data.former, data.password, data.code, source)
    )


@post(
    "/me/codes", status_code=HTTPStatus.OK, sync_to_thread=True, guards=[proven],
    summary="Get codes for an app",
)  # fmt: skip
def offer_codes(request: Call, own: Given[OwnThings]) -> CodesOffered:
    """They are shown once, and count as soon as one of them was sent back."""
    return own.offer_codes(token_of(request))


@put(
    "/me/codes", status_code=HTTPStatus.NO_CONTENT, sync_to_thread=True, guards=[proven],
    summary="Sign in with codes from now on",
)  # fmt: skip
def take_codes(request: Call, data: JSONBody[FirstCode], own: Given[OwnThings]) -> None:
    """Those that were got last; former ones count no more."""
    own.take_codes(token_of(request), data.ticket, data.code)


@post(
    "/me/codes/removal", sync_to_thread=True, guards=[proven],
    summary="Sign in without codes from now on",
)  # fmt: skip
def drop_codes(
    request: Call, data: JSONBody[NewPassword], own: Given[OwnThings], front: Given[Front]
) -> Response[Entered]:
    """With a new password, since one without codes is longer. All your other sessions end."""
    source, code = front.source(request), data.code or ""
    return renewed(own.drop_codes(token_of(request), data.former, data.password, code, source))


@get("/me/passkeys", sync_to_thread=True, guards=[proven], summary="List your passkeys")
def list_passkeys(request: Call, own: Given[OwnThings]) -> list[Passkey]:
    """Oldest first."""
    return list(own.passkeys(token_of(request)))


@post(
    "/me/passkeys/options", status_code=HTTPStatus.OK, sync_to_thread=True, guards=[proven],
    summary="Ask a device for a passkey",
)  # fmt: skip
def ask_new_passkey(request: Call, own: Given[OwnThings]) -> Asked:
    """For `navigator.credentials.create`."""
    return own.ask_new_passkey(token_of(request))


@post("/me/passkeys", sync_to_thread=True, guards=[proven], summary="Add a passkey")
def add_passkey(request: Call, data: JSONBody[NewPasskey], own: Given[OwnThings]) -> Passkey:
    """The one that a device made."""
    with field_of("name"):
        return own.add_passkey(token_of(request), data.ticket, data.answer, data.name)


@delete("/me/passkeys/{passkey:str}", sync_to_thread=True, guards=[proven], summary="Remove one")
def remove_passkey(request: Call, passkey: FromPath[str], own: Given[OwnThings]) -> None:
    """It signs nobody in any more."""
    own.remove_passkey(token_of(request), passkey)


ME = (
    change_password, offer_codes, take_codes, drop_codes, list_passkeys, ask_new_passkey,
    add_passkey, remove_passkey,
)  # fmt: skip
