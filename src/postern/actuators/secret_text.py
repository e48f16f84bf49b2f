"""A device's password or key, from the file that the site names for it."""

from pathlib import Path

from postern.core.errors import Code, PosternError, invalid

#: Bytes.
_MOST = 4096


def read_secret_text(path: Path) -> str:
    """The one line that the file holds, without the end of the line.

    Raises:
        PosternError: `invalid` where it holds no line, or more than one; `unavailable` where it
            cannot be read. None of them tells any of it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The secret file {path.name} cannot be read ({error.strerror})."
        ) from None
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable() or len(data) > _MOST:
        raise invalid(
            f"The secret file {path.name} does not hold one line of text.",
            "Write the password or key into it, and nothing else.",
        )
    return text
