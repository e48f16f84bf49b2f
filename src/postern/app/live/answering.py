"""Answers the other programs of the machine while a service runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from postern.api.live import live_app
from postern.app.live.feed import Feed
from postern.app.live.socket import listening
from postern.app.served import served
from postern.core.errors import PosternError
from postern.core.ids import CameraId
from postern.engine.ports import Releases
from postern.engine.watch import Tell

#: What is told of the socket stands under this name beside cameras.
NAME = CameraId("live")


@contextmanager
def answering(folder: Path, feed: Feed, releases: Releases, tell: Tell) -> Iterator[None]:
    """Tells what happens, and opens by hand, for whoever may use the site's folder.

    Where it cannot, that is told and nobody is kept from anything: doors open without watchers.

    Args:
        folder: The site's.
        feed: What happens.
        releases: What opens.
        tell: Told of the socket, as `Observer.health` is.
    """
    with ExitStack() as parts:
        try:
            taken = parts.enter_context(listening(folder))
        except PosternError as error:
            tell(NAME, "red", str(error))
        else:
            app = live_app(feed, releases)
            parts.enter_context(served(app, taken, "live", lasting=True))
            parts.callback(feed.dismiss)
        yield
