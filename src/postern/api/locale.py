"""The languages that people are told things in."""

from collections.abc import Collection
from typing import Annotated

from litestar.params import QueryParameter

from postern.web.problem import Fault, FieldsError

#: Those that there are.
Locales = Collection[str]
Locale = Annotated[str, QueryParameter(max_length=8, description="The language, such as `de`.")]


def spoken(locale: str, locales: Locales) -> str:
    """A language that there is.

    Raises:
        FieldsError: Where it is none.
    """
    if locale not in locales:
        allowed = f"Known: {', '.join(sorted(locales))}."
        raise FieldsError((Fault("locale", "There are no texts in that language.", allowed),))
    return locale
