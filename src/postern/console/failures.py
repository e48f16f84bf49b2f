"""What a call that failed is answered with: a page for people, a problem for programs."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from postern.console.pages import Pages
from postern.console.sign_in import way_back
from postern.core.errors import Code, PosternError
from postern.web.problem import problem_status, refused


class Failures:
    """Answers what failed.

    Args:
        pages: Makes HTML.
        api: The path below which programs call.
    """

    def __init__(self, pages: Pages, api: str) -> None:
        self._pages = pages
        self._api = api

    def answer(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """The answer for whoever called."""
        if request.url.path.startswith(self._api):
            return refused(request, error)
        told = _told(error)
        back = way_back(told, _where(request))
        if back is None:
            return self._pages.page(request, "problem", problem_status(told), error=told)
        if "HX-Request" in request.headers:
            # A piece of a page cannot be a whole one: the browser is led there.
            return Response(None, status_code=200, headers={"HX-Redirect": back.url})
        return back


def _told(error: Exception) -> PosternError:
    if isinstance(error, PosternError):
        return error
    if isinstance(error, HTTPException):
        code = Code.NOT_FOUND if error.status_code in (404, 405) else Code.INVALID
        what = "There is no such page." if code is Code.NOT_FOUND else "That was not understood."
        return PosternError(code, what)
    return PosternError(Code.INTERNAL, f"An internal fault ({type(error).__name__}).")


def _where(request: Request[Any, Any, Any]) -> str:
    """The page that somebody was on: the one they asked for, or where their form stood."""
    if request.method in ("GET", "HEAD"):
        query = request.url.query
        return f"{request.url.path}?{query}" if query else request.url.path
    before = request.headers.get("Referer", "")
    _, found, path = before.partition(f"://{request.headers.get('Host', '')}")
    return path if found else "/"
