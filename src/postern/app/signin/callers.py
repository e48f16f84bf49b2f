"""Who calls: a user in a session, or a program with a key."""

from postern.app.signin.keys import Keys
from postern.app.signin.sessions import Sessions
from postern.core.role import RIGHTS
from postern.web.caller import Caller


class SignedIn:
    """Implements `postern.web.caller.Callers`.

    Args:
        sessions: Everybody's sessions.
        keys: The site's keys.
    """

    def __init__(self, sessions: Sessions, keys: Keys) -> None:
        self._sessions = sessions
        self._keys = keys

    def by_session(self, token: str) -> Caller | None:
        """See `Callers.by_session`."""
        found = self._sessions.standing(token)
        if found is None:
            return None
        return Caller(found.user.by, RIGHTS[found.user.role], found.fresh)

    def by_key(self, key: str) -> Caller | None:
        """See `Callers.by_key`."""
        found = self._keys.standing(key)
        return None if found is None else Caller(found.by_name, found.rights, fresh=True)
