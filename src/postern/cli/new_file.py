"""Files that a command makes for somebody to keep: for nobody else to read, never overwritten."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid

Write = Callable[[bytes], None]


def check_page(path: Path) -> None:
    """Refuses a file whose name says that it is no page of HTML, before anything is done.

    Raises:
        PosternError: `invalid` for a name that ends otherwise than `.html` or `.htm`.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise invalid(
            f"A receipt is a page: the name of its file ends in .html, and {path.name} does not.",
            "A browser prints it to a PDF.",
        )


@contextmanager
def new_file(path: Path) -> Iterator[Write]:
    """Makes a file before anything else is done, so that what is to be in it cannot get lost.

    It goes again where nothing was written to it, or not all.

    Args:
        path: Where; its folder must be there.

    Raises:
        PosternError: `conflict` where there is a file already; `unavailable` where none can be
            made; what it gives, where it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise PosternError(
            Code.CONFLICT,
            f"There is a file {path} already.",
            "Choose another name for the new one.",
        ) from None
    except OSError as error:
        raise _unwritten(path, error) from None
    written = False

    def write(content: bytes) -> None:
        nonlocal written
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(content)
            os.fsync(handle)
        except OSError as error:
            raise _unwritten(path, error) from None
        written = True

    try:
        yield write
    finally:
        os.close(handle)
        if not written:
            path.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> PosternError:
    return PosternError(
        Code.UNAVAILABLE,
        f"{path} cannot be written: {error.strerror}.",
        "Make room, or choose another place.",
    )
