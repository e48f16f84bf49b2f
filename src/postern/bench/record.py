"""Frozen dataclasses as JSON and back, with a schema's name and version in front."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import TypeVar, get_args, get_origin, get_type_hints

from postern.core.errors import invalid

T = TypeVar("T")


def write(value: object, schema: str) -> str:
    """A dataclass as JSON text.

    Args:
        value: A dataclass of numbers, texts, times, enums, tuples and further dataclasses. Numbers
            are finite: what is not known is None.
        schema: Name and version, such as ``postern/faces/1``.
    """
    plain = _plain(value)
    if not isinstance(plain, dict):
        raise invalid("Only a record can be written.")
    return json.dumps({"schema": schema, **plain}, indent=1, allow_nan=False) + "\n"


def read(text: str, kind: type[T], schema: str) -> T:
    """The dataclass in a text that `write` wrote.

    Raises:
        PosternError: `invalid` where the text is no such record, or of another schema.
    """
    try:
        record = json.loads(text)
    except ValueError:
        raise invalid("The report is not JSON.") from None
    if not isinstance(record, dict) or record.pop("schema", None) != schema:
        raise invalid(f"The report is not of the schema {schema}.", "Make it again.")
    built = _built(kind, record)
    if not isinstance(built, kind):
        raise invalid("The report holds something else.")
    return built


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _built(kind: object, plain: object) -> object:
    if isinstance(kind, UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        return None if plain is None else _built(options[0], plain)
    if get_origin(kind) is tuple:
        if not isinstance(plain, list):
            raise invalid("The report lacks a list.")
        return tuple(_built(get_args(kind)[0], item) for item in plain)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind, plain)
    return _scalar(kind, plain)


def _record(kind: type, plain: object) -> object:
    hints = get_type_hints(kind)
    if not isinstance(plain, Mapping) or set(plain) != set(hints):
        raise invalid(f"The report's {kind.__name__} has other fields.")
    return kind(**{name: _built(hint, plain[name]) for name, hint in hints.items()})


def _scalar(kind: object, plain: object) -> object:
    try:
        if kind is float and isinstance(plain, (int, float)) and not isinstance(plain, bool):
            return float(plain)
        if kind is datetime and isinstance(plain, str):
            return datetime.fromisoformat(plain)
        if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(plain, str):
            return kind(plain)
    except ValueError:
        raise invalid(f"The report holds {plain!r}, which it cannot mean.") from None
    if kind in (int, str, bool) and type(plain) is kind:
        return plain
    raise invalid(f"The report holds {plain!r} in the wrong place.")
