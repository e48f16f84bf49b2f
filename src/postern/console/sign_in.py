"""Signing in, proving once more that it is you, setting a first password, and leaving.

Each form says what was wrong beside what was typed, and then leads back to where somebody was.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery
from litestar.params import URLEncodedBody as Form
from litestar.response import Redirect

from postern.console.pages import HEADERS, Pages
from postern.core.errors import PosternError
from postern.web.authenticate import (
    Front,
    for_everybody,
    no_cookie,
    session_cookie,
    signed_in,
    token_of,
)
from postern.web.given import Asked
from postern.web.problem import RefusedError, problem_status
from postern.web.sign_in import CodeWanted, Opened, SignIns

SIGN_IN, PROVE, SETUP = "/sign-in", "/prove", "/setup"
#: Where somebody goes who was nowhere before.
HOME = "/live"
#: Characters of where somebody was.
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody signs in by."""

    user: str = ""
    password: str = field(default="", repr=False)
    next: str = HOME


@dataclass(frozen=True, slots=True)
class Code:
    """The code that follows a password."""

    ticket: str = ""
    code: str = field(default="", repr=False)
    next: str = HOME


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody proves by that it is still they."""

    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    next: str = HOME


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """A code of the terminal's, and what is to count from now on."""

    code: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


class Sessions(Protocol):
    """Sessions by what a browser shows; as `postern.api.sessions.OpenSessions`."""

    def end(self, token: str) -> None:
        """Ends a session; nothing where there is none."""
        ...

    def prove(self, token: str, password: str, code: str | None, source: str) -> Opened:
        """The same session under a new token; 401 for what is wrong, 429 for who has to wait."""
        ...


class Setup(Protocol):
    """Where codes of the terminal's are used; as `postern.api.setup.Setup`."""

    def needed(self) -> bool:
        """Whether nobody can administer the site yet."""
        ...

    def use(self, code: str, name: str, password: str, source: str) -> Opened:
        """A session for whoever has the code; 401, 429, `invalid`, `conflict`."""
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that signing in takes.

    Attributes:
        front: How browsers reach the server.
        sign_ins: Signs people in.
        sessions: Everybody's sessions.
        setup: Where codes are used.
    """

    front: Front
    sign_ins: SignIns
    sessions: Sessions
    setup: Setup


def sign_in_pages(doors: Doors, pages: Pages) -> Router:
    """The pages.

    Args:
        doors: What signing in takes.
        pages: Makes HTML.
    """
    calls = (*_signing_in(doors, pages), *_setting_up(doors, pages), *_proving(doors, pages))
    return Router("/", route_handlers=calls, include_in_schema=False)


def _signing_in(doors: Doors, pages: Pages) -> tuple[HTTPRouteHandler, ...]:
    """A name and a password and, where somebody has codes, a code."""

    @get(SIGN_IN, sync_to_thread=True, guards=[for_everybody])
    def sign_in(request: Asked, next: FromQuery[str] = HOME) -> Response[str] | Redirect:
        if doors.setup.needed():
            return _go(SETUP)
        return _form(pages, request, "sign_in", next=_inside(next), user="")

    @post(SIGN_IN, sync_to_thread=True, guards=[for_everybody])
    def by_password(request: Asked, data: Form[Entry]) -> Response[str] | Redirect:
        there = _inside(data.next)
        try:
            source = doors.front.source(request)
            found = doors.sign_ins.by_password(data.user, data.password, source)
        except PosternError as error:
            return _form(pages, request, "sign_in", error, next=there, user=data.user)
        if isinstance(found, CodeWanted):
            return _form(pages, request, "sign_in_code", next=there, ticket=found.ticket)
        return _entered(doors, request, found, there)

    @post(f"{SIGN_IN}/code", sync_to_thread=True, guards=[for_everybody])
    def by_code(request: Asked, data: Form[Code]) -> Response[str] | Redirect:
        there = _inside(data.next)
        try:
            found = doors.sign_ins.by_code(data.ticket, data.code, doors.front.source(request))
        except PosternError as error:
            return _form(pages, request, "sign_in", error, next=there, user="")
        return _entered(doors, request, found, there)

    return sign_in, by_password, by_code


def _setting_up(doors: Doors, pages: Pages) -> tuple[HTTPRouteHandler, ...]:
    """A code of the terminal's, and the first password."""

    @get(SETUP, sync_to_thread=True, guards=[for_everybody])
    def setup(request: Asked) -> Response[str]:
        return _form(pages, request, "setup", first=doors.setup.needed(), user="")

    @post(SETUP, sync_to_thread=True, guards=[for_everybody])
    def use_code(request: Asked, data: Form[FirstPassword]) -> Response[str] | Redirect:
        try:
            source = doors.front.source(request)
            found = doors.setup.use(data.code, data.user, data.password, source)
        except PosternError as error:
            return _form(pages, request, "setup", error, first=doors.setup.needed(), user=data.user)
        return _entered(doors, request, found, HOME)

    return setup, use_code


