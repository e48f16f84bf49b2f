"""A reception that is served for real, and browsers and programs that call it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar, get, post

from postern.api.reception import routes
from postern.core.role import Right
from postern.web.authenticate import COOKIE, Authenticate, Front
from postern.web.caller import needs
from postern.web.given import Asked
from postern.web.problem import refused
from tests.app.signin.front_desk import ORIGIN, FrontDesk, front_desk
from tests.web.serving import serving

API = "/api/v1"


@get("/api/v1/watched", guards=[needs(Right.WATCH)])
async def watched(request: Asked) -> str:
    return str(request.user.by)


@post("/api/v1/opened", guards=[needs(Right.OPEN)])
async def opened(request: Asked) -> str:
    return str(request.user.by)


def app(front: FrontDesk, proxies: frozenset[str] = frozenset()) -> Litestar:
    """The calls of signing in, one that looks and one that changes something."""
    ports = front.reception.ports(Front(ORIGIN, proxies))
    return Litestar(
        [routes(ports, API), watched, opened],
        middleware=[Authenticate(front.reception.callers, ports.front)],
        exception_handlers={Exception: refused},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


@dataclass
class Browser:
    """A browser with a page of the site open. It keeps the cookie, which this connection is too
    plain for, and what the page knows.

    Attributes:
        client: What calls.
        site: What it says of where its calls come from.
        origin: Likewise.
    """

    client: httpx.Client
    site: str | None = "same-origin"
    origin: str | None = ORIGIN
    token: str = ""
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The answer to a call of the page's."""
        said = {
            "Sec-Fetch-Site": self.site,
            "Origin": self.origin,
            "X-CSRF-Token": self.csrf or None,
        }
        headers = {name: value for name, value in said.items() if value is not None}
        if self.token:
            headers["Cookie"] = f"{COOKIE}={self.token}"
        answer = self.client.request(
            method, f"{API}{path}", headers={**headers, **self.headers}, json=body
        )
        self._keep(answer)
        return answer

    def enter(self, user: str, password: str) -> httpx.Response:
        """Signs in by a password."""
        return self.call("POST", "/sessions", {"user": user, "password": password})

    def _keep(self, answer: httpx.Response) -> None:
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, rest = cookie.partition("=")
            if name == COOKIE:
                self.token = rest.partition(";")[0].strip('"')
        is_json = answer.headers.get("content-type") == "application/json"
        told: Any = answer.json() if is_json else {}
        if isinstance(told, dict) and "csrf" in told:
            self.csrf = told["csrf"]


@dataclass
class ServedDesk:
    """A reception that is served.

    Attributes:
        front: The reception.
        address: Where.
    """

    front: FrontDesk
    address: str
    clients: list[httpx.Client]

    def browser(self, **said: Any) -> Browser:
        return Browser(self.client(), **said)

    def client(self) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=self.address))
        return self.clients[-1]

    def program(self, key: str) -> httpx.Client:
        client = self.client()
        client.headers["Authorization"] = f"Bearer {key}"
        return client


@contextmanager
def served_desk(folder: Path, proxies: frozenset[str] = frozenset()) -> Iterator[ServedDesk]:
    """A reception in that folder, served meanwhile."""
    with front_desk(folder) as front, serving(app(front, proxies)) as address:
        there = ServedDesk(front, address, [])
        try:
            yield there
        finally:
            for client in there.clients:
                client.close()
