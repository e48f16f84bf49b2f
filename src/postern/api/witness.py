"""The endpoint of a witness (C2SP tlog-witness v1.0.0): one call, and plain texts as answers."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from litestar import Litestar, MediaType, Request, Response, post
from litestar.exceptions import HTTPException

from postern.core.errors import Code, PosternError

#: Seconds. A request is a few kilobytes; whoever takes longer to send them is cut off.
BODY_S = 10.0


class Answer(Protocol):
    """A status of HTTP, and a body with its type."""

    @property
    def status(self) -> HTTPStatus:
        """The status."""
        ...

    @property
    def text(self) -> str:
        """The body."""
        ...

    @property
    def media_type(self) -> str:
        """The type of the body, as the header has it, byte for byte."""
        ...


class Witness(Protocol):
    """Answers requests for signatures."""

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a request.

        Raises:
            PosternError: Where the witness itself fails, whoever asks.
        """
        ...


def witness_app(
    witness: Witness, most_body: int, tell: Callable[[str], None], body_s: float = BODY_S
) -> Litestar:
    """The application of a witness.

    Args:
        witness: Who answers.
        most_body: Bytes of a request; longer ones are refused unread.
        tell: Told in one sentence when the witness itself fails; who asked is told nothing of it.
        body_s: How long a request's body may take to arrive.
    """

    @post("/add-checkpoint", status_code=HTTPStatus.OK)
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[str]:
        try:
            async with asyncio.timeout(body_s):
                body = await request.body()
        except TimeoutError:
            return _plain(HTTPStatus.REQUEST_TIMEOUT)
        try:
            # Reads and syncs files: in a thread, so that one slow disk does not hold up others.
            answer = await asyncio.to_thread(witness.add_checkpoint, body)
        except PosternError as error:
            tell(str(error))
            return _plain(
                HTTPStatus.SERVICE_UNAVAILABLE
                if error.code is Code.UNAVAILABLE
                else HTTPStatus.INTERNAL_SERVER_ERROR
            )
        # As a header of its own: the framework would add an encoding to every text's type.
        headers = {"Content-Type": answer.media_type}
        return Response(answer.text, status_code=answer.status, headers=headers)

    def refused(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        if isinstance(error, HTTPException):
            return _plain(HTTPStatus(error.status_code))
        tell(f"An internal fault ({type(error).__name__}).")
        return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    return Litestar(
        [add_checkpoint],
        request_max_body_size=most_body,
        exception_handlers={Exception: refused},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _plain(status: HTTPStatus) -> Response[str]:
    """What the status says, and nothing more."""
    return Response(f"{status.phrase}\n", status_code=status, media_type=MediaType.TEXT)
