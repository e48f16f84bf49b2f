"""Small secrets in files of their own: passwords and keys that `site.toml` names, not holds."""

import os
import stat
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid

#: Bytes. Keys have 16 or 32, passwords and tokens a few dozen.
MOST_BYTES = 1024


def read_secret(path: Path) -> bytes:
    """What a secret file holds, as it stands there.

    Raises:
        PosternError: `invalid` where it is empty, too large or open to others; `unavailable` where
            it cannot be read now. None says anything of what is in it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            held = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or "it is none"
        raise PosternError(
            Code.UNAVAILABLE, f"The secret file {path} cannot be read: {why}."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise invalid(f"The secret file {path} may be used by others.", f"Run: chmod 600 {path}")
    if not 0 < len(held) <= MOST_BYTES:
        raise invalid(f"The secret file {path} has to hold 1 to {MOST_BYTES} bytes.")
    return held


def read_password(path: Path) -> str:
    """The text in a secret file, without the end of its line.

    Raises:
        PosternError: As `read_secret`, and `invalid` where it is no text of one line.
    """
    try:
        text = read_secret(path).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise invalid(f"The secret file {path} has to hold one line of printable text.")
    return text
