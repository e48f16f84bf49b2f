"""Frozen dataclasses from TOML tables, by the types of their fields.

A field may be `str`, `int`, `float`, `bool`, `Path`, a `StrEnum`, a union of these, or a tuple of
one of them (`tuple[str, ...]`). A field without a default is required; one that may be None is
None where the file leaves it out. A path is relative to the file's own folder, and one whose name
ends in `_file` holds a secret: it has to be there and be nobody else's to read.
"""

import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from postern.app.place import Place
from postern.app.problem import did_you_mean, shown
from postern.core.errors import PosternError

T = TypeVar("T")

#: TOML promises whole numbers of 64 bits; Python's parser takes longer ones, floats do not.
_MAX_INTEGER = 2**63


def build(config: type[T], place: Place, folder: Path, besides: Collection[str] = ()) -> T | None:
    """A dataclass from a table; None where something is wrong with it, which has been noted.

    Args:
        config: The dataclass.
        place: The table.
        folder: What paths are relative to.
        besides: Keys of the table that somebody else reads.
    """
    if not isinstance(place.value, dict):
        place.refuse("must be a table.", f"Begin it with the line [{place.path}].")
        return None
    before = len(place.problems)
    place.refuse_strangers([*besides, *(f.name for f in fields(config))])  # type: ignore[arg-type]
    given = _given(config, place, folder)
    sound = len(place.problems) == before
    made = _made(config, given, place)
    return made if sound else None


def convert(place: Place, wanted: Any, folder: Path) -> object | None:  # noqa: ANN401 - any type hint
    """A value as the type that is wanted; None where it is none such, which has been noted.

    Args:
        place: The value.
        wanted: The type, of those that the module names.
        folder: What paths are relative to.
    """
    choices = _choices(wanted)
    for choice in choices:
        if _fits(place.value, choice):
            return _converted(place, choice, folder)
    place.refuse(f"must be {_any_of(choices)}.", _hint(place.value, choices))
    return None


def read_key(place: Place, key: str, wanted: Any, folder: Path) -> object | None:  # noqa: ANN401 - any type hint
    """A required key's value, as `convert` gives it; None where it is missing, which is noted.

    Args:
        place: The table.
        key: The key.
        wanted: The type.
        folder: What paths are relative to.
    """
    if key in place.table:
        return convert(place.at(key), wanted, folder)
    place.refuse(f"lacks the key {key!r}.", f"It is {_any_of(_choices(wanted))}.")
    return None


def _given(config: type[Any], place: Place, folder: Path) -> dict[str, object]:
    """The values that are of their types; what is wrong with the others has been noted."""
    hints = get_type_hints(config)
    given: dict[str, object] = {}
    for one in fields(config):
        if one.name not in place.table and not _required(one):
            continue
        value = read_key(place, one.name, hints[one.name], folder)
        if isinstance(value, Path) and one.name.endswith("_file"):
            _check_secret(place.at(one.name), value)
        if value is not None:
            given[one.name] = value
    return given


def _made(config: type[T], given: Mapping[str, object], place: Place) -> T | None:
    """The dataclass; what it says against its values is noted at the keys that are to blame."""
    required = [f.name for f in fields(config) if _required(f)]  # type: ignore[arg-type]
    if not given.keys() >= set(required):
        return None
    refusal = _refusal(config, given)
    if refusal is None:
        return config(**given)
    for key, blame in _blame(config, given, required, refusal):
        culprit = place.at(key) if key else place
        culprit.refuse(f"is refused: {blame.message}", blame.hint)
    return None


def _blame(
    config: type[object], given: Mapping[str, object], required: Sequence[str], whole: PosternError
) -> list[tuple[str, PosternError]]:
    """What is said against each key by itself, the others left out where they can be.

    The key is empty where only several together are at fault.
    """
    least = {key: given[key] for key in required}
    refusal = _refusal(config, least)
    if refusal is not None:
        alone = len(required) == 1 and refusal.message == whole.message
        return [(required[0] if alone else "", whole)]
    each = ((key, _refusal(config, {**least, key: given[key]})) for key in given)
    return [(key, blame) for key, blame in each if blame is not None] or [("", whole)]


