"""The page of the lanes, and what changes on it while it is open."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, Response, Router, get
from litestar.response import Stream

from postern.console.lanes import Lane, Lanes
from postern.console.pages import HEADERS, Pages
from postern.core.role import Right
from postern.web.audience import streamed
from postern.web.caller import needs


def live_pages(lanes: Sequence[Lane], watched: Mapping[str, Lanes], pages: Pages) -> Router:
    """The page, and its stream of pieces.

    Args:
        lanes: Every access point of the site.
        watched: What is shown of them, by language.
        pages: Makes HTML.
    """

    @get("/", name="live")
    async def page(request: Request[Any, Any, Any]) -> Response[str]:
        shown = watched[pages.locale(request)].shown
        return pages.page(request, "live", lanes=lanes, shown=shown)

    @get("/stream")
    async def stream(request: Request[Any, Any, Any]) -> Stream:
        audience = watched[pages.locale(request)].audience
        return streamed(audience.watch(pictures=True), HEADERS)

    return Router("/live", route_handlers=[page, stream], guards=[needs(Right.WATCH)])
