"""Whoever watches what happens now, each by server-sent events (HTML Living Standard, 9.2).

1. Everybody has a place of their own for what they have not been sent yet; nobody who tells
   anything waits for one of them.
2. What is told anew, as a camera's newest picture, takes the place of what was not sent yet.
3. Whoever is too slow for the rest is let go of. They come back and are told how everything stands:
   nothing is missing from what they see without their knowing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

from litestar.response import Stream

EVENT_STREAM = "text/event-stream"
#: What may wait for one watcher; a few seconds of the busiest site.
MOST_WAITING = 64
#: Seconds without anything new after which a line is sent that says nothing: proxies and browsers
#: take a silent connection for a broken one.
QUIET_S = 15.0


@dataclass(frozen=True, slots=True)
class Told:
    """Something that is told to everybody who watches.

    Attributes:
        event: What kind of thing it is.
        data: What it says; without line breaks.
        instead: What it takes the place of, where that was not sent yet; empty for nothing.
        picture: Whether it is for those only who look at pictures.
    """

    event: str
    data: str
    instead: str = ""
    picture: bool = False

    @property
    def sent(self) -> bytes:
        """It as it is sent."""
        return f"event: {self.event}\ndata: {self.data}\n\n".encode()


class Watcher:
    """One who watches, in the thread of the loop that sends.

    Args:
        pictures: Whether they look at pictures.
        first: What they are told first: how everything stands.
    """

    def __init__(self, *, pictures: bool, first: Iterable[Told] = ()) -> None:
        self.pictures = pictures
        self._waiting: dict[object, bytes] = {}
        self._news = asyncio.Event()
        self._over = False
        for told in first:
            self._waiting[object()] = told.sent
            self._news.set()

    def tell(self, told: Told, sent: bytes) -> None:
        """Puts something in their place; `sent` is the same as it is sent, made once for all."""
        if told.picture and not self.pictures:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.end()
        if not self._over:
            self._waiting[told.instead or object()] = sent
            self._news.set()

    def end(self) -> None:
        """Lets go of them; what waits is not sent any more."""
        self._over = True
        self._waiting.clear()
        self._news.set()

    async def stream(self) -> AsyncIterator[bytes]:
        """What they are sent, until they are let go of."""
        while not self._over:
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._news.wait()
            except TimeoutError:
                yield b":\n\n"
                continue
            self._news.clear()
            sent = b"".join(self._waiting.values())
            self._waiting.clear()
            if sent:
                yield sent


class Audience:
    """Everybody who watches. It is told from any thread, and watched in those of one loop.

    Args:
        standing: Gives what whoever comes is told first; called in the loop's thread, at once.
    """

    def __init__(self, standing: Callable[[], Iterable[Told]]) -> None:
        self._standing = standing
        self._lock = Lock()  # Guards what follows; nothing is waited for under it.
        self._watchers: set[Watcher] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def present(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    @property
    def looking(self) -> bool:
        """Whether anybody looks at pictures."""
        with self._lock:
            return any(one.pictures for one in self._watchers)

    def tell(self, told: Told) -> None:
        """Tells everybody, and waits for none of them."""
        with self._lock:
            loop = self._loop if self._watchers else None
        if loop is not None:
            with suppress(RuntimeError):  # The server has ended; nobody is there any more.
                loop.call_soon_threadsafe(self._pass_on, told)

    async def watch(self, *, pictures: bool) -> AsyncIterator[bytes]:
        """What one who comes now is sent, until they go or are let go of."""
        watcher = Watcher(pictures=pictures, first=self._standing())
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._watchers.add(watcher)
        try:
            async for sent in watcher.stream():
                yield sent
        finally:
            with self._lock:
                self._watchers.discard(watcher)

    def dismiss(self) -> None:
        """Lets go of everybody, as the server ends; from any thread."""
        with self._lock:
            loop, watchers = self._loop, tuple(self._watchers)
        if loop is not None:
            for watcher in watchers:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(watcher.end)

    def _pass_on(self, told: Told) -> None:
        sent = told.sent
        with self._lock:
            watchers = tuple(self._watchers)
        for watcher in watchers:
            watcher.tell(told, sent)


def streamed(
    events: AsyncIterator[bytes], headers: Mapping[str, str] = MappingProxyType({})
) -> Stream:
    """Server-sent events as an answer, with more headers where it takes some."""
    # The type as a header of its own: the framework would add to it.
    own = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(events, headers={**headers, **own})
