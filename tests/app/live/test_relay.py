"""From the service to whoever watches elsewhere, over the socket in the site's folder."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postern.app.live.relay import Relay
from postern.app.live.socket import LIVE_SOCKET, reachable
from postern.core.errors import Code, PosternError
from postern.core.look import Flaw
from postern.core.ports import Report
from postern.web.audience import Audience
from postern.web.audience import Told as Sent
from tests.app.live.site import BARRIER, GRANT, LANE, STRANGER, Served

Told = tuple[str, dict[str, Any]]


class Watching:
    """Somebody who watches through a relay."""

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        self._events = events
        self.told: list[Told] = []

    async def until(self, event: str, **body: object) -> dict[str, Any]:
        """What is told next of that kind, with these words in it."""
        async with asyncio.timeout(15.0):
            while True:
                for at, (name, found) in enumerate(self.told):
                    if name == event and body.items() <= found.items():
                        del self.told[: at + 1]
                        return found
                self.told += _parsed(await anext(self._events))


def _parsed(sent: bytes) -> list[Told]:
    found = []
    for one in sent.decode().split("\n\n"):
        lines = one.splitlines()
        if len(lines) == 2:
            found.append((lines[0].removeprefix("event: "), json.loads(lines[1][6:])))
    return found


@asynccontextmanager
async def relayed(folder: Path) -> AsyncIterator[Audience]:
    """Those to whom a relay passes on what happens."""
    relay = Relay(folder)
    audience = Audience(relay.standings)
    relay.attach(audience)
    task = asyncio.create_task(relay.run())
    yield audience
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def released(served: Served, name: str) -> Report:
    return asyncio.run(Relay(served.site.data).release(name, "user:maria", "a courier"))


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_what_happens_arrives(served: Served) -> None:
    """How everything stands first, then each decision and each change."""

    async def watching() -> None:
        with served.answers():
            async with relayed(served.site.data) as relay:
                watched = Watching(relay.watch(pictures=False))
                await watched.until("service", up=True)
                site = await watched.until("site")
                assert ["barrier"] == [one["name"] for one in site["access_points"]]
                await watched.until("standing", part="camera", name="lane", state="starting")
                served.observer.health(LANE, "ok", "frames arrive")
                await watched.until("standing", part="camera", name="lane", state="ok")
                served.observer.ended(GRANT)
                told = await watched.until("attempt")
        assert "2026-03-02T08:00:00.000000Z" == told.pop("at")
        assert {
            "access_point": "barrier", "attempt": "a1", "granted": True, "opened": True,
            "reason": "permitted", "flaws": [], "why": "a permit lets through",
            "permit": "permit-1", "detail": GRANT.detail,
        } == told  # fmt: skip

    run(watching())


def test_stranger_is_told_under_no_name(served: Served) -> None:
    """While they can be seen standing there; nothing of it can be found again."""

    async def watching() -> None:
        with served.answers():
            async with relayed(served.site.data) as relay:
                watched = Watching(relay.watch(pictures=False))
                await watched.until("site")
                served.observer.ended(STRANGER)
                told = await watched.until("attempt")
                served.observer.ended(replace(STRANGER, flaws=(Flaw.BLURRED,)))
                blurred = await watched.until("attempt")
                late = Watching(relay.watch(pictures=False))
                served.observer.health(LANE, "red", "It is dark.")
                await late.until("standing", state="red")
        assert (None, None, None) == (told["attempt"], told["reason"], told["permit"])
        assert ("not recognised", "hold still") == (told["why"], blurred["why"])
        assert "attempt" not in {event for event, _ in late.told}

    run(watching())


def test_pictures_are_asked_for_only_while_somebody_looks(served: Served) -> None:
    """The service makes none for those who do not."""

    async def watching() -> None:
        with served.answers():
            async with relayed(served.site.data) as relay:
                watched = Watching(relay.watch(pictures=False))
                await watched.until("site")
                assert not served.feed.looking
                looks = relay.watch(pictures=True)
                looking = Watching(looks)
                await looking.until("site")
                async with asyncio.timeout(10.0):
                    while not served.feed.looking:
                        await asyncio.sleep(0.02)
                served.feed.picture(LANE, b"\xff\xd8picture")
                await looking.until("picture", camera="lane")
                await looks.aclose()
                async with asyncio.timeout(10.0):
                    while served.feed.looking:
                        served.feed.picture(LANE, b"\xff\xd8picture")
                        await asyncio.sleep(0.02)
                served.observer.ended(GRANT)
                await watched.until("attempt")
        assert not [event for event, _ in watched.told if event == "picture"]

    run(watching())


def test_service_that_ends_and_comes_back_is_told(served: Served) -> None:
    """Nothing stands any more as it stood, until it is there again."""

    async def watching() -> None:
        async with relayed(served.site.data) as relay:
            watched = Watching(relay.watch(pictures=False))
            await watched.until("service", up=False)
            for _ in range(2):
                with served.answers():
                    await watched.until("service", up=True)
                    await watched.until("standing", part="camera", name="lane")
                told = await watched.until("service", up=False)
                assert "The service does not run, or does not answer." == told["sentence"]
                late = Watching(relay.watch(pictures=False))
                await late.until("service", up=False)
                assert [] == late.told

    run(watching())


class _Broken:
    """Cannot show what it is told."""

    looking = False

    def tell(self, told: Sent) -> None:
        raise KeyError(told.event)


def test_listener_that_breaks_keeps_nothing_from_the_others(served: Served) -> None:
    """Else all lanes would be shown as they were, as if they were so now."""

    async def watching() -> None:
        relay = Relay(served.site.data)
        audience = Audience(relay.standings)
        relay._listeners.append(_Broken())
        relay.attach(audience)
        task = asyncio.create_task(relay.run())
        with served.answers():
            watched = Watching(audience.watch(pictures=False))
            await watched.until("site")
            served.observer.ended(GRANT)
            await watched.until("attempt", granted=True)
            assert not task.done()
        task.cancel()

    run(watching())


def test_opening_by_hand_goes_through(served: Served) -> None:
    """With who asked and why; what the service refuses is refused in its words."""
    with served.answers():
        report = released(served, BARRIER)
        with pytest.raises(PosternError) as caught:
            released(served, "nowhere")
    assert (True, "It opened.") == (report.done, report.detail)
    assert [("barrier", "user:maria", "a courier")] == served.gate.asked
    assert Code.NOT_FOUND is caught.value.code
    assert "There is no access point of that name. Known: -" == str(caught.value)


@pytest.mark.parametrize("name", ["../live", "a/b", "barrier?x=1", "%2e%2e", "", "ü" * 300])
def test_attack_name_of_an_access_point_is_only_a_name(served: Served, name: str) -> None:
    """It leads to no other call, and to no fault of ours."""
    with served.answers(), pytest.raises(PosternError) as caught:
        released(served, name)
    assert caught.value.code in (Code.NOT_FOUND, Code.INVALID)
    assert [] == served.gate.asked


def test_nothing_opens_while_no_service_runs(served: Served) -> None:
    """Whoever asks is told what to do."""
    with pytest.raises(PosternError) as caught:
        released(served, BARRIER)
    assert Code.UNAVAILABLE is caught.value.code
    assert "Start it: postern run" in str(caught.value)


def test_socket_is_for_one_user_and_gone_at_the_end(served: Served) -> None:
    """One that a killed service left behind is in nobody's way."""
    path = served.site.data / LIVE_SOCKET
    with socket.socket(socket.AF_UNIX) as left, reachable(served.site.data) as short:
        left.bind(short)
    with served.answers():
        assert 0o600 == stat.S_IMODE(path.lstat().st_mode)
    assert not path.exists()
    assert [] == served.told


def test_folder_whose_name_is_long_is_no_hindrance(tmp_path: Path) -> None:
    """A socket's path has about a hundred bytes; a folder's may have thousands."""
    served = Served(tmp_path / ("a" * 100) / ("b" * 100))
    with served.answers():
        assert released(served, BARRIER).done


def test_folder_that_takes_no_socket_keeps_nobody_from_anything(served: Served) -> None:
    """It is told, and the service goes on."""
    blocked = served.site.data / LIVE_SOCKET
    blocked.mkdir()
    (blocked / "full").touch()
    with served.answers():
        pass
    assert [("live", "red")] == [(name, state) for name, state, _ in served.told]
    assert os.listdir(blocked) == ["full"]
