"""Codes from an app."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import cv2
import numpy as np
import pytest
import zxingcpp

from postern.app.signin import totp
from postern.core.errors import Code, PosternError
from postern.core.ids import UserId

#: RFC 6238, appendix B: the secret, and times with the last six digits of their codes.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
]
KEY, MARIA, GUS = bytes(32), UserId("user-1"), UserId("user-2")


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """With one step of drift each way, and no more."""
    step = seconds // 30
    for drift, found in ((-60, None), (-30, step), (0, step), (30, step), (60, None)):
        assert found == totp.step_of(SECRET, code, at(seconds) + timedelta(seconds=drift))


@pytest.mark.parametrize(
    "code", ["", "28708", "2870820", "287083", "abcdef", "２８７０８２", "-87082"]
)
def test_what_is_no_code_is_wrong(code: str) -> None:
    """Whatever is typed."""
    assert totp.step_of(SECRET, code, at(59)) is None


def test_blanks_in_a_code_are_as_apps_show_them() -> None:
    """In two groups."""
    assert 1 == totp.step_of(SECRET, "287 082", at(59))


def test_app_is_given_what_the_standard_takes_for_granted() -> None:
    """In the address, and in a picture that other people's readers read."""
    codes = totp.new_codes("North: gate", "maria")
    address = urlsplit(codes.uri)
    said = parse_qs(address.query)

    assert ("otpauth", "totp") == (address.scheme, address.netloc)
    assert "/North  gate:maria" == unquote(address.path)
    assert {
        "secret": [codes.text],
        "issuer": ["North: gate"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    } == said
    assert 20 == len(codes.secret)
    assert codes.text not in repr(codes)
    assert codes.uri == _read(codes.picture())


def test_secret_is_sealed_for_one_user_of_one_site() -> None:
    """And never twice in the same way."""
    sealed = totp.seal(KEY, MARIA, SECRET)
    assert SECRET == totp.unseal(KEY, MARIA, sealed)
    assert SECRET not in sealed
    assert sealed != totp.seal(KEY, MARIA, SECRET)
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, user, what in (
        (bytes(31) + b"1", MARIA, sealed),
        (KEY, GUS, sealed),
        (KEY, MARIA, altered),
        (KEY, MARIA, b""),
    ):
        with pytest.raises(PosternError) as refused:
            totp.unseal(key, user, what)
        assert Code.INVALID is refused.value.code


def _read(svg: str) -> str:
    """What a QR code says, drawn from its SVG: a path of horizontal strokes."""
    size = int(re.search(r'height="(\d+)"', svg)[1]) // 4  # type: ignore[index]
    grid = np.full((size, size), 255, np.uint8)
    x, y = 0.0, 0.0
    for kind, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", svg):
        if kind == "h":
            grid[int(y), int(x) : int(x) + int(first)] = 0
        elif kind == "M":
            x = y = 0.0
        x, y = x + float(first), y + float(second or 0.0)
    large = cv2.resize(grid, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    (found,) = zxingcpp.read_barcodes(large)
    return found.text