def _proving(doors: Doors, pages: Pages) -> tuple[HTTPRouteHandler, ...]:
    """Whoever is signed in proves once more that it is they, or leaves."""

    @get(PROVE, guards=[signed_in])
    async def prove(request: Asked, next: FromQuery[str] = HOME) -> Response[str]:
        return _form(pages, request, "prove", next=_inside(next))

    @post(PROVE, sync_to_thread=True, guards=[signed_in])
    def proven(request: Asked, data: Form[Proof]) -> Response[str] | Redirect:
        there = _inside(data.next)
        try:
            found = doors.sessions.prove(
                token_of(request), data.password, data.code or None, doors.front.source(request)
            )
        except PosternError as error:
            return _form(pages, request, "prove", error, next=there)
        return _renewed(found, there)

    @post("/sign-out", sync_to_thread=True, guards=[signed_in])
    def sign_out(request: Asked) -> Redirect:
        doors.sessions.end(token_of(request))
        gone = _go(SIGN_IN)
        gone.cookies = [no_cookie()]
        gone.headers["Clear-Site-Data"] = '"cache"'
        return gone

    return prove, proven, sign_out


@get("/", guards=[for_everybody], include_in_schema=False)
async def home() -> Redirect:
    """Leads to where people begin."""
    return _go(HOME)


def way_back(error: PosternError, here: str) -> Redirect | None:
    """Where a page sends whoever has to sign in first, or to prove that it is they; None where the
    error is another."""
    kind = error.kind if isinstance(error, RefusedError) else ""
    page = {"sign-in": SIGN_IN, "step-up": PROVE}.get(kind)
    return None if page is None else _go(f"{page}?{urlencode({'next': _inside(here)})}")


def _form(
    pages: Pages,
    request: Asked,
    template: str,
    error: PosternError | None = None,
    **given: object,
) -> Response[str]:
    """A form, with what was wrong where something was."""
    status = HTTPStatus.OK if error is None else problem_status(error)
    return pages.page(request, template, status, error=error, **given)


def _entered(doors: Doors, request: Asked, opened: Opened, there: str) -> Redirect:
    """Leads on whoever has signed in; a session that they were in before is over."""
    if former := token_of(request):
        doors.sessions.end(former)
    return _renewed(opened, there)


def _renewed(opened: Opened, there: str) -> Redirect:
    gone = _go(there)
    gone.cookies = [session_cookie(opened.token)]
    return gone


def _go(there: str) -> Redirect:
    return Redirect(there, status_code=303, headers=dict(HEADERS))


def _inside(there: str) -> str:
    """A page of ours; whatever else a link says leads home."""
    ours = there.startswith("/") and not there.startswith(("//", "/\\")) and there.isprintable()
    return there if ours and len(there) <= _LONGEST else HOME
