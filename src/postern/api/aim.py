"""The page that shows how a camera is placed, to whoever has its address.

One answer, which holds the picture and the table of the same moment; nothing that is sent along is
read. Its address has a part that cannot be guessed, so that neither other users of the machine nor
pages in a browser find it.
"""

import hmac
from http import HTTPStatus
from typing import Any, Protocol

from litestar import Litestar, MediaType, Request, Response, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath

#: Bytes of a request's body; there is none.
_MOST_BODY = 0
#: Nothing is kept by a browser, nothing is fetched, and the address is told to nobody.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Aimed(Protocol):
    """What is shown. Its method may be called from any thread."""

    def page(self) -> str:
        """The page as it is now, in HTML."""
        ...


def aim_app(aimed: Aimed, token: str) -> Litestar:
    """The application that shows how a camera is placed.

    Args:
        aimed: What is shown.
        token: The part of the address that cannot be guessed.
    """

    @get("/{secret:str}")
    async def shown(secret: FromPath[str]) -> Response[str]:
        if not hmac.compare_digest(secret.encode("utf-8", "replace"), token.encode()):
            return _plain(HTTPStatus.NOT_FOUND)
        return Response(aimed.page(), media_type=MediaType.HTML, headers=_HEADERS)

    return Litestar(
        [shown],
        request_max_body_size=_MOST_BODY,
        exception_handlers={Exception: _refused},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _refused(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    if isinstance(error, HTTPException):
        return _plain(HTTPStatus(error.status_code))
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)


def _plain(status: HTTPStatus) -> Response[str]:
    """What the status says, and nothing more."""
    return Response(f"{status.phrase}\n", status_code=status, media_type=MediaType.TEXT)
