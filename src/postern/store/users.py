"""Users in the store, with what they sign in by."""

from dataclasses import dataclass, field

from sqlalchemy import Row, insert, select, update

from postern.core.errors import Code, PosternError
from postern.core.ids import UserId
from postern.core.role import Role
from postern.core.user import User
from postern.store.database import Database
from postern.store.schema import users


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a user proves by who they are; passkeys are kept apart.

    Attributes:
        password: Its hash; None where there is no password.
        totp: The sealed secret behind their codes; None where they have none.
        totp_step: The last step of time whose code was used.
    """

    password: str | None = field(default=None, repr=False)
    totp: bytes | None = field(default=None, repr=False)
    totp_step: int = 0


class Users:
    """Whoever may sign in, or once might.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user: User) -> None:
        """Keeps a new user, who cannot sign in by anything yet.

        Raises:
            PosternError: `conflict` where the name is taken; `unavailable`.
        """
        row = {
            "id": user.id,
            "name": user.name,
            "role": user.role.value,
            "created": user.created,
            "enabled": user.enabled,
            "totp_step": 0,
        }
        with self._database.writing() as connection:
            if connection.scalar(select(users.c.id).where(users.c.name == user.name)):
                raise PosternError(
                    Code.CONFLICT, f"There is a user called {user.name!r}.", "Choose another name."
                )
            connection.execute(insert(users), row)

    def all(self) -> tuple[User, ...]:
        """Every user, by name.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).all()
        return tuple(map(_user, rows))

    def named(self, name: str) -> User:
        """The user of that name.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        found = self.known(name)
        if found is None:
            raise PosternError(
                Code.NOT_FOUND, f"There is no user called {name!r}.", "See: postern user list"
            )
        return found

    def known(self, name: str) -> User | None:
        """The user of that name, where there is one.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        return None if row is None else _user(row)

    def find(self, user: UserId) -> User:
        """The user of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return _user(self._row(user))

    def proofs(self, user: UserId) -> Proofs:
        """What a user proves by who they are.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        row = self._row(user)
        return Proofs(row.password, row.totp, row.totp_step)

    def become(self, user: User) -> None:
        """Keeps a user's new role, and whether they may sign in.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        self._set(user.id, role=user.role.value, enabled=user.enabled)

    def set_password(self, user: UserId, password: str | None) -> None:
        """Keeps the hash of a new password; None for that there is none.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        self._set(user, password=password)

    def set_totp(self, user: UserId, totp: bytes | None, step: int = 0) -> None:
        """Keeps the sealed secret of new codes; None for that there are none.

        Args:
            user: Whose.
            totp: The secret.
            step: The step whose code was used to show that it works.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        self._set(user, totp=totp, totp_step=step)

    def use_step(self, user: UserId, step: int) -> bool:
        """Whether a code of that step counts: it is later than the last, which it is now.

        Raises:
            PosternError: `unavailable`.
        """
        later = (users.c.id == user) & (users.c.totp_step < step)
        with self._database.writing() as connection:
            return (
                connection.execute(update(users).where(later).values(totp_step=step)).rowcount > 0
            )

    def disable_all(self) -> None:
        """Lets nobody sign in until they are enabled again: what they knew may be out of date.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(update(users).values(enabled=False))

    def _set(self, user: UserId, **values: object) -> None:
        with self._database.writing() as connection:
            if not connection.execute(
                update(users).where(users.c.id == user).values(**values)
            ).rowcount:
                raise _missing(user)

    def _row(self, user: UserId) -> Row[tuple[object, ...]]:
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.id == user)).first()
        if row is None:
            raise _missing(user)
        return row


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(UserId(row.id), row.name, Role(row.role), row.created, row.enabled)


def _missing(user: UserId) -> PosternError:
    return PosternError(Code.NOT_FOUND, f"There is no user {user!r}.", "See: postern user list")
