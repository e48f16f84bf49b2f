"""Which version of a thing somebody has seen, so that nobody undoes what they have not read.

A version is the hash of what is shown of a thing, byte for byte (a strong ETag, RFC 9110). Whoever
changes or removes it says which version that is about, and it is compared in the transaction that
makes the change.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, TypeVar

from litestar import Response
from litestar.params import HeaderParameter
from litestar.serialization import encode_json

from postern.web.problem import RefusedError

T = TypeVar("T")
#: Characters of a header with versions.
_MOST = 2000

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        max_length=_MOST,
        description="The ETag of what is to be changed, as it was read.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        max_length=_MOST,
        description="An ETag; what still is as it was is answered 304, without a body.",
    ),
]
#: Refuses a change of what is not as the caller has seen it.
Seen = Callable[[T], None]


def tag(record: object) -> str:
    """The version of what is shown."""
    return f'"{hashlib.sha256(encode_json(record)).hexdigest()}"'


def shown(
    record: T,
    if_none_match: str | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    location: str | None = None,
) -> Response[T]:
    """The answer with one thing and its version.

    Args:
        record: What is shown.
        if_none_match: What the caller has already.
        status: The status where it is shown.
        location: Where it is, if it is new.
    """
    version = tag(record)
    headers = {"ETag": version, "Cache-Control": "private, no-cache"}
    if location is not None:
        headers["Location"] = location
    if if_none_match is not None and _names(if_none_match, version, weak=True):
        status = HTTPStatus.NOT_MODIFIED
        return Response(None, status_code=status, headers=headers)  # type: ignore[arg-type]
    return Response(record, status_code=status, headers=headers)


def unchanged(if_match: str | None, show: Callable[[T], object]) -> Seen[T]:
    """What refuses to change a thing that is not as the caller has seen it.

    Args:
        if_match: The versions that the caller means.
        show: What is shown of a thing.

    Raises:
        RefusedError: 428 where none is named; what is given raises it with 412.
    """
    if if_match is None:
        raise RefusedError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "no-version",
            "A change says which version it is about.",
            "Send If-Match with the ETag that came with it.",
        )

    def check(thing: T) -> None:
        if not _names(if_match, tag(show(thing)), weak=False):
            raise RefusedError(
                HTTPStatus.PRECONDITION_FAILED,
                "stale",
                "This has changed since it was read.",
                "Read it once more, and decide anew.",
            )

    return check


def _names(header: str, version: str, *, weak: bool) -> bool:
    """Whether a header names a version; a weak one is as good where nothing is changed."""
    named = [one.strip() for one in header.split(",")]
    if weak:
        named = [one.removeprefix("W/") for one in named]
    return "*" in named or version in named
