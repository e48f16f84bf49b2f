"""Codes by which somebody sets their first password, under their SHA-256."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from postern.core.ids import UserId
from postern.store.database import Database
from postern.store.schema import setup_codes


@dataclass(frozen=True, slots=True)
class SetupCode:
    """A code that was given out and not used yet.

    Attributes:
        user: Whose password it sets; None where it makes an administrator.
        expires: When it ends.
    """

    user: UserId | None
    expires: datetime


class SetupCodes:
    """The codes that were not used: one for each user at most, and one for a new administrator.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, code: str, setup: SetupCode) -> None:
        """Keeps a code in the place of the former of that user.

        Raises:
            PosternError: `conflict` where there is no such user; `unavailable`.
        """
        row = {"code": code, "user": setup.user, "expires": setup.expires}
        with self._database.writing() as connection:
            connection.execute(delete(setup_codes).where(setup_codes.c.user.is_(setup.user)))
            connection.execute(insert(setup_codes), row)

    def known(self, code: str) -> SetupCode | None:
        """The code of that hash, where it was not used; it may have run out.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(setup_codes).where(setup_codes.c.code == code)).first()
        if row is None:
            return None
        return SetupCode(None if row.user is None else UserId(row.user), row.expires)

    def use(self, code: str) -> bool:
        """Takes a code away; False where somebody has used it meanwhile.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            return (
                connection.execute(delete(setup_codes).where(setup_codes.c.code == code)).rowcount
                > 0
            )

    def drop(self, user: UserId) -> None:
        """Takes away the code of a user, if there is one.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(setup_codes).where(setup_codes.c.user == user))
