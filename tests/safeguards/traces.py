"""Looks for traces of people in bytes: vectors, plates and pictures, in whatever form they lie.

Thousands of forms are sought in one pass. Of each, a window of six bytes at every twelfth place is
kept in one sorted table; where six bytes of a file are in it, the run that both have in common is
measured. A part of a form is found as well as all of it.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

import cv2
import numpy as np
import numpy.typing as npt

from postern.frame import Image
from postern.vault import base45
from postern.vault.passes import PREFIX
from postern.vault.quantise import quantise

Vector = npt.NDArray[np.float32]
#: Bytes of a window, from one window to the next, and that must agree where a form has so many.
_WINDOW, _STEP, _RUN = 6, 12, 14
_MASK = np.uint64(2 ** (8 * _WINDOW) - 1)
#: Different bytes in a window, at least: runs of one value are everywhere. Short forms have one
#: window only.
_VARIED, _VARIED_IF_SHORT, _SHORT = 5, 4, 24
_SIEVE = np.uint64(2**24 - 1)


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which something might have been written down.

    Attributes:
        name: Of what, and how.
        data: The bytes.
    """

    name: str
    data: bytes


class Search:
    """Finds forms in bytes.

    Args:
        forms: What is sought; each at least six bytes long.
    """

    def __init__(self, forms: Iterable[Form]) -> None:
        self.forms = tuple(forms)
        starts, windows = [], []
        for number, form in enumerate(self.forms):
            at = np.arange(0, len(form.data) - _WINDOW + 1, _STEP)
            every = np.lib.stride_tricks.sliding_window_view(
                np.frombuffer(form.data, np.uint8), _WINDOW
            )[at]
            ordered = np.sort(every, axis=1)
            least = _VARIED_IF_SHORT if len(form.data) < _SHORT else _VARIED
            varied = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) >= least
            windows.append(_numbers(every[varied]))
            starts.append(np.stack([np.full(varied.sum(), number), at[varied]], axis=1))
        found = np.concatenate(windows)
        order = np.argsort(found)
        self._windows, self._starts = found[order], np.concatenate(starts)[order]
        self._sieve = np.zeros(int(_SIEVE) + 1, bool)
        self._sieve[self._windows & _SIEVE] = True

    def names(self, data: bytes) -> set[str]:
        """The names of the forms that are in these bytes, in whole or in part."""
        return {
            self.forms[number].name
            for place, window in self._candidates(data)
            for number, start in self._starts[self._spread(window)]
            if self._agrees(data, place, self.forms[number].data, int(start))
        }

    def _candidates(self, data: bytes) -> Iterator[tuple[int, np.uint64]]:
        """Where six bytes are in the table, and what they are as a number."""
        padded = data + bytes(8)
        for offset in range(8):
            count = (len(padded) - offset) // 8
            numbers = np.frombuffer(padded, "<u8", count, offset) & _MASK
            (likely,) = np.nonzero(self._sieve[numbers & _SIEVE])
            at = np.searchsorted(self._windows, numbers[likely])
            at = np.minimum(at, len(self._windows) - 1)
            for place in likely[self._windows[at] == numbers[likely]]:
                yield offset + 8 * int(place), numbers[place]

    def _spread(self, window: np.uint64) -> slice:
        left, right = (np.searchsorted(self._windows, window, side) for side in ("left", "right"))
        return slice(int(left), int(right))

    @staticmethod
    def _agrees(data: bytes, place: int, form: bytes, start: int) -> bool:
        """Whether so many bytes around are the same as well."""
        before = _common(
            data[max(0, place - _RUN) : place][::-1], form[max(0, start - _RUN) : start][::-1]
        )
        after = _common(data[place : place + _RUN], form[start : start + _RUN])
        return before + after >= min(_RUN, len(form))


