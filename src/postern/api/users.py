"""Users: who may sign in, and what they are there for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from litestar import get, patch, post
from litestar.params import FromPath, JSONBody

from postern.core.errors import invalid
from postern.core.role import Right, Role
from postern.core.user import User as KeptUser
from postern.core.user import check_user_name
from postern.web.caller import needs
from postern.web.given import Asked as Call
from postern.web.given import Given
from postern.web.problem import field as field_of

_MAY = [needs(Right.ADMIT)]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in, or once might.

    Attributes:
        name: What they type.
        role: What they are there for.
        enabled: Whether they may sign in.
        created: When they were added.
        signs_in_by: Their password, codes and passkeys, in words; empty where they have to set a
            password first.
    """

    name: str
    role: Role
    enabled: bool
    created: datetime
    signs_in_by: list[str]


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who is to be able to sign in."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change of a user; what is absent stays."""

    role: Role | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """A user, and the code by which they set their password; it is shown once."""

    user: User
    code: str = field(repr=False)


class Users(Protocol):
    """The site's users. Its methods may be called from any thread; each `unavailable`."""

    def all(self) -> Sequence[KeptUser]:
        """Every user, by name."""
        ...

    def named(self, name: str) -> KeptUser:
        """One of them; `not_found`."""
        ...

    def means(self, user: KeptUser) -> Sequence[str]:
        """What one signs in by, in words."""
        ...

    def add(self, name: str, role: Role, by: str) -> tuple[KeptUser, str]:
        """A new one, with their code; `invalid`, `conflict`."""
        ...

    def enable(self, name: str, by: str) -> KeptUser:
        """Lets one sign in again; `not_found`."""
        ...

    def disable(self, name: str, by: str) -> KeptUser:
        """Shuts one out; `not_found`, `conflict`."""
        ...

    def give_role(self, name: str, role: Role, by: str) -> KeptUser:
        """Gives one another role; `not_found`, `conflict`."""
        ...

    def reset(self, name: str, by: str) -> tuple[KeptUser, str]:
        """Takes away what one signs in by, and gives a code; `not_found`."""
        ...


@get("/users", sync_to_thread=True, guards=_MAY, summary="List users")
def list_users(users: Given[Users]) -> list[User]:
    """By name; those included that may not sign in any more."""
    return [_shown(user, users) for user in users.all()]


@post("/users", sync_to_thread=True, guards=_MAY, summary="Add a user")
def add_user(request: Call, data: JSONBody[NewUser], users: Given[Users]) -> Coded:
    """The answer has the code by which they set their password: once, and for a day."""
    with field_of("name"):
        check_user_name(data.name)
    user, code = users.add(data.name, data.role, request.user.by)
    return Coded(_shown(user, users), code)


@get("/users/{name:str}", sync_to_thread=True, guards=_MAY, summary="See a user")
def see_user(name: FromPath[str], users: Given[Users]) -> User:
    """One of them."""
    return _shown(users.named(name), users)


@patch("/users/{name:str}", sync_to_thread=True, guards=_MAY, summary="Change a user")
def change_user(
    request: Call, name: FromPath[str], data: JSONBody[Change], users: Given[Users]
) -> User:
    """Their role, or whether they may sign in: one at a time. All their sessions end."""
    by = request.user.by
    if (data.role is None) == (data.enabled is None):
        raise invalid("Either a role or `enabled` is to change.", "Send one of them.")
    if data.role is not None:
        return _shown(users.give_role(name, data.role, by), users)
    user = users.enable(name, by) if data.enabled else users.disable(name, by)
    return _shown(user, users)


@post("/users/{name:str}/reset", sync_to_thread=True, guards=_MAY, summary="Start a user anew")
def reset_user(request: Call, name: FromPath[str], users: Given[Users]) -> Coded:
    """Password, codes, passkeys and sessions are gone; the answer has a code for a new password."""
    user, code = users.reset(name, request.user.by)
    return Coded(_shown(user, users), code)


def _shown(user: KeptUser, users: Users) -> User:
    by = list(users.means(user))
    return User(user.name, user.role, user.enabled, user.created, by)


USERS = (list_users, add_user, see_user, change_user, reset_user)
