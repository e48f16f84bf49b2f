"""Sessions in the store, under the SHA-256 of their tokens: no one signs in by reading them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update

from postern.core.ids import UserId
from postern.store.database import Database
from postern.store.schema import sessions


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in.

    Attributes:
        token: The SHA-256 of what their browser shows, in hexadecimal digits.
        user: Who.
        created: When they signed in.
        seen: When they were last there, within a minute.
        proven: When they last proved who they are.
        expires: When it ends whatever they do.
    """

    token: str
    user: UserId
    created: datetime
    seen: datetime
    proven: datetime
    expires: datetime


class Sessions:
    """Everybody's sessions.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: Session) -> None:
        """Keeps a new session.

        Raises:
            PosternError: `conflict` where there is no such user; `unavailable`.
        """
        row = {
            "token": session.token,
            "user": session.user,
            "created": session.created,
            "seen": session.seen,
            "proven": session.proven,
            "expires": session.expires,
        }
        with self._database.writing() as connection:
            connection.execute(insert(sessions), row)

    def known(self, token: str) -> Session | None:
        """The session of that token's hash, where there is one; it may have run out.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(sessions).where(sessions.c.token == token)).first()
        return None if row is None else _session(row)

    def see(self, token: str, now: datetime) -> None:
        """Notes that somebody was there.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(update(sessions).where(sessions.c.token == token).values(seen=now))

    def end(self, token: str) -> bool:
        """Ends a session; False where there was none any more.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            return (
                connection.execute(delete(sessions).where(sessions.c.token == token)).rowcount > 0
            )

    def end_all(self, user: UserId) -> None:
        """Ends every session of a user.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.user == user))

    def forget(self, now: datetime, idle_since: datetime) -> None:
        """Forgets the sessions that have run out, and those of nobody who was there since.

        Raises:
            PosternError: `unavailable`.
        """
        over = (sessions.c.expires <= now) | (sessions.c.seen < idle_since)
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(over))


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(row.token, UserId(row.user), row.created, row.seen, row.proven, row.expires)
