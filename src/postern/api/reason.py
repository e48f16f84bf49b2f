"""Why somebody looks at what happened to one person: stated before, and told to that person."""

from typing import Annotated

from litestar.params import QueryParameter

from postern.core.errors import invalid
from postern.web.problem import field

#: Characters of a reason: a sentence that the person will read.
LEAST_WHY, MOST_WHY = 8, 200
_SAY = f"A sentence of {LEAST_WHY} to {MOST_WHY} characters, which the person can read."

Why = Annotated[
    str | None,
    QueryParameter(max_length=MOST_WHY, description=f"Why you look. {_SAY}"),
]


def stated(reason: str | None) -> str:
    """A reason as it is recorded.

    Raises:
        FieldsError: Where there is none.
    """
    why = " ".join((reason or "").split())
    with field("reason"):
        if not (LEAST_WHY <= len(why) <= MOST_WHY and why.isprintable()):
            raise invalid("Looking at one person's events needs a reason.", _SAY)
    return why
