"""Users: added, given another role, shut out and let in again; by whoever may, each an event.

The last administrator who may sign in stays one: the way back would be the terminal's only.
"""

from dataclasses import replace
from uuid import uuid4

from postern.app.signin.codes import Codes
from postern.app.signin.desk import Desk
from postern.core.errors import Code, PosternError
from postern.core.ids import UserId
from postern.core.role import Role
from postern.core.user import User


class Users:
    """The site's users.

    Args:
        desk: Where people sign in.
        codes: Gives them their first password.
    """

    def __init__(self, desk: Desk, codes: Codes) -> None:
        self._desk = desk
        self._codes = codes

    def all(self) -> tuple[User, ...]:
        """Every user, by name.

        Raises:
            PosternError: `unavailable`.
        """
        return self._desk.store.users.all()

    def named(self, name: str) -> User:
        """The user of that name.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self._desk.store.users.named(name)

    def means(self, user: User) -> tuple[str, ...]:
        """What a user signs in by; empty where they have to set a password first.

        Raises:
            PosternError: `unavailable`.
        """
        kept = self._desk.store.users.proofs(user.id)
        passkeys = len(self._desk.store.passkeys.of(user.id))
        found = (
            ("password", kept.password is not None),
            ("codes", kept.totp is not None),
            ("passkey" if passkeys == 1 else f"{passkeys} passkeys", passkeys > 0),
        )
        return tuple(name for name, there in found if there)

    def add(self, name: str, role: Role, by: str) -> tuple[User, str]:
        """A new user, and the code by which they set their password.

        Args:
            name: What they are to type.
            role: What they are there for.
            by: Who adds them, as the log names them.

        Raises:
            PosternError: `invalid`; `conflict` where the name is taken; `unavailable`.
        """
        with self._desk.store.together():
            user = self.make(name, role, by)
            return user, self._codes.for_user(user)

    def make(self, name: str, role: Role, by: str) -> User:
        """A new user without a code, within what is done together; as `add`."""
        user = User(UserId(f"user-{uuid4().hex[:12]}"), name, role, self._desk.now())
        self._desk.store.users.add(user)
        self._desk.note(f"user added as {role}", user.id, by)
        return user

    def disable(self, name: str, by: str) -> User:
        """Shuts a user out, at once and everywhere.

        Raises:
            PosternError: `not_found`; `conflict` for the last administrator; `unavailable`.
        """
        store = self._desk.store
        with store.together():
            user = replace(self.named(name), enabled=False)
            self._check_left(user)
            store.users.become(user)
            store.sessions.end_all(user.id)
            store.setup_codes.drop(user.id)
            self._desk.note("user disabled", user.id, by)
        return user

    def enable(self, name: str, by: str) -> User:
        """Lets a user sign in again, with what they had.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._desk.store.together():
            user = replace(self.named(name), enabled=True)
            self._desk.store.users.become(user)
            self._desk.note("user enabled", user.id, by)
        return user

    def give_role(self, name: str, role: Role, by: str) -> User:
        """Gives a user another role; they have to sign in again.

        Raises:
            PosternError: `not_found`; `conflict` for the last administrator; `unavailable`.
        """
        store = self._desk.store
        with store.together():
            user = replace(self.named(name), role=role)
            self._check_left(user)
            store.users.become(user)
            store.sessions.end_all(user.id)
            self._desk.note(f"user made {role}", user.id, by)
        return user

    def reset(self, name: str, by: str) -> tuple[User, str]:
        """Takes away all that a user signs in by; also gives a code for a new password.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        store = self._desk.store
        with store.together():
            user = self.named(name)
            store.users.set_password(user.id, None)
            store.users.set_totp(user.id, None)
            store.passkeys.remove_all(user.id)
            store.sessions.end_all(user.id)
            code = self._codes.for_user(user)
            self._desk.note("user reset", user.id, by)
        return user, code

    def _check_left(self, changed: User) -> None:
        others = (user for user in self.all() if user.id != changed.id)
        left = any(_administers(user) for user in (*others, changed))
        if not left and _administers(self.named(changed.name)):
            raise PosternError(
                Code.CONFLICT,
                f"{changed.name} is the last administrator who can sign in.",
                "Make somebody else one first.",
            )


def _administers(user: User) -> bool:
    return user.enabled and user.role is Role.ADMINISTRATOR
