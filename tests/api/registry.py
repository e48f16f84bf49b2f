"""A site's whole API, served for real, and those who call it.

The site is the one of the commands' tests: a barrier that sees plates and a door that sees faces.
Zoe and Ömer are on its roster. Who calls is told by a header, in place of signing in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from litestar.types import ASGIApp, Receive, Scope, Send

from postern.api.v1 import PATH, api_app
from postern.app.wire import Installation, nouns, open_site, read_site
from postern.core.role import RIGHTS, Role
from postern.web.caller import Caller
from tests.cli.conftest import SITE
from tests.cli.enrolled import ROSTER, enrol
from tests.media import write_picture
from tests.web.serving import serving

ROLE, STALE = "X-Test-Role", "X-Test-Stale"
WHY = "a bicycle was stolen from the yard"


def told(app: ASGIApp) -> ASGIApp:
    """Takes whoever calls for whom they say they are."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        role = headers.get(ROLE.lower().encode(), b"").decode()
        fresh = STALE.lower().encode() not in headers
        scope["user"] = Caller(f"user:{role}", RIGHTS[Role(role)], fresh) if role else None
        await app(scope, receive, send)

    return call


@dataclass(frozen=True)
class Desk:
    """Somebody at the API, and the site behind it."""

    client: httpx.Client
    site: Installation
    address: str

    def call(
        self, method: str, path: str, role: Role = Role.ADMINISTRATOR, **options: Any
    ) -> httpx.Response:
        """What a call is answered."""
        headers = {ROLE: role.value, **options.pop("headers", {})}
        return self.client.request(method, f"{PATH}{path}", headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """What is shown."""
        answer = self.call("GET", path, **options)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    def version(self, path: str) -> dict[str, str]:
        """The header to change something by."""
        return {"If-Match": self.call("GET", path).headers["ETag"]}

    def changed(self, method: str, path: str, at: str = "", **options: Any) -> httpx.Response:
        """What a change is answered that says which version it is about."""
        headers = self.version(at or path)
        return self.call(method, path, headers=headers, **options)

    def walked(self, path: str, **query: Any) -> list[Any]:
        """Everything on a list, page after page, by its links."""
        answer = self.call("GET", path, params=query)
        found: list[Any] = answer.json()["items"]
        while link := answer.links.get("next"):
            assert answer.json()["next"]
            headers = {ROLE: Role.ADMINISTRATOR.value}
            answer = self.client.get(link["url"], headers=headers)
            found += answer.json()["items"]
            assert len(found) < 10_000
        assert answer.json()["next"] is None
        return found

    def events(self) -> list[str]:
        """What was recorded, newest first: its kind, or what was changed and by whom."""
        return [
            f"{e['said']['what']} by {e['said']['by']}" if e["kind"] == "changed" else e["kind"]
            for e in self.get("/events")["items"]
        ]


@contextmanager
def opened_desk(folder: Path) -> Iterator[Desk]:
    """The API of the site in a new folder."""
    (folder / "site.toml").write_text(SITE + ROSTER, "utf-8")
    write_picture(folder / "lane.png", 3)
    enrol(folder, "Zoe")
    enrol(folder, "Ömer")
    with open_site(read_site(folder / "site.toml")) as site:
        app = api_app(nouns(site), [told])
        with (
            serving(app) as address,
            httpx.Client(base_url=address, trust_env=False, timeout=30) as client,
        ):
            yield Desk(client, site, address)


def faults(answer: httpx.Response) -> dict[str, str]:
    """What is wrong with which field, and what is allowed."""
    assert 422 == answer.status_code, answer.text
    return {one["field"]: one["message"] for one in answer.json()["errors"]}
