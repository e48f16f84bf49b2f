"""The console and the API of a site, put together from its parts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

from litestar import Litestar, Router

from postern.api.lanes import LANES
from postern.api.reception import MOST_BODY
from postern.api.reception import routes as reception_routes
from postern.api.v1 import PATH, document, routes
from postern.app.live.relay import Relay
from postern.app.site import ConsolePage
from postern.app.wire.installation import Installation
from postern.app.wire.nouns import nouns
from postern.app.wire.reception import Reception, desk, reception
from postern.app.wording import locales, wording
from postern.console.failures import Failures
from postern.console.lanes import Lane, Lanes
from postern.console.live import live_pages
from postern.console.pages import Pages, static_files
from postern.console.sign_in import Doors, home, sign_in_pages
from postern.web.audience import Audience
from postern.web.authenticate import Authenticate, Front
from postern.web.given import as_it_is

#: This machine's own numbers.
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Console:
    """What people and programs work with a site by.

    Attributes:
        app: Answers them.
        reception: Lets them in.
        audiences: Those who watch, to be let go of before the server ends.
    """

    app: Litestar
    reception: Reception
    audiences: tuple[Audience, ...]


def build_console(installation: Installation) -> Console:
    """The console and the API of a site."""
    site, front = installation.site, _front(installation.site.console)
    relay, there = Relay(site.data), reception(desk(installation), front.origin)
    watching = Audience(relay.standings)
    pages = Pages(site.name, {name: wording(name) for name in locales()})
    lanes = [
        Lane(number, str(point.id), str(point.direction), tuple(map(str, point.cameras)))
        for number, point in enumerate(site.access_points.values())
    ]
    shown = {name: Lanes(lanes, pages, name, site.zone) for name in pages.languages}
    relay.attach(watching)
    for one in shown.values():
        relay.attach(one)
    calls = (
        routes(nouns(installation)),
        reception_routes(there.ports(front), PATH),
        _live_calls(watching, relay),
    )
    doors = Doors(front, there.sign_in, there.counter, there.setup)
    app = Litestar(
        [
            *calls,
            document(*calls),
            home,
            sign_in_pages(doors, pages),
            live_pages(lanes, shown, relay, pages),
            static_files(),
        ],
        lifespan=[_following(relay)],
        middleware=[Authenticate(there.callers, front)],
        exception_handlers={Exception: Failures(pages, PATH).answer},
        request_max_body_size=MOST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Console(app, there, (watching, *(one.audience for one in shown.values())))


def _front(page: ConsolePage) -> Front:
    """How browsers reach it: where something in front of it encrypts, that says for whom."""
    behind = page.url is not None and page.certificate is None
    return Front(page.origin, _LOOPBACK if behind else frozenset())


def _live_calls(watching: Audience, relay: Relay) -> Router:
    return Router(
        PATH,
        route_handlers=LANES,
        tags=["Lanes"],
        dependencies={"happenings": as_it_is(watching), "opener": as_it_is(relay)},
    )


def _following(relay: Relay) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Follows the service as long as the server runs."""

    @asynccontextmanager
    async def following(_app: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(relay.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return following
