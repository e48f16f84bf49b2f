"""The API, version 1: everything that it has calls for, and the document that describes them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.serialization import encode_json
from litestar.types import Middleware

from postern.api.access_points import ACCESS_POINTS, Occupied, Places
from postern.api.call import MOST_BODY, caller, strict
from postern.api.consents import CONSENTS, Consents
from postern.api.credentials import CREDENTIALS, Credentials
from postern.api.events import EVENTS, Events
from postern.api.idempotency import Replies
from postern.api.locale import Locales
from postern.api.log import LOG, Ledger
from postern.api.people import PEOPLE, People
from postern.api.permits import PERMITS, Permits
from postern.api.schedules import SCHEDULES, Schedules
from postern.api.vehicles import VEHICLES, Vehicles
from postern.web.given import as_it_is
from postern.web.problem import refused

PATH = "/api/v1"
#: What whoever signed in is known by, and what a program is.
COOKIE = "__Host-postern"
_SECURITY = {
    "session": SecurityScheme(
        type="apiKey", name=COOKIE, security_scheme_in="cookie",
        description="Whoever signed in in a browser.",
    ),
    "key": SecurityScheme(
        type="http", scheme="bearer", description="A key that an administrator gave out."
    ),
}  # fmt: skip
_TAGGED = {
    "People": PEOPLE,
    "Vehicles": VEHICLES,
    "Consents": CONSENTS,
    "Credentials": CREDENTIALS,
    "Permits": PERMITS,
    "Schedules": SCHEDULES,
    "Access points and areas": ACCESS_POINTS,
    "Events and proofs": EVENTS,
    "Log": LOG,
}
_ABOUT = """\
What an operator can read and change, for programs. Nouns have addresses; what changes something
says which version it changes (`If-Match`), and what makes something may be repeated under the same
`Idempotency-Key`. Lists come in pages. Failures are problems (RFC 9457), in one form for all.

No call takes a picture, and none finds anybody by a face."""


@dataclass(frozen=True, slots=True)
class Nouns:
    """What the calls are about; each is handed to them by its name here.

    None of these names is that of anything that is sent: the framework would take what is wrong
    with that for a fault of ours.
    """

    known_people: People
    known_vehicles: Vehicles
    consents: Consents
    credentials: Credentials
    permits: Permits
    schedules: Schedules
    places: Places
    occupied: Occupied
    events: Events
    ledger: Ledger
    replies: Replies
    locales: Locales


def routes(nouns: Nouns) -> Router:
    """The calls of version 1, for an application of any sort."""
    given = {one.name: as_it_is(getattr(nouns, one.name)) for one in fields(nouns)}
    return Router(
        PATH,
        route_handlers=[Router("/", route_handlers=h, tags=[tag]) for tag, h in _TAGGED.items()],
        dependencies={**given, "caller": Provide(caller, sync_to_thread=False)},
        before_request=strict,
        request_max_body_size=MOST_BODY,
        security=[{"session": []}, {"key": []}],
    )


def document(*routers: Router) -> HTTPRouteHandler:
    """The call that describes the calls of some routers, in OpenAPI 3.1; there is no page beside
    it. Anybody may make it: it says nothing of a site."""
    config = OpenAPIConfig(
        title="Postern",
        version="1",
        description=_ABOUT,
        components=Components(security_schemes=dict(_SECURITY)),
        use_handler_docstrings=True,
    )
    schema = Litestar(routers, openapi_config=config, logging_config=None).openapi_schema
    text = encode_json(schema.to_schema())

    @get(f"{PATH}/openapi.json", include_in_schema=False, sync_to_thread=False)
    def described() -> Response[bytes]:
        return Response(text, headers={"Content-Type": "application/vnd.oai.openapi+json"})

    return described


def api_app(nouns: Nouns, middleware: Sequence[Middleware]) -> Litestar:
    """The application with these calls and no others.

    Args:
        nouns: What they are about.
        middleware: What tells who calls.
    """
    calls = routes(nouns)
    return Litestar(
        [calls, document(calls)],
        middleware=middleware,
        exception_handlers={Exception: refused},
        request_max_body_size=MOST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
