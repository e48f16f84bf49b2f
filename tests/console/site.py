"""A console over a real socket, of a site that a test plays."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Litestar, Request
from litestar.types import ASGIApp, Receive, Scope, Send

from postern.app.live.relay import Relay
from postern.app.wording import locales, wording
from postern.console.lanes import Lane, Lanes
from postern.console.live import live_pages
from postern.console.pages import Pages, static_files
from postern.core.role import RIGHTS, Role
from postern.web.caller import Caller
from postern.web.problem import refused
from tests.app.live.site import Served
from tests.web.serving import serving

BERLIN = ZoneInfo("Europe/Berlin")


class Played:
    """A site that is played, and its console.

    Args:
        folder: Where its data are.
        role: Who looks; None for nobody.
    """

    def __init__(self, folder: Path, role: Role | None = Role.GUARD) -> None:
        self.served = Served(folder)
        self._caller = None if role is None else Caller("user:maria", RIGHTS[role], fresh=True)
        self._relay = Relay(self.served.site.data)

    @contextmanager
    def answers(self) -> Iterator[str]:
        """The console's address, while site and console answer."""
        with self.served.answers(), serving(self._app(), lasting=True) as address:
            yield address

    def looked_at(self) -> None:
        """Waits until the service knows that somebody looks: none is made for nobody."""
        until_s = time.monotonic() + 20
        while not self.served.feed.looking and time.monotonic() < until_s:
            time.sleep(0.02)

    @contextmanager
    def alone(self) -> Iterator[str]:
        """The console's address, where no service runs."""
        with serving(self._app(), lasting=True) as address:
            yield address

    def _app(self) -> Litestar:
        pages = Pages("Garage", {name: wording(name) for name in locales()})
        lanes = [
            Lane(number, str(point.id), str(point.direction), tuple(map(str, point.cameras)))
            for number, point in enumerate(self.served.site.access_points.values())
        ]
        watched = {name: Lanes(lanes, pages, name, BERLIN) for name in pages.languages}
        for one in watched.values():
            self._relay.attach(one)

        @asynccontextmanager
        async def following(_app: Litestar) -> AsyncIterator[None]:
            task = asyncio.create_task(self._relay.run())
            yield
            task.cancel()

        def named(app: ASGIApp) -> ASGIApp:
            async def called(scope: Scope, receive: Receive, send: Send) -> None:
                scope["user"] = self._caller
                await app(scope, receive, send)

            return called

        def failed(request: Request[Any, Any, Any], error: Exception) -> Any:
            return refused(request, error)

        return Litestar(
            [live_pages(lanes, watched, self._relay, pages), static_files()],
            lifespan=[following],
            middleware=[named],
            exception_handlers={Exception: failed},
            openapi_config=None,
            logging_config=None,
        )
