"""What a running service tells, passed on to whoever watches from elsewhere.

1. One connection to the service, whoever watches; a second one for pictures, while anybody looks.
2. What was told last of everything is kept, for whoever comes later. Attempts and pictures are not.
3. While no service answers, that is what is told, and it is asked again every second.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import httpx

from postern.app.live.socket import reachable
from postern.core.errors import Code, PosternError
from postern.core.ports import Report
from postern.engine.supervise import shielded
from postern.web.audience import QUIET_S, Told

#: Seconds between two tries to reach the service, and between two looks at whether anybody looks.
_RETRY_S, _LOOK_S = 1.0, 0.25
#: Seconds for the service to answer; opening takes two at most.
_ANSWER_S = 5.0
#: Nobody's name: the socket says where it is.
_HOST = "http://service"
_DOWN = "The service does not run, or does not answer."


class Listener(Protocol):
    """To whom what happens is passed on."""

    @property
    def looking(self) -> bool:
        """Whether anybody there looks at pictures."""
        ...

    def tell(self, told: Told) -> None:
        """Takes what was told, at once."""
        ...


class Relay:
    """Hears a service that runs in another process. All of it goes on in one loop's thread.

    Args:
        folder: The site's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._standing: dict[str, Told] = {}
        self._up = False
        self._listeners: list[Listener] = []

    def attach(self, listener: Listener) -> None:
        """Passes on how everything stands, and what happens from now on, to one more."""
        self._listeners.append(listener)
        for told in self.standings():
            listener.tell(told)

    def standings(self) -> Iterator[Told]:
        """How everything stands, as it was told last."""
        yield self._service()
        yield from self._standing.values()

    async def run(self) -> None:
        """Follows the service until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._follow_pictures())

    async def release(self, access_point: str, by: str, why: str) -> Report:
        """Has the service open an access point; as `Releases.release`.

        Raises:
            PosternError: `unavailable` where no service answers; as the service answers otherwise.
        """
        body, place = {"by": by, "why": why}, quote(access_point, safe="")
        try:
            async with self._asking(_ANSWER_S) as client:
                answer = await client.post(f"{_HOST}/access-points/{place}/release", json=body)
        except (httpx.HTTPError, OSError):
            raise PosternError(Code.UNAVAILABLE, _DOWN, "Start it: postern run") from None
        told = answer.json()
        if answer.is_error:
            raise _refusal(told)
        return Report(bool(told["done"]), str(told["detail"]))

    async def _follow(self) -> None:
        while True:
            try:
                async with aclosing(self._heard(pictures=False)) as heard:
                    async for told in heard:
                        self._set_up(True)
                        self._take(told)
            except (httpx.HTTPError, OSError):
                pass
            self._set_up(False)
            await asyncio.sleep(_RETRY_S)

    async def _follow_pictures(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self._looking():
                continue
            try:
                async with aclosing(self._heard(pictures=True)) as heard:
                    async for told in heard:
                        if told.picture:
                            self._pass_on(told)
                        if not self._looking():
                            break
            except (httpx.HTTPError, OSError):
                await asyncio.sleep(_RETRY_S)

    async def _heard(self, *, pictures: bool) -> AsyncGenerator[Told, None]:
        async with self._asking(2 * QUIET_S) as client:
            asked = client.stream("GET", f"{_HOST}/live", params={"pictures": pictures})
            async with asked as answer:
                answer.raise_for_status()
                async for told in _events(answer.aiter_lines()):
                    yield told

    @asynccontextmanager
    async def _asking(self, patience_s: float) -> AsyncIterator[httpx.AsyncClient]:
        with reachable(self._folder) as path:
            transport = httpx.AsyncHTTPTransport(uds=path)
            patience = httpx.Timeout(_ANSWER_S, read=patience_s)
            async with httpx.AsyncClient(transport=transport, timeout=patience) as client:
                yield client

    def _take(self, told: Told) -> None:
        if told.event in ("site", "standing"):
            self._standing[told.instead or told.event] = told
        self._pass_on(told)

    def _pass_on(self, told: Told) -> None:
        for listener in self._listeners:
            # What one of them cannot show keeps nothing from the others, nor what comes next.
            shielded(partial(listener.tell, told), lambda _why: None)

    def _looking(self) -> bool:
        return any(listener.looking for listener in self._listeners)

    def _set_up(self, up: bool) -> None:
        if up is not self._up:
            self._up = up
            if not up:
                self._standing.clear()
            self._pass_on(self._service())

    def _service(self) -> Told:
        body = {"up": self._up, "sentence": "" if self._up else _DOWN}
        return Told("service", json.dumps(body, separators=(",", ":")), "service")


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Told]:
    """Server-sent events as what was told; whatever takes another's place goes by its names."""
    event = data = ""
    async for line in lines:
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            data = line[6:]
        elif not line and event:
            yield Told(event, data, _place(event, data), event == "picture")
            event = data = ""


def _place(event: str, data: str) -> str:
    if event in ("picture", "seen"):
        return f"{event} {json.loads(data)['camera']}"
    if event == "standing":
        body = json.loads(data)
        return f"{event} {body['part']} {body['name']}"
    return ""


def _refusal(told: Mapping[str, object]) -> PosternError:
    """What the service refused, in its words."""
    kind = str(told.get("type", "")).rsplit(":", 1)[-1].replace("-", "_")
    code = Code(kind) if kind in set(Code) else Code.INTERNAL
    return PosternError(code, str(told.get("detail", "")), str(told.get("hint", "")))
