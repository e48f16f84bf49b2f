"""What was asked for under a key of the caller's own choice, and the id of what came of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from postern.store.database import Database
from postern.store.schema import replies


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a call.

    Attributes:
        digest: The hash of what was asked for, in hexadecimal digits.
        subject: The id of what came of it; None once whoever bore it is forgotten.
    """

    digest: str
    subject: str | None


class Replies:
    """Calls that were answered.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, caller: str, key: str, since: datetime) -> Reply | None:
        """What became of a caller's call with that key; None where there was none since then.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(replies).where(
            replies.c.caller == caller, replies.c.key == key, replies.c.at >= since
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Reply(row.digest, row.subject)

    def keep(self, caller: str, key: str, reply: Reply, at: datetime) -> None:
        """Keeps what became of a call, in place of an older one with that key.

        Raises:
            PosternError: `unavailable`.
        """
        same = (replies.c.caller == caller) & (replies.c.key == key)
        row = {"caller": caller, "key": key, "digest": reply.digest, "at": at}
        with self._database.writing() as connection:
            connection.execute(delete(replies).where(same))
            connection.execute(insert(replies), {**row, "subject": reply.subject})

    def expire(self, before: datetime) -> None:
        """Forgets the calls before that time.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(replies).where(replies.c.at < before))
