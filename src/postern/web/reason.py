"""Why somebody does something that is recorded with it."""

from postern.core.errors import invalid

#: Characters of a reason; the log keeps no more.
LEAST, MOST = 3, 200


def worth_recording(reason: str) -> str:
    """A reason that says something.

    Raises:
        PosternError: `invalid` where it does not.
    """
    words = reason.strip()
    if not LEAST <= len(words) <= MOST or not words.isprintable():
        raise invalid(
            f"A reason has {LEAST} to {MOST} printable characters.",
            "Say what happens, and not who is there.",
        )
    return words
