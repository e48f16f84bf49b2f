"""Calls that may be made twice without being done twice: their caller gives each a key.

For a day a key stands for what was asked for with it. Whoever asks for the same once more is shown
what came of it, as it is now: nothing of the answer was kept but an id. What was done, and that it
was, is one transaction, so that there is no time in between.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Protocol

from litestar.params import HeaderParameter
from litestar.serialization import encode_json

from postern.api.call import REFUSALS
from postern.web.caller import Caller
from postern.web.given import Asked
from postern.web.problem import RefusedError

#: How long a key stands for its call.
REMEMBERED = timedelta(hours=24)

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+$",
        description="Any text of your own; the same call with the same key is done once.",
    ),
]


@dataclass(frozen=True, slots=True)
class Once:
    """A call that is done once.

    Attributes:
        by: Who makes it.
        key: Their key; None where they gave none, and it is done each time.
        digest: The hash of what is asked for.
    """

    by: str
    key: str | None
    digest: str


class Replies(Protocol):
    """Remembers what came of calls."""

    def once(self, call: Once, do: Callable[[], str]) -> str | None:
        """The id of what comes of a call, done now or before; None where that is gone again.

        Args:
            call: Whose, and which.
            do: Does it, and gives the id; it is kept together with that, or neither is.

        Raises:
            RefusedError: Where the key was used for another call, by `reused`.
            PosternError: As `do`; `unavailable`.
        """
        ...


def done(
    replies: Replies,
    request: Asked,
    caller: Caller,
    key: str | None,
    sent: object,
    do: Callable[[], str],
) -> str:
    """Does what is asked for, unless that was done before; gives the id of what came of it.

    Raises:
        RefusedError: 422 where the key was used for another call, and 410 where what came of it is
            gone again.
        PosternError: As `do`; `unavailable`.
    """
    text = encode_json([request.method, request.url.path, sent])
    subject = replies.once(Once(caller.by, key, hashlib.sha256(text).hexdigest()), do)
    if subject is None:
        raise RefusedError(
            HTTPStatus.GONE, "gone", REFUSALS[HTTPStatus.GONE], "Use another key to do it anew."
        )
    return subject


def reused() -> RefusedError:
    """The refusal of a key that stands for another call."""
    return RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "key-reused",
        "This Idempotency-Key was used for another call.",
        "Use a new key for every call, and the same one only to repeat it.",
    )
