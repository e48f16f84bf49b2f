"""Who calls is found out before anything else of a call is read.

1. A cookie or a key, never both: nobody has to guess which of them counted.
2. What changes something without a key comes from our own pages. Browsers say so by themselves
   (`Sec-Fetch-Site`, `Origin`), also where nobody is signed in yet: being signed in as somebody
   else is an attack, too.
3. In a session it brings along what only our own pages can read, beside that.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus

from litestar.concurrency import sync_to_thread
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType, ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from postern.web.caller import Caller, Callers, Connection
from postern.web.given import Asked
from postern.web.problem import RefusedError

#: Kept by a browser for this very host and over TLS only (RFC 6265bis, section 4.1.3.2).
COOKIE = "__Host-postern"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = frozenset({RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART})
_BEARER = "bearer "
#: Characters of what is shown: no key and no token is longer.
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Front:
    """How callers reach the server.

    Attributes:
        origin: The public address of the site, such as `https://door.example`.
        proxies: Numbers of the machines that hand calls on and say for whom; nobody else is
            believed.
    """

    origin: str
    proxies: frozenset[str] = frozenset()

    def source(self, connection: Connection) -> str:
        """The number of whoever calls; empty where a proxy does not say."""
        peer = connection.client.host if connection.client else ""
        if peer not in self.proxies:
            return peer
        said = ",".join(connection.headers.getall("X-Forwarded-For", []))
        # The last that is not a proxy of ours; what stands before it anybody can have written.
        for one in reversed([part.strip() for part in said.split(",")]):
            if one not in self.proxies:
                return one
        return ""


class Authenticate(ASGIMiddleware):
    """Finds out who calls, and refuses what does not come from where it says.

    Args:
        callers: Knows who calls.
        front: How they reach the server.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, callers: Callers, front: Front) -> None:
        self._callers = callers
        self._front = front

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Sets the caller, None where it is nobody, and goes on.

        Raises:
            RefusedError: 400 for both a cookie and a key, 401 for a key that does not count, 403
                for what does not come from our own pages.
            PosternError: `unavailable`.
        """
        request = Asked(scope, receive)
        token, key = token_of(request), _key_of(request)
        if key is not None:
            if token:
                raise RefusedError(
                    HTTPStatus.BAD_REQUEST, "two-callers", "Both a session and a key came along.",
                    "Send one of them.",
                )  # fmt: skip
            scope["user"] = await self._by_key(key)
        else:
            caller = await sync_to_thread(self._callers.by_session, token) if token else None
            if request.method not in _SAFE:
                self._check_origin(request)
                if caller is not None:
                    await _check_csrf(request, token)
            scope["user"] = caller
        await next_app(scope, receive, send)

    async def _by_key(self, key: str) -> Caller:
        caller = await sync_to_thread(self._callers.by_key, key)
        if caller is None:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "key",
                "This key is unknown, was revoked, or has run out.",
                "Make another one: postern key add",
            )
        return caller

    def _check_origin(self, request: Asked) -> None:
        site = request.headers.get("Sec-Fetch-Site", "none")
        origin = request.headers.get("Origin", "")
        same = site == "same-origin" and origin in ("", self._front.origin)
        if not (same or (site == "none" and origin == self._front.origin)):
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "origin",
                "This does not come from the site's own pages.",
                f"Open {self._front.origin}; a program calls with a key.",
            )


def token_of(connection: Connection) -> str:
    """What a browser shows to be in its session; empty where it shows nothing."""
    return connection.cookies.get(COOKIE, "")[:_LONGEST]


def csrf_of(token: str) -> str:
    """What pages of a session bring along with every change; nobody can tell it from another."""
    return hmac.digest(token.encode("utf-8", "replace"), b"postern csrf 1", sha256).hex()


def session_cookie(token: str) -> Cookie:
    """The cookie of a session; it is gone when the browser is closed."""
    return Cookie(COOKIE, path="/", value=token, secure=True, httponly=True, samesite="lax")


def no_cookie() -> Cookie:
    """Takes the cookie of a session away."""
    return Cookie(COOKIE, path="/", value="", max_age=0, secure=True, httponly=True, samesite="lax")


def for_everybody(_connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard that says that a call is for whoever can reach the server, signed in or not."""


def signed_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard that lets those through who are in a session, for what is their own.

    Raises:
        RefusedError: 401 for whoever is not, programs with keys among them.
    """
    caller = connection.scope.get("user")
    if not isinstance(caller, Caller) or not token_of(connection):
        raise RefusedError(
            HTTPStatus.UNAUTHORIZED, "sign-in", "Nobody is signed in.", "Sign in first."
        )


def proven(connection: Connection, handler: BaseRouteHandler) -> None:
    """Likewise, but only those who have proven minutes ago that it is they.

    Raises:
        RefusedError: 401 for whoever is not, or has not.
    """
    signed_in(connection, handler)
    if not connection.scope["user"].fresh:
        raise RefusedError(
            HTTPStatus.UNAUTHORIZED,
            "step-up",
            "This asks to prove once more that it is you.",
            "Confirm with your passkey, or your password and code.",
        )


async def _check_csrf(request: Asked, token: str) -> None:
    brought = request.headers.get(CSRF_HEADER)
    if brought is None and request.content_type[0] in _FORMS:
        form = await request.form()  # Kept by the framework for the handler that comes after.
        brought = form.get(CSRF_FIELD)
    wanted = csrf_of(token).encode()
    if not (
        isinstance(brought, str) and hmac.compare_digest(brought.encode("utf-8", "replace"), wanted)
    ):
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "csrf",
            "This call does not say that it comes from a page of your session.",
            f"Send {CSRF_HEADER}, as GET /api/v1/sessions/current gives it.",
        )


def _key_of(request: Asked) -> str | None:
    written = request.headers.get("Authorization")
    if written is None:
        return None
    # Whatever else stands there is a key that does not count.
    known = written[: len(_BEARER)].lower() == _BEARER
    return written[len(_BEARER) :].strip()[:_LONGEST] if known else ""
