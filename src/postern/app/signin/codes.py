"""Codes by which somebody sets their first password: a new user, or a site's first administrator.

A code for a new administrator is given out on the machine only; whoever uses that terminal can read
and change everything of the site anyway.
"""

from datetime import timedelta
from hashlib import sha256
from secrets import choice

from postern.app.signin.desk import Desk
from postern.core.user import User
from postern.store.setup_codes import SetupCode

#: How long a code lasts: one that a terminal shows, and one that has to be brought to somebody.
FIRST_RUN, FOR_A_USER = timedelta(minutes=30), timedelta(hours=24)
#: Crockford's base32, without what is taken for something else. 28 of them are 140 bits.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 7, 4
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class Codes:
    """The codes that were given out.

    Args:
        desk: Where people sign in.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def for_administrator(self, by: str) -> str:
        """A code that makes an administrator; the former one counts no more.

        Args:
            by: Whose terminal it is shown on.

        Raises:
            PosternError: `unavailable`.
        """
        code, desk = _new(), self._desk
        with desk.store.together():
            until = desk.now() + FIRST_RUN
            desk.store.setup_codes.replace(hidden(code), SetupCode(None, until))
            desk.note("code for an administrator", "", by)
        return code

    def for_user(self, user: User) -> str:
        """A code by which a user sets their password; the former one counts no more.

        Whoever asks for it has said so in the log.

        Raises:
            PosternError: `unavailable`.
        """
        code = _new()
        until = self._desk.now() + FOR_A_USER
        self._desk.store.setup_codes.replace(hidden(code), SetupCode(user.id, until))
        return code

    def known(self, code: str) -> SetupCode | None:
        """What a code is for, where it counts still.

        Raises:
            PosternError: `unavailable`.
        """
        found = self._desk.store.setup_codes.known(hidden(code))
        now = self._desk.now()
        # Nor does one count that ends later than any does: the calendar was set back.
        counts = found is not None and now < found.expires <= now + FOR_A_USER
        return found if counts else None


def hidden(code: str) -> str:
    """What is kept of a code: the SHA-256 of its letters, however they were typed."""
    letters = code[:100].upper().translate(_READ)
    return sha256(letters.encode("utf-8", "replace")).hexdigest()


def _new() -> str:
    groups = ("".join(choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
