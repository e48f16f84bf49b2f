"""What every call has in common: its name and rights, what may be sent, and how it is refused."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.openapi import ResponseSpec
from litestar.params import BodyKwarg, QueryParameter

from postern.core.role import Right
from postern.web.caller import Caller, needs
from postern.web.given import Asked
from postern.web.problem import PROBLEM_TYPE, Fault, FieldsError, RefusedError

#: Bytes of a request's body: a permit for some thousand people.
MOST_BODY = 256 * 1024
#: What a refusal means, by its status; each call says which of them it may answer.
REFUSALS = {
    HTTPStatus.BAD_REQUEST: "What was sent cannot be read at all.",
    HTTPStatus.UNAUTHORIZED: "Nobody is signed in, or they have to prove once more who they are.",
    HTTPStatus.FORBIDDEN: "The caller may not do that.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or not any more.",
    HTTPStatus.CONFLICT: "It does not go together with what is there.",
    HTTPStatus.GONE: "What an earlier call with this key made is gone again.",
    HTTPStatus.PRECONDITION_FAILED: "It has changed since it was read: read it once more.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More was sent than any call takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A body is sent as application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Some fields cannot be accepted; each is named.",
    HTTPStatus.PRECONDITION_REQUIRED: "A change says which version it changes, with If-Match.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now; Retry-After says when to try again.",
}
#: What any call may answer that somebody has to be allowed to make.
_ALWAYS = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE,
)  # fmt: skip
#: Likewise where it is about one thing, makes a new one, or changes one.
ONE = (HTTPStatus.NOT_FOUND,)
_SENT = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.CONFLICT,
)  # fmt: skip
NEW = (*_SENT, HTTPStatus.GONE)
CHANGE = (
    *ONE, *_SENT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong (RFC 9457).

    Attributes:
        type: What sort of problem it is; stays the same.
        title: What the status says.
        status: The status.
        detail: What is wrong, in one sentence.
        hint: What to do about it.
        errors: What is wrong with which field.
    """

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    errors: tuple[Fault, ...] = ()


def call(
    name: str, summary: str, *rights: Right, refused: tuple[HTTPStatus, ...] = ()
) -> dict[str, Any]:
    """What a call is registered with.

    Args:
        name: What programs know it by.
        summary: What it does, in a few words.
        rights: Any of them is enough to make it.
        refused: How it may be refused, besides what any call may be.
    """
    return {
        "operation_id": name,
        "summary": summary,
        "guards": [needs(*rights)],
        "sync_to_thread": True,
        "responses": {status: _refusal(status) for status in (*_ALWAYS, *refused)},
    }


def caller(request: Asked) -> Caller:
    """Who calls; a guard has let them through."""
    found = request.scope["user"]
    if not isinstance(found, Caller):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign-in", "Nobody is signed in.")
    return found


async def strict(request: Asked) -> None:
    """Refuses what a call would otherwise pass over: parameters that it does not have, or twice,
    and bodies of another type.

    Raises:
        PosternError: `invalid`, or as 415.
    """
    parameters = request.route_handler.parsed_fn_signature.parameters
    known = sorted(
        one.kwarg_definition.name or name
        for name, one in parameters.items()
        if isinstance(one.kwarg_definition, QueryParameter)
    )
    given = [name for name, _ in request.query_params.multi_items()]
    allowed = f"Known: {', '.join(known) or 'none'}; each at most once."
    faults = [
        Fault(name, "This call does not have that parameter, or it was given twice.", allowed)
        for name in dict.fromkeys(given)
        if name not in known or given.count(name) > 1
    ]
    if faults:
        raise FieldsError(tuple(faults))
    takes = any(isinstance(one.kwarg_definition, BodyKwarg) for one in parameters.values())
    if takes:
        await _check_body(request)


async def _check_body(request: Asked) -> None:
    if request.content_type[0] != "application/json":
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        raise RefusedError(
            status, "media-type", REFUSALS[status], "Send Content-Type: application/json."
        )
    try:
        msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        pass  # The framework says so in a moment; what nests without end it would not survive.
    except RecursionError:
        status = HTTPStatus.BAD_REQUEST
        raise RefusedError(status, "bad-request", REFUSALS[status]) from None


def _refusal(status: HTTPStatus) -> ResponseSpec:
    return ResponseSpec(
        Problem, generate_examples=False, description=REFUSALS[status], media_type=PROBLEM_TYPE
    )