def _refusal(config: type[object], given: Mapping[str, object]) -> PosternError | None:
    try:
        config(**given)
    except PosternError as error:
        return error
    return None


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _choices(wanted: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any type hint
    """The members of a union, or the type itself; None cannot be written in TOML."""
    if get_origin(wanted) in (Union, UnionType):
        return tuple(choice for choice in get_args(wanted) if choice is not NoneType)
    return (wanted,)


def _fits(value: object, choice: Any) -> bool:  # noqa: ANN401 - any type hint
    """Whether a value is of the right TOML type; true is no number."""
    if get_origin(choice) is tuple:
        return isinstance(value, list)
    if choice is bool or isinstance(value, bool):
        return choice is bool and isinstance(value, bool)
    if choice is float:
        return isinstance(value, int | float)
    if choice is int:
        return isinstance(value, int)
    if choice in (str, Path) or issubclass(choice, StrEnum):
        return isinstance(value, str)
    raise TypeError(f"no TOML value becomes {choice}")


def _converted(place: Place, choice: Any, folder: Path) -> object | None:  # noqa: ANN401 - any type hint
    value = place.value
    if get_origin(choice) is tuple and isinstance(value, list):
        items = [convert(place.at(n), get_args(choice)[0], folder) for n in range(len(value))]
        return None if None in items else tuple(items)
    if isinstance(value, str):
        return _from_text(place, value, choice, folder)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not isfinite(value) if isinstance(value, float) else not abs(value) < _MAX_INTEGER:
        place.refuse("must be a finite number that fits into 64 bits.")
        return None
    return float(value) if choice is float else value


def _from_text(place: Place, text: str, choice: Any, folder: Path) -> object | None:  # noqa: ANN401 - any type hint
    if choice is Path:
        return _path(place, text, folder)
    if choice is str:
        return text
    if text not in list(choice):
        place.refuse(
            f"must be {_described(choice)}, not {shown(text)}.", did_you_mean(text, list(choice))
        )
        return None
    return choice(text)  # type: ignore[no-any-return]


def _path(place: Place, text: str, folder: Path) -> Path | None:
    if not text or "\0" in text:
        place.refuse("must be the path of a file or folder.")
        return None
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:  # "~name/..." of a user who does not exist.
        place.refuse("begins with the home folder of a user who is not on this machine.")
        return None


def _check_secret(place: Place, path: Path) -> None:
    """Notes it where a secret's file is not there, or is for others to read or write."""
    try:
        mode = path.stat().st_mode
    except OSError:
        place.refuse("names a secret file that is not there, or that this user may not see.")
        return
    if not stat.S_ISREG(mode):
        place.refuse("must name a file.")
    elif stat.S_IMODE(mode) & ~0o600:
        place.refuse(
            f"names a secret file that others may use (mode {stat.S_IMODE(mode):04o}).",
            f"Run: chmod 600 {path}",
        )


def _any_of(choices: Collection[Any]) -> str:
    return " or ".join(map(_described, choices))


_NAMES: dict[Any, str] = {
    str: "a text in quotes",
    Path: "a path in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _described(choice: Any) -> str:  # noqa: ANN401 - any type hint
    if get_origin(choice) is tuple:
        return f"a list in brackets, each item {_described(get_args(choice)[0])}"
    if choice in _NAMES:
        return _NAMES[choice]
    return " or ".join(f'"{member}"' for member in choice)


def _hint(value: object, choices: Collection[Any]) -> str:
    """How to write what was probably meant."""
    if any(get_origin(choice) is tuple for choice in choices):
        return 'Write it in brackets, such as ["one", "two"].'
    if isinstance(value, str):
        return "Write it without quotes."
    if isinstance(value, list):
        return "Write it without brackets."
    return ""
