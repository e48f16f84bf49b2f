"""Times as they are sent: RFC 3339, with their zone."""

from datetime import UTC, datetime
from typing import Annotated

from litestar.params import QueryParameter

from postern.web.problem import Fault, FieldsError

_EXAMPLE = "As in 2026-03-04T12:00:00Z or 2026-03-04T14:00:00+02:00."
_FORMAT = {"format": "date-time"}

Since = Annotated[
    str | None,
    QueryParameter(max_length=40, description=f"At or after this time. {_EXAMPLE}",
                   schema_extra=_FORMAT),
]  # fmt: skip
Until = Annotated[
    str | None,
    QueryParameter(max_length=40, description=f"Before this time. {_EXAMPLE}",
                   schema_extra=_FORMAT),
]  # fmt: skip


def moment(written: str | None, name: str) -> datetime | None:
    """A time in UTC; None where none was sent.

    Args:
        written: As it was sent; a blank stands for the plus that it was, unescaped.
        name: Of the field.

    Raises:
        FieldsError: Where it is none, or has no zone.
    """
    if written is None:
        return None
    try:
        found = datetime.fromisoformat(written.replace(" ", "+"))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise FieldsError((Fault(name, "This is no time with its zone.", _EXAMPLE),))
