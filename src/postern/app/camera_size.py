"""Writing the size of a camera's pictures into `site.toml`, and nothing else.

1. The file stays as its author wrote it: only the lines of `width` and `height` are put in or
   changed, so that comments, order and blanks are kept.
2. What comes out is read again before it is written: it says what the file said, and the size.
3. A new file takes the place of the old one at once, with the same mode; where somebody changed the
   file meanwhile, it is left alone.
"""

import os
import re
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from postern.app.sections import CAMERA
from postern.app.site import Camera
from postern.app.toml_lines import Lines, locate
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId

_KEYS = ("width", "height")
_VALUE = re.compile(r"(=[ \t]*)[^\s#]+")
_BOM = "\ufeff"


def takes_size(camera: Camera) -> bool:
    """Whether a camera's kind can be told the size of its pictures."""
    config = camera.config
    return is_dataclass(config) and {field.name for field in fields(config)} >= set(_KEYS)


def said_size(file: Path, camera: CameraId) -> tuple[int, int] | None:
    """The size that a site's file states for a camera; None where it states none.

    Raises:
        PosternError: `unavailable` where the file cannot be read.
    """
    table = _table(_parsed(_read(file)), camera)
    width, height = (table.get(key) for key in _KEYS)
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def write_size(file: Path, camera: CameraId, width: int, height: int) -> None:
    """States the size of a camera's pictures in a site's file.

    Args:
        file: The site's file.
        camera: One of its cameras.
        width: Pixels.
        height: Pixels.

    Raises:
        PosternError: `invalid` where its table is written in a way that is not changed here;
            `conflict` where the file was changed meanwhile; `unavailable` where it cannot be
            written.
    """
    real = file.resolve()  # A link stays one.
    text = _read(real)
    changed = with_size(text, camera, width, height)
    if changed != text:
        _replace(real, text, changed)


def with_size(text: str, camera: CameraId, width: int, height: int) -> str:
    """A site's text with the size of a camera's pictures.

    Raises:
        PosternError: `invalid` where the camera's table has no header of its own, or a key of the
            two no line of its own.
    """
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    lines = body.split("\n")
    place = locate(body).at(CAMERA).at(camera)
    size = dict(zip(_KEYS, (width, height), strict=True))
    # From the last line up, so that those above keep their numbers.
    for key in [key for key in _KEYS if key in place.inside]:
        at = place.inside[key].line - 1
        lines[at] = _VALUE.sub(rf"\g<1>{size[key]}", lines[at], count=1)
    header = lines[place.line - 1]
    ending = "\r" if header.endswith("\r") else ""
    missing = [key for key in _KEYS if key not in place.inside]
    lines[_after(place) : _after(place)] = [f"{key} = {size[key]}{ending}" for key in missing]
    result = "\n".join(lines)
    wanted = _parsed(body)
    _table(wanted, camera).update(size)
    if not _says(result, wanted):
        raise invalid(
            f"The table of the camera {camera} is written in a way that is not changed here.",
            f"Write into it by hand: width = {width} and height = {height}",
        )
    return bom + result


def _after(place: Lines) -> int:
    """Behind which line of a table a key is put: its last one with a value of one line."""
    return max([place.line, *(one.line for one in place.inside.values() if not one.inside)])


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix(_BOM))
    except tomllib.TOMLDecodeError:  # It was read when the command began.
        raise _changed() from None


def _table(root: dict[str, Any], camera: CameraId) -> dict[str, Any]:
    cameras = root.get(CAMERA)
    table = cameras.get(camera) if isinstance(cameras, dict) else None
    if not isinstance(table, dict):
        raise _changed()
    return table


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise PosternError(
            Code.UNAVAILABLE, f"{file} cannot be read any more.", "Try again."
        ) from None


def _replace(file: Path, before: str, after: str) -> None:
    try:
        there = file.stat()
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(after.encode())
                new.flush()
                os.fchmod(handle, there.st_mode & 0o7777)
                with suppress(PermissionError):  # Only root gives files away.
                    os.fchown(handle, there.st_uid, there.st_gid)
                os.fsync(handle)
            if _read(file) != before:
                raise _changed()
            os.replace(name, file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"{file} cannot be changed: {error.strerror}.",
            "Run the command as whoever owns the file, or write the size into it by hand.",
        ) from None


def _changed() -> PosternError:
    return PosternError(
        Code.CONFLICT, "The site's file was changed meanwhile and is left as it is.", "Try again."
    )
