"""What happens at the lanes now, and opening one of them by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from postern.core.ports import Report
from postern.core.role import Right
from postern.web.audience import streamed
from postern.web.caller import needs
from postern.web.given import Asked, Given
from postern.web.problem import field
from postern.web.reason import worth_recording


@dataclass(frozen=True, slots=True)
class Why:
    """Why an access point is opened by hand; it is recorded with who asked.

    Attributes:
        reason: What for, in a few words about what happens and not about who is there.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What became of it.

    Attributes:
        done: Whether the actuator was driven, as far as it says.
        detail: What it said.
    """

    done: bool
    detail: str


class Happenings(Protocol):
    """What happens now."""

    def watch(self, *, pictures: bool) -> AsyncIterator[bytes]:
        """Server-sent events, until whoever watches goes."""
        ...


class Opener(Protocol):
    """Opens access points by hand."""

    async def release(self, access_point: str, by: str, why: str) -> Report:
        """Has it opened, and says what came of it.

        Raises:
            PosternError: `not_found` where there is none of that name; `unavailable` where no
                service runs.
        """
        ...


@get(
    "/live", guards=[needs(Right.WATCH)], summary="Watch the lanes", media_type="text/event-stream"
)
async def live(happenings: Given[Happenings], pictures: FromQuery[bool] = False) -> Stream:
    """Server-sent events: how everything stands, then `attempt`, `standing`, `seen` and `service`
    as they happen; with `pictures`, also `picture`, in which nobody can be recognised."""
    return streamed(happenings.watch(pictures=pictures))


@post(
    "/access-points/{access_point:str}/release", status_code=200, guards=[needs(Right.OPEN)],
    summary="Open an access point by hand",
)  # fmt: skip
async def release(
    request: Asked, access_point: FromPath[str], data: JSONBody[Why], opener: Given[Opener]
) -> Opening:
    """Once, for as long as its pulse lasts. Who asked and why is recorded before it opens."""
    with field("reason"):
        reason = worth_recording(data.reason)
    report = await opener.release(access_point, request.user.by, reason)
    return Opening(report.done, report.detail)


LANES = (live, release)
