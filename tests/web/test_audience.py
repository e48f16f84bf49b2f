"""Whoever watches: what they are sent, and what becomes of those who are slow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from threading import Thread
from typing import Any

import pytest

from postern.web import audience
from postern.web.audience import MOST_WAITING, Audience, Told

STANDING = Told("standing", '{"state":"ok"}', "standing camera lane")


def attempt(number: int) -> Told:
    return Told("attempt", f'{{"attempt":"{number}"}}')


def picture(number: int, camera: str = "lane") -> Told:
    return Told("picture", f'{{"jpeg":"{number}"}}', f"picture {camera}", picture=True)


def all_of(told: Audience, count: int) -> None:
    for number in range(count):
        told.tell(attempt(number))


def standing() -> list[Told]:
    return [STANDING]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5.0):
        while not true():
            await asyncio.sleep(0.005)


async def next_of(watched: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(5.0):
        return await anext(watched)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_whoever_comes_is_told_how_everything_stands_and_then_what_happens() -> None:
    """In the form of server-sent events, in order, from any thread."""

    async def watching() -> None:
        told = Audience(standing)
        watched = told.watch(pictures=False)
        assert b'event: standing\ndata: {"state":"ok"}\n\n' == await next_of(watched)
        telling = Thread(target=all_of, args=(told, 3))
        telling.start()
        telling.join()
        await asyncio.sleep(0.05)
        assert b"".join(attempt(number).sent for number in range(3)) == await next_of(watched)

    run(watching())


def test_newer_picture_takes_the_place_of_one_that_was_not_sent() -> None:
    """One for each camera waits, the newest, and nothing else is lost for it."""

    async def watching() -> None:
        told = Audience(list)
        watched = told.watch(pictures=True)
        first = asyncio.ensure_future(next_of(watched))
        await until(lambda: told.looking)
        for number in range(3 * MOST_WAITING):
            told.tell(picture(number))
            told.tell(picture(number, "yard"))
        told.tell(attempt(1))
        await asyncio.sleep(0.05)
        sent = await first
        last = 3 * MOST_WAITING - 1
        assert picture(last).sent + picture(last, "yard").sent + attempt(1).sent == sent

    run(watching())


def test_pictures_are_for_those_who_look_at_them() -> None:
    """Nobody looks: none is made. Somebody watches without: none is sent to them."""

    async def watching() -> None:
        told = Audience(standing)
        assert (False, False) == (told.present, told.looking)
        watched = told.watch(pictures=False)
        await next_of(watched)
        assert (True, False) == (told.present, told.looking)
        told.tell(picture(1))
        told.tell(attempt(1))
        await asyncio.sleep(0.05)
        assert attempt(1).sent == await next_of(watched)

    run(watching())


def test_attack_slow_watcher_is_let_go_of_and_holds_up_nobody() -> None:
    """They miss something, so they do not go on as if they had not; others miss nothing."""

    async def watching() -> None:
        told = Audience(standing)
        slow, quick = told.watch(pictures=False), told.watch(pictures=False)
        await next_of(slow)
        await next_of(quick)
        heard = b""
        for number in range(MOST_WAITING + 1):
            told.tell(attempt(number))
            await asyncio.sleep(0)
            heard += await next_of(quick)
        with pytest.raises(StopAsyncIteration):
            await next_of(slow)
        assert b"".join(attempt(n).sent for n in range(MOST_WAITING + 1)) == heard
        # They are told how everything stands when they come back.
        assert STANDING.sent == await next_of(told.watch(pictures=False))

    run(watching())


def test_whoever_goes_is_forgotten() -> None:
    """Also where they go in the midst of waiting."""

    async def watching() -> None:
        told = Audience(standing)
        watched = told.watch(pictures=True)
        await next_of(watched)
        waiting = asyncio.ensure_future(anext(watched))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await until(lambda: not told.present)
        told.tell(attempt(1))  # To nobody.

    run(watching())


def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a line that says nothing, before a proxy gives the connection up."""
    monkeypatch.setattr(audience, "QUIET_S", 0.05)

    async def watching() -> None:
        watched = Audience(list).watch(pictures=False)
        assert b":\n\n" == await next_of(watched)

    run(watching())


def test_end_of_the_server_is_the_end_for_everybody() -> None:
    """From whatever thread it comes; and what is told afterwards goes nowhere."""

    async def watching() -> None:
        told = Audience(standing)
        watched = told.watch(pictures=False)
        await next_of(watched)
        Thread(target=told.dismiss).start()
        with pytest.raises(StopAsyncIteration):
            await next_of(watched)

    told = Audience(standing)
    run(watching())
    told.tell(attempt(1))
    told.dismiss()
