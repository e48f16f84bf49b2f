"""On which line each key and list element of a TOML text stands; the standard parser does not tell.

1. It reads text that `tomllib` accepted, so it only has to find where things begin and end.
2. Of TOML 1.1 it knows line breaks and trailing commas in inline tables, so that a newer `tomllib`
   accepts nothing that is not understood here.
3. What it cannot follow is an error of Postern's own, never a wrong line.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from postern.core.errors import PosternError, invalid

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
#: Numbers, dates and booleans; a date may hold one blank.
_SCALAR = re.compile(r"[^,\]}#\n\"'\[{]+")

Step = str | int


@dataclass(slots=True)
class Lines:
    """Where a value stands, and where everything inside it does.

    Attributes:
        line: Counted from 1. A key's line; for a table its header's, where it has one.
        inside: By key, or by index from 0 in a list.
    """

    line: int
    inside: dict[Step, "Lines"] = field(default_factory=dict)

    def at(self, step: Step) -> "Lines":
        """Where the value of a key or index stands; where this one does, if it has none such."""
        return self.inside.get(step, self)

    def enter(self, step: Step, line: int) -> "Lines":
        """The value of a key or index, noted with that line if it was not known."""
        return self.inside.setdefault(step, Lines(line))


def locate(text: str) -> Lines:
    """The lines of everything in a TOML text.

    Args:
        text: What `tomllib.loads` accepted.

    Raises:
        PosternError: `invalid` where it cannot be followed.
    """
    scanner = _Scanner(text)
    root = table = Lines(1)
    while scanner.more():
        if scanner.take("["):
            table = _header(scanner, root)
        else:
            _pair(scanner, table)
    return root


class _Scanner:
    """Goes through a text from its beginning, counting lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.line = 1

    def more(self) -> bool:
        """Goes over blanks, comments and line ends; whether anything follows."""
        self.match(_BLANK)
        return self._position < len(self._text)

    def take(self, mark: str) -> bool:
        """Goes over blanks and then over `mark`; whether it was there."""
        self.more()
        found = self._text.startswith(mark, self._position)
        if found:
            self._position += len(mark)
        return found

    def need(self, mark: str) -> None:
        """Goes over `mark`, which has to be there."""
        if not self.take(mark):
            raise self.lost()

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Goes over what matches here; None, and no step, where nothing does."""
        found = pattern.match(self._text, self._position)
        if not found:
            return None
        self._position = found.end()
        self.line += found.group().count("\n")
        return found.group()

    def lost(self) -> PosternError:
        return invalid(f"The TOML at line {self.line} cannot be followed.")


def _header(scanner: _Scanner, root: Lines) -> Lines:
    """The table that a header opens; its first bracket has been read."""
    many = scanner.take("[")
    keys = _keys(scanner)
    line = scanner.line
    scanner.need("]]" if many else "]")
    parent = _enter(root, keys[:-1], line)
    table = parent.enter(keys[-1], line)
    if many:
        return table.enter(len(table.inside), line)
    table.line = line  # Not that of a table inside it, which may come first.
    return table


def _pair(scanner: _Scanner, table: Lines) -> None:
    """A key and its value."""
    keys = _keys(scanner)
    table = _enter(table, keys[:-1], scanner.line)
    place = table.enter(keys[-1], scanner.line)
    scanner.need("=")
    scanner.more()
    _value(scanner, place)


def _enter(table: Lines, keys: Iterable[str], line: int) -> Lines:
    """The table at the end of dotted keys; in a list of tables, the last one."""
    for key in keys:
        table = table.enter(key, line)
        if table.inside and 0 in table.inside:
            table = table.inside[len(table.inside) - 1]
    return table


def _keys(scanner: _Scanner) -> Sequence[str]:
    keys = [_key(scanner)]
    while scanner.take("."):
        keys.append(_key(scanner))
    return keys


def _key(scanner: _Scanner) -> str:
    scanner.more()
    bare = scanner.match(_BARE_KEY)
    if bare is not None:
        return bare
    quoted = scanner.match(_STRING)
    if quoted is None:
        raise scanner.lost()
    return str(tomllib.loads(f"key = {quoted}")["key"])


def _value(scanner: _Scanner, place: Lines) -> None:
    """Goes over a value and notes the lines inside it; the scanner stands at its beginning."""
    if scanner.take("["):
        while not scanner.take("]"):
            _value(scanner, place.enter(len(place.inside), scanner.line))
            scanner.take(",")
    elif scanner.take("{"):
        while not scanner.take("}"):
            _pair(scanner, place)
            scanner.take(",")
    elif scanner.match(_STRING) is None and scanner.match(_SCALAR) is None:
        raise scanner.lost()
