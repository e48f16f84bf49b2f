"""The key of an OSDP secure channel (SCBK)."""

import re
from pathlib import Path

from postern.core.errors import invalid
from postern.secret import read_secret

KEY_BYTES = 16
#: SCBK-D, which the standard prints for commissioning, and which so everybody knows.
DEFAULT_KEY = bytes(range(0x30, 0x40))
_HEX = re.compile(rb"[0-9A-Fa-f]{32}")


def read_key(path: Path) -> bytes:
    """The key in a file, which holds its 16 bytes or 32 hexadecimal digits.

    Raises:
        PosternError: As `read_secret`, and `invalid` where it is no key, or one that is no secret.
    """
    held = read_secret(path)
    written = held.strip()
    key = bytes.fromhex(written.decode("ascii")) if _HEX.fullmatch(written) else held
    if len(key) != KEY_BYTES:
        raise invalid(
            f"The key file {path} has to hold {KEY_BYTES} bytes, or {2 * KEY_BYTES} hexadecimal "
            "digits."
        )
    if key == DEFAULT_KEY or len(set(key)) == 1:
        raise invalid(
            f"The key in {path} is one that everybody knows.",
            f"Make another, and give it to both sides: head -c {KEY_BYTES} /dev/urandom",
        )
    return key
