"""Keys for programs: what a program may do, and until when."""

import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from postern.core.errors import invalid
from postern.core.ids import KeyId
from postern.core.moment import check_utc
from postern.core.role import NOT_BY_KEY, Right

#: Characters of a key's name. With `key:` before it, it stands in the log.
MAX_KEY_NAME = 32
#: A key that nobody renews for longer is one that nobody remembers.
MOST_VALID = timedelta(days=400)
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a program shows instead of signing in; its secret is kept by nobody but the program.

    Attributes:
        id: Starts with ``key-``.
        name: What it is for; in the log it is `key:` and this.
        rights: What the program may do.
        created: When it was made.
        expires: When it ends.
        by: Who made it, as the log names them.
        used: The last day on which it was used; None if it never was.
    """

    id: KeyId
    name: str
    rights: frozenset[Right]
    created: datetime
    expires: datetime
    by: str
    used: date | None = None

    def __post_init__(self) -> None:
        if not self.id.startswith("key-"):
            raise invalid("A key's id starts with 'key-'.")
        check_key_name(self.name)
        check_utc(self.created, self.expires)
        check_key_rights(self.rights)
        if not timedelta(0) < self.expires - self.created <= MOST_VALID:
            raise invalid(f"A key is valid for 1 to {MOST_VALID.days} days.")

    @property
    def by_name(self) -> str:
        """As the log names the program."""
        return f"key:{self.name}"

    def holds(self, now: datetime) -> bool:
        """Whether it counts at that time; a key from the future does not."""
        return self.created <= now < self.expires


def check_key_rights(rights: Set[Right]) -> None:
    """Refuses rights that no key may have.

    Raises:
        PosternError: `invalid`.
    """
    allowed = ", ".join(right for right in Right if right not in NOT_BY_KEY)
    if not rights:
        raise invalid("A key has at least one right.", f"There are: {allowed}.")
    if forbidden := sorted(rights & NOT_BY_KEY):
        raise invalid(
            f"No key may have the right {forbidden[0].value!r}.", f"There are: {allowed}."
        )


def check_key_name(name: str) -> None:
    """Refuses what cannot be a key's name.

    Raises:
        PosternError: `invalid`.
    """
    if not _NAME.fullmatch(name):
        raise invalid(
            f"A key's name has 1 to {MAX_KEY_NAME} of a-z, 0-9, '.', '_' and '-', and begins "
            "with a letter."
        )


def check_key_days(days: int) -> None:
    """Refuses a number of days for which no key is valid.

    Raises:
        PosternError: `invalid`.
    """
    if not 1 <= days <= MOST_VALID.days:
        raise invalid(f"A key is valid for 1 to {MOST_VALID.days} days.")
