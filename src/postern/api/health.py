"""What a load balancer and Prometheus ask: whether the service lives, is ready, and its numbers.

Three answers to whoever can reach the port, and none of them about anybody. Nothing that is sent
along is read.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

from litestar import Litestar, MediaType, Request, Response, get
from litestar.exceptions import HTTPException

#: Seconds for an answer to be made up; behind a disk that hangs it may take longer, and is late.
ANSWER_S = 5.0
#: Bytes of a request's body; there is none.
_MOST_BODY = 0
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Watched(Protocol):
    """What is asked after. Its methods may be called from any thread."""

    def ready(self) -> tuple[bool, object]:
        """Whether every lane can decide, and what to answer, as JSON."""
        ...

    def metrics(self) -> str:
        """The service's numbers, in the text format of Prometheus."""
        ...


def health_app(watched: Watched) -> Litestar:
    """The application that answers for a service.

    Args:
        watched: The service.
    """
    working = list[asyncio.Task[str]]()  # One at most.

    async def numbers() -> str:
        # Whoever asks meanwhile is given the same: many that hang use up no more than one thread,
        # also once those who asked have been let go of.
        if not working or working[0].done():
            working[:] = [asyncio.create_task(asyncio.to_thread(watched.metrics))]
        return await asyncio.shield(working[0])

    @get("/health/live")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @get("/health/ready")
    async def ready() -> Response[object]:
        able, answer = watched.ready()
        status = HTTPStatus.OK if able else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(answer, status_code=status, media_type=MediaType.JSON)

    @get("/metrics")
    async def metrics() -> Response[str]:
        try:
            async with asyncio.timeout(ANSWER_S):
                text = await numbers()
        except TimeoutError:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
        # As a header of its own: the framework would add to the type.
        return Response(text, headers={"Content-Type": _METRICS})

    return Litestar(
        [live, ready, metrics],
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
