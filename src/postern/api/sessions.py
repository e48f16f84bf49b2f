"""Sessions: signing in, proving once more that it is you, and leaving.

Signing in takes a name and a password and, where somebody has codes, a code; or a passkey alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol, cast

from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from postern.core.role import RIGHTS, Right, Role
from postern.core.user import User
from postern.web.authenticate import (
    Front,
    csrf_of,
    for_everybody,
    no_cookie,
    session_cookie,
    signed_in,
    token_of,
)
from postern.web.given import Asked as Call
from postern.web.given import Given
from postern.web.sign_in import Asked, CodeWanted, Opened, SignIns


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody signs in by."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody proves by that it is they; a code where they have codes."""

    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Code:
    """The code that follows a password."""

    ticket: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a passkey answered, as the browser's `toJSON` gives it."""

    ticket: str
    answer: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is signed in.

    Attributes:
        user: Their name.
        role: What they are there for.
        csrf: What every change in this session brings along.
    """

    user: str
    role: Role
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Current:
    """Whose session it is, and how it stands.

    Attributes:
        user: Their name.
        role: What they are there for.
        rights: What they may do.
        fresh: Whether they proved minutes ago that it is they.
        until: When it ends at the latest.
        codes: Whether they sign in with codes.
        csrf: What every change in this session brings along.
    """

    user: str
    role: Role
    rights: list[Right]
    fresh: bool
    until: datetime
    codes: bool
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StandingSession:
    """A session that stands; as `Current`."""

    user: User
    fresh: bool
    until: datetime
    codes: bool


class OpenSessions(Protocol):
    """Sessions by what a browser shows. Its methods may be called from any thread.

    Each refuses with 401 where there is no such session; `unavailable`.
    """

    def current(self, token: str) -> StandingSession:
        """The session."""
        ...

    def end(self, token: str) -> None:
        """Ends it; nothing where there is none."""
        ...

    def end_all(self, token: str) -> None:
        """Ends it, with all others of that user."""
        ...

    def prove(self, token: str, password: str, code: str | None, source: str) -> Opened:
        """The same session under a new token; 401 for what is wrong, 429 for who has to wait."""
        ...

    def ask_proof(self, token: str, source: str) -> Asked:
        """What one of that user's passkeys is asked."""
        ...

    def prove_by_passkey(self, token: str, ticket: str, answer: Mapping[str, object]) -> Opened:
        """The same session under a new token; 401 for what is wrong."""
        ...


@post("/sessions", sync_to_thread=True, guards=[for_everybody], summary="Sign in by a password")
def sign_in(
    request: Call, data: JSONBody[Entry], sign_ins: Given[SignIns], front: Given[Front],
    sessions: Given[OpenSessions],
) -> Response[Entered | CodeWanted]:  # fmt: skip
    """A session (201), or a ticket for the code that is to follow (202)."""
    found = sign_ins.by_password(data.user, data.password, front.source(request))
    if isinstance(found, CodeWanted):
        return Response(found, status_code=HTTPStatus.ACCEPTED)
    return cast(Response[Entered | CodeWanted], entered(request, found, sessions))


@post("/sessions/code", sync_to_thread=True, guards=[for_everybody], summary="Sign in by a code")
def sign_in_by_code(
    request: Call, data: JSONBody[Code], sign_ins: Given[SignIns], front: Given[Front],
    sessions: Given[OpenSessions],
) -> Response[Entered]:  # fmt: skip
    """After a password that was right."""
    found = sign_ins.by_code(data.ticket, data.code, front.source(request))
    return entered(request, found, sessions)


@post(
    "/sessions/passkey-options", status_code=HTTPStatus.OK, sync_to_thread=True,
    guards=[for_everybody], summary="Ask a passkey",
)  # fmt: skip
def ask_passkey(request: Call, sign_ins: Given[SignIns], front: Given[Front]) -> Asked:
    """For `navigator.credentials.get`; no name is given, so that none is told."""
    return sign_ins.ask_passkey(front.source(request))


