"""What a running service tells the other programs of its machine, and what they ask of it.

It is answered on a socket in the site's folder, where only whoever may read the site's data comes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from postern.core.ids import AccessPointId
from postern.engine.ports import Releases
from postern.web.audience import streamed
from postern.web.problem import refused

#: Bytes of what is asked.
_MOST_BODY = 4096


class Live(Protocol):
    """What happens now."""

    def watch(self, *, pictures: bool) -> AsyncIterator[bytes]:
        """Server-sent events, until whoever watches goes."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks to open an access point.

    Attributes:
        by: As it stands in the log.
        why: What for.
    """

    by: str
    why: str


def live_app(live: Live, releases: Releases) -> Litestar:
    """The application that tells what happens and opens by hand.

    Args:
        live: What happens.
        releases: What opens.
    """

    @get("/live")
    async def watched(pictures: FromQuery[bool] = False) -> Stream:
        return streamed(live.watch(pictures=pictures))

    @post("/access-points/{name:str}/release", sync_to_thread=True, status_code=200)
    def release(name: FromPath[str], data: JSONBody[Asked]) -> dict[str, object]:
        report = releases.release(AccessPointId(name), data.by, data.why)
        return {"done": report.done, "detail": report.detail}

    return Litestar(
        [watched, release],
        request_max_body_size=_MOST_BODY,
        exception_handlers={Exception: refused},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
