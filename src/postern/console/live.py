"""The page of the lanes, what changes on it while it is open, and opening one by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from litestar import MediaType, Response, Router, get, post
from litestar.params import FromPath
from litestar.params import URLEncodedBody as Form
from litestar.response import Stream

from postern.console.lanes import Lane, Lanes
from postern.console.pages import HEADERS, Pages
from postern.core.errors import Code, PosternError
from postern.core.ports import Report
from postern.core.role import Right
from postern.web.audience import streamed
from postern.web.caller import needs
from postern.web.given import Asked
from postern.web.problem import problem_status
from postern.web.reason import worth_recording


@dataclass(frozen=True, slots=True)
class Why:
    """Why an access point is opened by hand."""

    reason: str = ""


class Opener(Protocol):
    """Opens access points by hand."""

    async def release(self, access_point: str, by: str, why: str) -> Report:
        """Has it opened, and says what came of it.

        Raises:
            PosternError: `not_found` where there is none of that name; `unavailable` where no
                service runs.
        """
        ...


def live_pages(
    lanes: Sequence[Lane], watched: Mapping[str, Lanes], opener: Opener, pages: Pages
) -> Router:
    """The page, its stream of pieces, and what opens.

    Args:
        lanes: Every access point of the site.
        watched: What is shown of them, by language.
        opener: Opens them.
        pages: Makes HTML.
    """

    @get("/", name="live")
    async def page(request: Asked) -> Response[str]:
        shown = watched[pages.locale(request)].shown
        return pages.page(request, "live", lanes=lanes, shown=shown, said={})

    @get("/stream")
    async def stream(request: Asked) -> Stream:
        audience = watched[pages.locale(request)].audience
        return streamed(audience.watch(pictures=True), HEADERS)

    @post("/{number:int}/release", status_code=200, guards=[needs(Right.OPEN)])
    async def release(request: Asked, number: FromPath[int], data: Form[Why]) -> Response[str]:
        lane = _lane(lanes, number)
        report = error = None
        try:
            report = await opener.release(lane.name, request.user.by, worth_recording(data.reason))
        except PosternError as failed:
            error = failed
        locale = pages.locale(request)
        said = pages.html("live/said", locale, lane=lane, report=report, error=error)
        status = HTTPStatus.OK if error is None else problem_status(error)
        if "HX-Request" in request.headers:
            # A piece of the page takes the place of the last one, also where it says what failed.
            return Response(said, media_type=MediaType.HTML, headers=dict(HEADERS))
        shown = watched[locale].shown
        return pages.page(
            request, "live", status, lanes=lanes, shown=shown, said={lane.number: said}
        )

    return Router(
        "/live",
        route_handlers=[page, stream, release],
        guards=[needs(Right.WATCH)],
        include_in_schema=False,
    )


def _lane(lanes: Sequence[Lane], number: int) -> Lane:
    if not 0 <= number < len(lanes):
        raise PosternError(Code.NOT_FOUND, "There is no such lane.", "See them under Live.")
    return lanes[number]
