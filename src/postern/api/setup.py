"""Setting a first password with a code: the site's first administrator's, or a new user's."""

from dataclasses import dataclass, field
from typing import Protocol

from litestar import Response, get, post
from litestar.params import JSONBody

from postern.api.sessions import Entered, OpenSessions, entered
from postern.web.authenticate import Front, for_everybody
from postern.web.given import Asked as Call
from postern.web.given import Given
from postern.web.sign_in import Opened


@dataclass(frozen=True, slots=True)
class Needed:
    """Whether nobody can administer the site yet: then its terminal shows a code."""

    needed: bool


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """A code, and the password that is to count; a new administrator chooses a name, too."""

    code: str = field(repr=False)
    password: str = field(repr=False)
    name: str = ""


class Setup(Protocol):
    """Where codes are used. Its methods may be called from any thread; each `unavailable`."""

    def needed(self) -> bool:
        """Whether nobody can administer the site yet."""
        ...

    def use(self, code: str, name: str, password: str, source: str) -> Opened:
        """A session for whoever has the code; 401, 429, `invalid`, `conflict`."""
        ...


@get("/setup", sync_to_thread=True, guards=[for_everybody], summary="See whether it is set up")
def needed(setup: Given[Setup]) -> Needed:
    """It is once there is an administrator."""
    return Needed(setup.needed())


@post("/setup", sync_to_thread=True, guards=[for_everybody], summary="Set a first password")
def use_code(
    request: Call, data: JSONBody[FirstPassword], setup: Given[Setup], front: Given[Front],
    sessions: Given[OpenSessions],
) -> Response[Entered]:  # fmt: skip
    """The code is used up, and whoever had it is signed in."""
    found = setup.use(data.code, data.name, data.password, front.source(request))
    return entered(request, found, sessions)


SETUP = (needed, use_code)
