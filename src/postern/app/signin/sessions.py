"""Sessions: somebody has signed in, until they leave, are gone for half an hour, or a day's work
is over.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from postern.app.signin.desk import Desk
from postern.core.user import User
from postern.store.sessions import Session
from postern.web.sign_in import Opened

#: After so long without a call, and at the latest after so long, a session ends (NIST SP 800-63B-4,
#: section 2.2.3, for its second level).
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
#: For so long after somebody has proven who they are they need not do so again.
FRESH = timedelta(minutes=5)
#: That somebody is there is kept once in so long: it is a write to the disk.
_SEEN = timedelta(minutes=1)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Standing:
    """A session that stands.

    Attributes:
        user: Whose it is.
        session: What is kept of it.
        fresh: Whether they proved who they are minutes ago.
    """

    user: User
    session: Session
    fresh: bool


class Sessions:
    """Everybody's sessions.

    Args:
        desk: Where people sign in.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, user: User) -> Opened:
        """A new session, under a token that nobody had before.

        Raises:
            PosternError: `unavailable`.
        """
        now, store, token = self._desk.now(), self._desk.store, token_urlsafe(_BYTES)
        with store.together():
            store.sessions.forget(now, now - IDLE)
            store.sessions.add(Session(hidden(token), user.id, now, now, now, now + LONGEST))
        return Opened(token, user)

    def standing(self, token: str) -> Standing | None:
        """The session of that token, where it stands.

        Raises:
            PosternError: `unavailable`.
        """
        now, store = self._desk.now(), self._desk.store
        session = store.sessions.known(hidden(token))
        # What is from the future stands no more than what is over: the calendar was set back.
        if session is None or not (
            session.created <= now < session.expires and session.seen <= now < session.seen + IDLE
        ):
            return None
        user = store.users.find(session.user)
        if not user.enabled:
            return None
        if now - session.seen >= _SEEN:
            store.sessions.see(session.token, now)
        return Standing(user, session, session.proven <= now < session.proven + FRESH)

    def renew(self, standing: Standing) -> Opened:
        """The same session under a new token, now that they proved again who they are.

        Raises:
            PosternError: `unavailable`.
        """
        now, store, token = self._desk.now(), self._desk.store, token_urlsafe(_BYTES)
        with store.together():
            store.sessions.end(standing.session.token)
            renewed = replace(standing.session, token=hidden(token), seen=now, proven=now)
            store.sessions.add(renewed)
        return Opened(token, standing.user)

    def end_all(self, user: User) -> None:
        """Ends every session of a user.

        Raises:
            PosternError: `unavailable`.
        """
        self._desk.store.sessions.end_all(user.id)

    def end(self, token: str) -> bool:
        """Ends a session; False where there was none.

        Raises:
            PosternError: `unavailable`.
        """
        return self._desk.store.sessions.end(hidden(token))


def hidden(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
