"""Who signs in: operators of the site, under a name that they choose, and never people who pass."""

import re
from dataclasses import dataclass
from datetime import datetime

from postern.core.errors import invalid
from postern.core.ids import UserId
from postern.core.moment import check_utc
from postern.core.role import Role

#: Characters of a user's name. With `user:` before it, it stands in the log.
MAX_USER_NAME = 32
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        id: Starts with ``user-``; stays when everything else changes.
        name: What they type; in the log they are `user:` and this.
        role: What they are there for.
        created: When they were added.
        enabled: Whether they may sign in.
    """

    id: UserId
    name: str
    role: Role
    created: datetime
    enabled: bool = True

    def __post_init__(self) -> None:
        if not self.id.startswith("user-"):
            raise invalid("A user's id starts with 'user-'.")
        check_user_name(self.name)
        check_utc(self.created)

    @property
    def by(self) -> str:
        """As the log names them."""
        return f"user:{self.name}"


def check_user_name(name: str) -> None:
    """Refuses what cannot be a user's name.

    Raises:
        PosternError: `invalid`.
    """
    if not _NAME.fullmatch(name):
        raise invalid(
            f"A user's name has 1 to {MAX_USER_NAME} of a-z, 0-9, '.', '_' and '-', and begins "
            "with a letter."
        )
