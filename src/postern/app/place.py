"""A value in the configuration file: what it holds, what it is called, and on which line it is."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from postern.app.problem import Problem, nearest, shown
from postern.app.toml_lines import Lines, Step

#: What stands in a path without quotes: a bare key, as short as a person writes it.
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the file. Problems are noted on the way, so that all can be told together.

    Attributes:
        value: As the TOML parser gives it.
        lines: Where it and everything inside it stands.
        path: Its name from the top of the file; empty for the file.
        problems: Where problems are noted; shared by all places of a file.
    """

    value: object
    lines: Lines
    path: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def table(self) -> dict[str, object]:
        """Its keys and values; empty where it is no table."""
        return self.value if isinstance(self.value, dict) else {}

    def at(self, step: Step) -> "Place":
        """The value of one of its keys, or at an index of its list."""
        inner = self.value[step] if isinstance(self.value, dict | list) else None  # type: ignore[index]
        return Place(inner, self.lines.at(step), self._path_of(step), self.problems)

    def every(self) -> Iterator[tuple[str, "Place"]]:
        """Its keys with their values, in the order of the file."""
        for key in self.table:
            yield key, self.at(key)

    def refuse(self, message: str, hint: str = "") -> None:
        """Notes what is wrong with it.

        Args:
            message: The end of a sentence that begins with its name.
            hint: What to do about it.
        """
        subject = self.path or "The file"
        self.problems.append(Problem(self.lines.line, self.path, f"{subject} {message}", hint))

    def refuse_strangers(self, known: Collection[str]) -> None:
        """Notes every key that is not one of `known`."""
        for key, place in self.every():
            if key not in known:
                place.refuse("is not a known key.", nearest(key, known))

    def _path_of(self, step: Step) -> str:
        if isinstance(step, int):
            return f"{self.path}[{step}]"
        name = step if _PLAIN.fullmatch(step) else shown(step)
        return f"{self.path}.{name}" if self.path else name