@post(
    "/sessions/passkey", sync_to_thread=True, guards=[for_everybody], summary="Sign in by a passkey"
)
def sign_in_by_passkey(
    request: Call, data: JSONBody[Answer], sign_ins: Given[SignIns], front: Given[Front],
    sessions: Given[OpenSessions],
) -> Response[Entered]:  # fmt: skip
    """Which is two factors in one: the device, and whoever unlocks it."""
    found = sign_ins.by_passkey(data.ticket, data.answer, front.source(request))
    return entered(request, found, sessions)


@get("/sessions/current", sync_to_thread=True, guards=[signed_in], summary="See your session")
def current(request: Call, sessions: Given[OpenSessions]) -> Current:
    """Whose it is, what they may do, and what changes bring along."""
    token = token_of(request)
    found = sessions.current(token)
    rights = sorted(RIGHTS[found.user.role])
    return Current(
        found.user.name, found.user.role, rights, found.fresh, found.until, found.codes,
        csrf_of(token),
    )  # fmt: skip


@post(
    "/sessions/current/proof", sync_to_thread=True, guards=[signed_in],
    summary="Prove once more that it is you, by your password",
)  # fmt: skip
def prove(
    request: Call, data: JSONBody[Proof], sessions: Given[OpenSessions], front: Given[Front]
) -> Response[Entered]:
    """With a code, where you have codes. The session goes on under a new token."""
    source = front.source(request)
    return renewed(sessions.prove(token_of(request), data.password, data.code, source))


@post(
    "/sessions/current/passkey-options", status_code=HTTPStatus.OK, sync_to_thread=True,
    guards=[signed_in], summary="Ask one of your passkeys",
)  # fmt: skip
def ask_proof(request: Call, sessions: Given[OpenSessions], front: Given[Front]) -> Asked:
    """For `navigator.credentials.get`."""
    return sessions.ask_proof(token_of(request), front.source(request))


@post(
    "/sessions/current/passkey-proof", sync_to_thread=True, guards=[signed_in],
    summary="Prove once more that it is you, by a passkey",
)  # fmt: skip
def prove_by_passkey(
    request: Call, data: JSONBody[Answer], sessions: Given[OpenSessions]
) -> Response[Entered]:
    """The session goes on under a new token."""
    return renewed(sessions.prove_by_passkey(token_of(request), data.ticket, data.answer))


@delete("/sessions/current", sync_to_thread=True, guards=[signed_in], summary="Leave")
def leave(request: Call, sessions: Given[OpenSessions]) -> Response[None]:
    """This session."""
    sessions.end(token_of(request))
    return gone()


@delete("/sessions", sync_to_thread=True, guards=[signed_in], summary="Leave everywhere")
def leave_everywhere(request: Call, sessions: Given[OpenSessions]) -> Response[None]:
    """This session, and all others of yours."""
    sessions.end_all(token_of(request))
    return gone()


def entered(request: Call, opened: Opened, sessions: OpenSessions) -> Response[Entered]:
    """The answer to whoever has signed in; a session that they were in before is over."""
    if former := token_of(request):
        sessions.end(former)
    return renewed(opened)


def renewed(opened: Opened) -> Response[Entered]:
    """The answer to whoever goes on under a new token."""
    shown = Entered(opened.user.name, opened.user.role, csrf_of(opened.token))
    return Response(shown, cookies=[session_cookie(opened.token)])


def gone() -> Response[None]:
    """The answer to whoever has left: their browser forgets all of it."""
    cookie: Cookie = no_cookie()
    return Response(None, cookies=[cookie], headers={"Clear-Site-Data": '"cache"'})


SESSIONS = (
    sign_in, sign_in_by_code, ask_passkey, sign_in_by_passkey, current, prove, ask_proof,
    prove_by_passkey, leave, leave_everywhere,
)  # fmt: skip
