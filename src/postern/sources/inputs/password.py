"""The password of a device or broker, which stands in a file of its own."""

from pathlib import Path

from postern.core.errors import Code, PosternError

#: Bytes. A longer one is some other file.
MOST = 1024


def read_password(path: Path) -> str:
    """What the file says, without the end of its line.

    Raises:
        PosternError: `unavailable` where it cannot be read, or holds no password.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST + 1).decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text or len(text) > MOST or not text.isprintable():
        raise PosternError(
            Code.UNAVAILABLE,
            f"The password file {path.name} cannot be read, or holds no password.",
            "It has the password on one line, and this user may read it.",
        )
    return text
