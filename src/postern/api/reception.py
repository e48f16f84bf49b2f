"""Everything that signing in has calls for, for an application of any sort."""

from dataclasses import dataclass, fields

from litestar import Router

from postern.api.keys import KEYS, Keys
from postern.api.me import ME, OwnThings
from postern.api.sessions import SESSIONS, OpenSessions
from postern.api.setup import SETUP, Setup
from postern.api.users import USERS, Users
from postern.web.authenticate import Front
from postern.web.given import as_it_is
from postern.web.sign_in import SignIns

#: Bytes of a request's body; a passkey's answer takes the most.
MOST_BODY = 64 * 1024
TAGGED = {
    "Sessions": SESSIONS,
    "What is your own": ME,
    "Users": USERS,
    "Keys": KEYS,
    "Setting up": SETUP,
}


@dataclass(frozen=True, slots=True)
class Ports:
    """What the calls are about; each is handed to them by its name here."""

    front: Front
    sign_ins: SignIns
    sessions: OpenSessions
    own: OwnThings
    users: Users
    keys: Keys
    setup: Setup


def routes(ports: Ports, path: str) -> Router:
    """The calls, below a path such as `/api/v1`; `Authenticate` has to stand before them."""
    return Router(
        path,
        route_handlers=[
            Router("/", route_handlers=calls, tags=[tag]) for tag, calls in TAGGED.items()
        ],
        dependencies={one.name: as_it_is(getattr(ports, one.name)) for one in fields(ports)},
        request_max_body_size=MOST_BODY,
        # Nobody after them reads in a browser's cache who may sign in, and by what.
        response_headers={"Cache-Control": "no-store"},
    )