def _common(one: bytes, other: bytes) -> int:
    """With how many same bytes both begin."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def traces(files: Mapping[str, bytes], search: Search) -> list[tuple[str, str]]:
    """Which file holds what: a form that is sought, or any picture."""
    found = [(file, name) for file, data in files.items() for name in sorted(search.names(data))]
    return found + [(file, kind) for file, data in files.items() for kind in pictures_in(data)]


def vector_forms(name: str, vectors: Mapping[str, Vector]) -> Iterator[Form]:
    """Every form in which a template might have been written down.

    Args:
        name: Whose.
        vectors: The template as it is, as it was turned, and so on, by what was done to it.
    """
    for how, vector in vectors.items():
        values = {
            "float32": vector.astype("<f4").tobytes(),
            "float16": vector.astype("<f2").tobytes(),
            "float64": vector.astype("<f8").tobytes(),
            "int8": quantise(vector).levels.tobytes(),
            "int16": quantise(vector, fine=True).levels.tobytes(),
        }
        for kind, data in values.items():
            yield from encoded(f"{name}, {how}, {kind}", data)
        for mark in (", ", ",", " ", "\n"):
            text = mark.join(map(str, vector)).encode()
            yield Form(f"{name}, {how}, text", text)


def encoded(name: str, data: bytes) -> Iterator[Form]:
    """The bytes as they are, in hex, and in base64 wherever they begin."""
    yield Form(name, data)
    yield Form(f"{name} in hex", data.hex().encode())
    yield Form(f"{name} in capital hex", data.hex().upper().encode())
    for shift in range(3):
        # What comes before decides how three bytes become four letters; its own are left out.
        whole = base64.b64encode(bytes(shift) + data)
        yield Form(f"{name} in base64", whole[4 * (shift > 0) : len(whole) // 4 * 4 - 4])


def plate_forms(plate: str) -> Iterator[Form]:
    """A plate's text in every spelling, and its plain digests: there are few plates to guess."""
    for text in {plate, plate.replace(" ", ""), plate.lower(), plate.replace(" ", "").lower()}:
        plain = text.encode()
        yield Form(f"{plate} as text", plain)
        yield Form(f"{plate} in wide letters", text.encode("utf-16-le"))
        yield Form(f"{plate} in hex", plain.hex().encode())
        yield Form(f"{plate} in base64", base64.b64encode(plain).rstrip(b"="))
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            yield from encoded(f"{plate}, {digest().name}", digest(plain).digest())


def pass_forms(name: str, text: str) -> Iterator[Form]:
    """A pass: what its code says, what that means, and the handle and the site in it."""
    body = base45.decode(text.removeprefix(PREFIX))
    yield Form(f"{name}, pass", text.encode())
    yield from encoded(f"{name}, content of a pass", body)
    for what, part in (("site", body[2:18]), ("handle", body[18:34])):
        yield from encoded(f"{name}, {what} of a pass", part)


def pixel_forms(name: str, image: Image) -> Iterator[Form]:
    """A few rows of a picture, in colours in either order and in grey."""
    rows = np.ascontiguousarray(image[image.shape[0] // 2 :][:3])
    yield Form(f"{name}, pixels", rows.tobytes())
    yield Form(f"{name}, pixels", np.ascontiguousarray(rows[..., ::-1]).tobytes())
    yield Form(f"{name}, pixels in grey", cv2.cvtColor(rows, cv2.COLOR_BGR2GRAY).tobytes())


def pictures_in(data: bytes) -> set[str]:
    """The kinds of picture and video files that lie anywhere in these bytes."""
    return {kind for kind, pattern in _PICTURES.items() if _is_there(pattern, kind, data)}


def _is_there(pattern: "re.Pattern[bytes]", kind: str, data: bytes) -> bool:
    return any(_fits(kind, data, match.start()) for match in pattern.finditer(data))


def _fits(kind: str, data: bytes, at: int) -> bool:
    """Whether what follows the first bytes is as that kind of file has it: sizes that can be."""
    head = data[at : at + 40].ljust(40, b"\0")
    if kind == "PNG":
        return all(0 < size < 2**16 for size in struct.unpack(">II", head[16:24]))
    if kind == "JPEG":
        (length,) = struct.unpack(">H", head[4:6])
        following = data[at + 4 + length : at + 6 + length]
        return bool(length >= 2 and (not following or following[:1] == b"\xff"))
    if kind == "TIFF":
        order = "<" if head[:2] == b"II" else ">"
        tags = data[at + struct.unpack(f"{order}I", head[4:8])[0] :][:4].ljust(4, b"\0")
        count, first = struct.unpack(f"{order}HH", tags)
        return bool(4 <= count <= 64 and 254 <= first <= 256)
    if kind == "BMP":
        size, offset, header = struct.unpack("<I4xII", head[2:18])
        return bool(header in (12, 40, 108, 124) and offset < 2048 and size > offset)
    return True


_PICTURES = {
    "JPEG": re.compile(rb"\xff\xd8\xff[\xc0-\xfe]", re.DOTALL),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a", re.DOTALL),
    "WebP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "AVI": re.compile(rb"RIFF....AVI ", re.DOTALL),
    "BMP": re.compile(rb"BM....\0\0\0\0", re.DOTALL),
    "TIFF": re.compile(rb"II\*\0|MM\0\*", re.DOTALL),
    "MP4": re.compile(rb"\0\0\0[\x10-\x40]ftyp[a-z0-9]{4}", re.DOTALL),
    "Matroska": re.compile(rb"\x1a\x45\xdf\xa3.{0,40}(?:matroska|webm)", re.DOTALL),
    "H.264": re.compile(rb"\0\0\0\x01\x67[\x42\x4d\x58\x64\x6e\x7a\xf4]", re.DOTALL),
}


def _numbers(windows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    wide = np.zeros((len(windows), 8), np.uint8)
    wide[:, :_WINDOW] = windows
    return wide.view("<u8").reshape(-1)
