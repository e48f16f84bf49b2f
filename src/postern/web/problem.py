"""What went wrong, as every call answers it: one table from our errors to HTTP (RFC 9457)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from postern.core.errors import Code, PosternError

PROBLEM_TYPE = "application/problem+json"
#: Seconds after which trying again may help.
RETRY_S = 5

STATUS: Mapping[Code, HTTPStatus] = {
    Code.CONFLICT: HTTPStatus.CONFLICT,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.UNAUTHORIZED: HTTPStatus.FORBIDDEN,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of what was sent.

    Attributes:
        field: Its name, with dots between the parts of a path; empty for the whole.
        message: What is wrong.
        allowed: What is allowed instead.
    """

    field: str
    message: str
    allowed: str = ""


class RefusedError(PosternError):
    """A call that is refused for a reason that HTTP has a status of its own for.

    Args:
        status: That status.
        kind: The problem's name, as it stands in its type.
        message: What is wrong, in one sentence.
        hint: What to do about it.
        retry_s: Seconds after which trying again may help; None where it does not.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        message: str,
        hint: str = "",
        *,
        retry_s: int | None = None,
    ) -> None:
        super().__init__(Code.UNAUTHORIZED, message, hint)
        self.status = status
        self.kind = kind
        self.retry_s = retry_s


class FieldsError(PosternError):
    """Input with something wrong in some of its fields.

    Args:
        faults: What; at least one.
        code: What it is where there are no fields, as in a terminal.
    """

    def __init__(self, faults: tuple[Fault, ...], code: Code = Code.INVALID) -> None:
        alone = len(faults) == 1
        message = faults[0].message if alone else "Some of what was sent cannot be accepted."
        super().__init__(code, message, faults[0].allowed if alone else "See the fields.")
        self.faults = faults


@contextmanager
def field(name: str) -> Iterator[None]:
    """Says of what is refused inside that it was this field; only what can never be accepted, or
    names something that is not there.

    Raises:
        FieldsError: Instead of a `PosternError` with `invalid` or `not_found`.
    """
    try:
        yield
    except FieldsError:
        raise
    except PosternError as error:
        if error.code not in (Code.INVALID, Code.NOT_FOUND):
            raise
        raise FieldsError((Fault(name, error.message, error.hint),), error.code) from None


def problem(error: PosternError) -> Response[dict[str, object]]:
    """The answer for an error, in `application/problem+json`."""
    kind, status = _kind_and_status(error)
    body: dict[str, object] = {
        "type": f"urn:postern:problem:{kind}",
        "title": status.phrase,
        "status": int(status),
        "detail": error.message,
    }
    if error.hint:
        body["hint"] = error.hint
    if isinstance(error, FieldsError):
        body["errors"] = [
            {"field": one.field, "message": one.message, "allowed": one.allowed}
            for one in error.faults
        ]
    retry_s = error.retry_s if isinstance(error, RefusedError) else None
    if error.retry_helps:
        retry_s = RETRY_S
    return answer(status, body, {} if retry_s is None else {"Retry-After": str(retry_s)})


def answer(
    status: HTTPStatus, body: dict[str, object], headers: Mapping[str, str]
) -> Response[dict[str, object]]:
    """A problem as a response."""
    told = {"Cache-Control": "no-store", **headers}
    return Response(body, status_code=status, media_type=PROBLEM_TYPE, headers=told)


def refused(_request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What every failure of a call is answered with; nothing of a fault of ours is told."""
    if isinstance(error, PosternError):
        return problem(error)
    if isinstance(error, ValidationException):
        return problem(_faulty(error))
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        body: dict[str, object] = {
            "type": f"urn:postern:problem:{kind}",
            "title": status.phrase,
            "status": int(status),
            "detail": f"{status.phrase}.",
        }
        return answer(status, body, error.headers or {})
    fault = PosternError(Code.INTERNAL, f"An internal fault ({type(error).__name__}).")
    return problem(fault)


def problem_status(error: PosternError) -> HTTPStatus:
    """The status that goes with an error."""
    return _kind_and_status(error)[1]


def _kind_and_status(error: PosternError) -> tuple[str, HTTPStatus]:
    if isinstance(error, RefusedError):
        return error.kind, error.status
    if isinstance(error, FieldsError):
        return Code.INVALID.value, STATUS[Code.INVALID]
    return error.code.value.replace("_", "-"), STATUS[error.code]


def _faulty(error: ValidationException) -> FieldsError:
    """What the framework found wrong with a body or a parameter."""
    found = error.extra if isinstance(error.extra, list) else []
    faults = tuple(
        Fault(str(one.get("key", "")), str(one.get("message", "")))
        for one in found
        if isinstance(one, dict)
    )
    return FieldsError(faults or (Fault("", error.detail),))
