"""Taking back the first half of what cannot be finished."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from postern.core.errors import PosternError


@contextmanager
def undone_by(undo: Callable[[], None]) -> Iterator[None]:
    """Undoes what came before where the work inside fails; the failure itself is what is told.

    Args:
        undo: Takes it back; where that fails too, as on a full disk, what remains is harmless: a
            name without a credential opens nothing.
    """
    try:
        yield
    except BaseException:
        with suppress(PosternError):
            undo()
        raise
