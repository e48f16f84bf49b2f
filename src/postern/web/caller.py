"""Who calls, and whether they may: asked before anything else of a call is read.

1. A call comes with a session's cookie or with a key, never with both.
2. What changes something by a cookie has to come from our own pages (`Sec-Fetch-Site`, `Origin`),
   and brings along what only they know.
3. Every handler says which right it asks for; one that does not is for nobody (a test).
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from postern.core.role import STEP_UP, Right
from postern.web.problem import RefusedError

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        by: As the log names them: `user:maria` or `key:payroll`.
        rights: What they may do.
        fresh: Whether they have proven who they are a few minutes ago at most. A key was given its
            rights by somebody who had.
    """

    by: str
    rights: frozenset[Right]
    fresh: bool


class Callers(Protocol):
    """Knows who calls."""

    def by_session(self, token: str) -> Caller | None:
        """Who signed in with that session, where it still stands.

        Raises:
            PosternError: `unavailable`.
        """
        ...

    def by_key(self, key: str) -> Caller | None:
        """Whose key that is, where it still stands.

        Raises:
            PosternError: `unavailable`.
        """
        ...


def needs(right: Right, *others: Right) -> Callable[[Connection, BaseRouteHandler], None]:
    """A guard that lets only those through who have a right, or one of some others.

    Raises:
        RefusedError: 401 for whoever is not signed in, 403 without the right, and 401 where they
            have to prove once more who they are.
    """

    def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        caller = connection.scope.get("user")
        if not isinstance(caller, Caller):
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "sign-in", "Nobody is signed in.", "Sign in first."
            )
        held = caller.rights.intersection((right, *others))
        if not held:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "not-allowed",
                f"{caller.by} may not do that: it takes the right {right.value!r}.",
                "Ask an administrator.",
            )
        if held <= STEP_UP and not caller.fresh:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "step-up",
                "This asks to prove once more that it is you.",
                "Confirm with your passkey, or your password and code.",
            )

    guard.rights = (right, *others)  # type: ignore[attr-defined]
    return guard
