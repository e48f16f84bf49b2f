"""Lists, page by page.

Where a list goes on is told by a cursor: what the last item of a page was sorted by. It means
nothing to the caller and grants nothing, so that it needs no signature; one that was altered leads
to another page of the same list, or is refused.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from litestar import Response
from litestar.params import QueryParameter

from postern.web.given import Asked
from postern.web.problem import Fault, FieldsError

T = TypeVar("T")
R = TypeVar("R")
#: Items of a page.
MOST, USUAL = 200, 50
#: Characters. The longest that is sorted by is a folded name and an id.
_MOST_CURSOR = 2000
_SQLITE_INTEGER = 2**63

Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Items of a page, at most.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=_MOST_CURSOR, description="Where to go on: `next` of the page before, as it is."
    ),
]
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        items: What is on this page, in order.
        next: The cursor of the next page; null on the last.
    """

    items: Sequence[T]
    next: str | None


def read(cursor: str | None, *kinds: type[str] | type[int]) -> Key | None:
    """What the last item was sorted by; None for the first page.

    Args:
        cursor: As it was sent.
        kinds: What it has to consist of.

    Raises:
        FieldsError: Where it is no cursor of this list.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _no_cursor() from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _no_cursor()
    if any(isinstance(part, int) and abs(part) >= _SQLITE_INTEGER for part in parts):
        raise _no_cursor()
    try:
        cursor.encode() and "".join(part for part in parts if isinstance(part, str)).encode()
    except UnicodeEncodeError:
        raise _no_cursor() from None
    return tuple(parts)


def paged(
    request: Asked,
    found: Sequence[T],
    limit: int,
    key: Callable[[T], Key],
    show: Callable[[T], R],
) -> Response[Page[R]]:
    """The answer with a page, and a link to the next one.

    Args:
        request: What was asked for.
        found: What was found: one more than fits on the page, where there are more.
        limit: How many fit.
        key: What an item is sorted by.
        show: An item as the caller sees it.
    """
    shown = found[:limit]
    cursor = _written(key(shown[-1])) if len(found) > limit else None
    headers = {"Cache-Control": "no-store"}
    if cursor is not None:
        others = {n: v for n, v in request.query_params.items() if n != "cursor"}
        query = urlencode([*sorted(others.items()), ("cursor", cursor)])
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return Response(Page([show(one) for one in shown], cursor), headers=headers)


def whole(items: Sequence[R]) -> Response[Page[R]]:
    """The answer with a list that always fits on one page."""
    return Response(Page(items, None), headers={"Cache-Control": "no-store"})


def _written(key: Key) -> str:
    text = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _no_cursor() -> FieldsError:
    return FieldsError(
        (Fault("cursor", "This is no cursor of this list.", "Leave it out to begin anew."),)
    )
