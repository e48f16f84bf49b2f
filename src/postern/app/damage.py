"""Damage to this site's own log, told as such: it is neither a rollback nor a bad proof."""

from collections.abc import Iterator
from contextlib import contextmanager

from postern.core.errors import PosternError

HINT = "Run postern verify on the log's folder; docs/ledger.md says what can be done."


@contextmanager
def own_files() -> Iterator[None]:
    """Reads files of this site's log, which must lead to the root that the log has signed.

    Raises:
        PosternError: `invalid` or `not_found` where they do not, or are not there; `unavailable`
            where they cannot be read now.
    """
    try:
        yield
    except PosternError as error:
        if error.retry_helps:
            raise
        what = f"The log's own files are damaged: {error.message}"
        raise PosternError(error.code, what, HINT) from None
