"""Keys for programs."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from postern.core.api_key import ApiKey, check_key_days, check_key_name, check_key_rights
from postern.core.role import Right
from postern.web.caller import needs
from postern.web.given import Asked as Call
from postern.web.given import Given
from postern.web.problem import field as field_of

_MAY = [needs(Right.ADMIT)]


@dataclass(frozen=True, slots=True)
class Key:
    """A key.

    Attributes:
        name: What it is for.
        rights: What the program may do.
        created: When it was made.
        expires: When it ends.
        by: Who made it.
        used: The last day on which it was used; null if it never was.
    """

    name: str
    rights: list[Right]
    created: datetime
    expires: datetime
    by: str
    used: date | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is to be made."""

    name: str
    rights: list[Right]
    days: int


@dataclass(frozen=True, slots=True)
class Made:
    """A key that was made, and what the program has to show; that is seen once."""

    key: Key
    secret: str = field(repr=False)


class Keys(Protocol):
    """The site's keys. Its methods may be called from any thread; each `unavailable`."""

    def all(self) -> Sequence[ApiKey]:
        """Every key, by name; those included that have run out."""
        ...

    def add(self, name: str, rights: Set[Right], days: int, by: str) -> tuple[ApiKey, str]:
        """A new key, and what the program has to show; `invalid`, `conflict`."""
        ...

    def revoke(self, name: str, by: str) -> ApiKey:
        """Takes a key back; `not_found`."""
        ...


@get("/keys", sync_to_thread=True, guards=_MAY, summary="List keys")
def list_keys(keys: Given[Keys]) -> list[Key]:
    """By name; those included that have run out."""
    return [_shown(key) for key in keys.all()]


@post("/keys", sync_to_thread=True, guards=_MAY, summary="Make a key")
def add_key(request: Call, data: JSONBody[NewKey], keys: Given[Keys]) -> Made:
    """The answer has what the program shows as `Authorization: Bearer`: once."""
    with field_of("name"):
        check_key_name(data.name)
    with field_of("rights"):
        check_key_rights(frozenset(data.rights))
    with field_of("days"):
        check_key_days(data.days)
    key, secret = keys.add(data.name, frozenset(data.rights), data.days, request.user.by)
    return Made(_shown(key), secret)


@delete("/keys/{name:str}", sync_to_thread=True, guards=_MAY, summary="Revoke a key")
def revoke_key(request: Call, name: FromPath[str], keys: Given[Keys]) -> None:
    """It counts no more."""
    keys.revoke(name, request.user.by)


def _shown(key: ApiKey) -> Key:
    return Key(key.name, sorted(key.rights), key.created, key.expires, key.by, key.used)


KEYS = (list_keys, add_key, revoke_key)
