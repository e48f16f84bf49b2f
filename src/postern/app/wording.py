"""What people read, in their language: one file for each, all with the same keys and blanks."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from postern.core.errors import Code, PosternError

#: The language that is complete first, and in which the operator is spoken to.
FIRST = "en"
_SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one language.

    Attributes:
        locale: Its code, such as ``de``.
        texts: The texts with their blanks, by the dotted names of their keys.
    """

    locale: str
    texts: Mapping[str, str]

    def say(self, key: str, **blanks: object) -> str:
        """A text with its blanks filled in."""
        return self.texts[key].format_map(blanks)

    def date(self, at: datetime) -> str:
        """A day of the calendar as people write it, on the clock that `at` goes by."""
        month = self.texts["date.months"].split()[at.month - 1]
        return self.say("date.form", day=at.day, month=month, year=at.year)

    def time(self, at: datetime) -> str:
        """A day and the time of day, on the clock that `at` goes by."""
        return self.say("date.with_time", date=self.date(at), time=f"{at:%H:%M}")


def locales() -> tuple[str, ...]:
    """Every language that there is a file of, the first one first."""
    names = (file.name for file in _folder().iterdir())
    found = {name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)}
    return (FIRST, *sorted(found - {FIRST}))


@lru_cache
def wording(locale: str = FIRST) -> Wording:
    """The texts of a language.

    Raises:
        PosternError: `not_found` where there is no file of it.
    """
    if locale not in locales():
        known = ", ".join(locales())
        raise PosternError(
            Code.NOT_FOUND, f"There are no texts in the language {locale!r}.", f"Known: {known}."
        )
    read = tomllib.loads((_folder() / f"{locale}{_SUFFIX}").read_text("utf-8"))
    return Wording(locale, MappingProxyType(dict(_flat(read))))


def _folder() -> Traversable:
    return files("postern.app") / "locales"


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)
