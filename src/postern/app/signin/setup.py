"""Somebody sets their first password with a code; the first of all becomes an administrator."""

from postern.app.signin.codes import Codes, hidden
from postern.app.signin.desk import Desk
from postern.app.signin.password import Hasher, check_password
from postern.app.signin.refusal import wrong_code
from postern.app.signin.sessions import Sessions
from postern.app.signin.throttle import Sources
from postern.app.signin.users import Users
from postern.core.role import Role
from postern.core.user import User, check_user_name
from postern.store.setup_codes import SetupCode
from postern.web.problem import field
from postern.web.sign_in import Opened


class Setup:
    """Where codes are used.

    Args:
        desk: Where people sign in.
        hasher: Keeps passwords.
        users: The site's users.
        codes: The codes that were given out.
        sources: Slows down whoever guesses.
    """

    def __init__(
        self, desk: Desk, hasher: Hasher, users: Users, codes: Codes, sources: Sources
    ) -> None:
        self._desk = desk
        self._hasher = hasher
        self._users = users
        self._codes = codes
        self._sources = sources
        self._sessions = Sessions(desk)

    def needed(self) -> bool:
        """Whether nobody can administer the site yet.

        Raises:
            PosternError: `unavailable`.
        """
        return not any(
            user.enabled and user.role is Role.ADMINISTRATOR for user in self._users.all()
        )

    def use(self, code: str, name: str, password: str, source: str) -> Opened:
        """A session for whoever sets a password with a code, which is used up.

        Args:
            code: As it was typed.
            name: A new administrator's; otherwise the user's own, or empty.
            password: The one that is to count from now on.
            source: The address that it comes from; empty where that is not known.

        Raises:
            RefusedError: 401 where the code does not count, 429 where it has to wait.
            PosternError: `invalid` for the name or the password; `conflict` where the name is
                taken; `unavailable`.
        """
        found = self._found(code, source)
        user = None if found.user is None else self._desk.store.users.find(found.user)
        if user is not None and (not user.enabled or name not in ("", user.name)):
            raise wrong_code()
        known = name if user is None else user.name
        with field("name"):
            check_user_name(known)
        with field("password"):
            check_password(password, (known, self._desk.site), beside_codes=False)
        kept = self._hasher.hashed(password)
        store = self._desk.store
        with store.together():
            if not store.setup_codes.use(hidden(code)):
                raise wrong_code()
            made = user or self._users.make(known, Role.ADMINISTRATOR, "setup code")
            return self._enter(made, kept)

    def _found(self, code: str, source: str) -> SetupCode:
        self._sources.begin(source, self._desk.clock.now())
        found = self._codes.known(code)
        if found is None:
            raise wrong_code()
        self._sources.right(source)
        return found

    def _enter(self, user: User, password: str) -> Opened:
        store = self._desk.store
        store.users.set_password(user.id, password)
        store.sessions.end_all(user.id)
        opened = self._sessions.open(user)
        self._desk.note("password set with a code", user.id, user.by)
        return opened
