"""Public keys as options: their text, or a file that holds it."""

from pathlib import Path

#: Bytes; a key has a hundred.
_MOST = 4096


def key_text(given: str) -> str:
    """The text of a public key that was given, or is in the file of that name."""
    path = Path(given)
    # A key's text is no path that anybody uses; a name too long to be one is no error here.
    try:
        if given and path.is_file():
            with path.open("rb") as file:
                return file.read(_MOST).decode("utf-8", "replace").strip()
    except OSError:
        pass
    return given.strip()
