"""How often in a row somebody gave a wrong password or code for a name."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, insert, select

from postern.store.database import Database
from postern.store.schema import sign_in_tries


class SignInTries:
    """Failures by name; names are keyed hashes.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> tuple[int, datetime | None]:
        """How often in a row it failed, and when last; 0 and None where it did not.

        Raises:
            PosternError: `unavailable`.
        """
        found = select(sign_in_tries).where(sign_in_tries.c.name == name)
        with self._database.reading() as connection:
            row = connection.execute(found).first()
        return (0, None) if row is None else (row.failures, row.at)

    def note(self, name: str, failures: int, at: datetime) -> None:
        """Keeps how often in a row it failed, and when last.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(sign_in_tries).where(sign_in_tries.c.name == name))
            row = {"name": name, "failures": failures, "at": at}
            connection.execute(insert(sign_in_tries), row)

    def clear(self, name: str) -> None:
        """Notes that it was right: counting starts again.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(sign_in_tries).where(sign_in_tries.c.name == name))

    def trim(self, most: int, keep: Collection[str]) -> None:
        """Forgets the oldest of what is more than so many names.

        Args:
            most: How many stay.
            keep: Names that stay whatever happens, beside them.

        Raises:
            PosternError: `unavailable`.
        """
        others = sign_in_tries.c.name.not_in(keep)
        newest = (
            select(sign_in_tries.c.name)
            .where(others)
            .order_by(sign_in_tries.c.at.desc(), sign_in_tries.c.name)
            .limit(most)
        )
        with self._database.writing() as connection:
            connection.execute(
                delete(sign_in_tries).where(others, sign_in_tries.c.name.not_in(newest))
            )
