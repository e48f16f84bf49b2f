"""Passkeys in the store: public keys of authenticators, which are no secret."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Row, delete, insert, select, update

from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import UserId
from postern.core.user import MAX_USER_NAME
from postern.store.database import Database
from postern.store.schema import passkeys


@dataclass(frozen=True, slots=True)
class Passkey:
    """What somebody's device proves by that it is there.

    Attributes:
        id: The SHA-256 of `credential`, in hexadecimal digits.
        user: Whose.
        credential: What the authenticator calls it.
        public_key: As COSE writes it.
        sign_count: How often it was used, as it says itself; 0 where it does not count.
        name: What its owner calls it.
        created: When it was added.
        used: When it was last used; None if it never was.
    """

    id: str
    user: UserId
    credential: bytes
    public_key: bytes
    sign_count: int
    name: str
    created: datetime
    used: datetime | None = None

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= MAX_USER_NAME and self.name.isprintable()):
            raise invalid(f"A passkey's name has 1 to {MAX_USER_NAME} printable characters.")


def passkey_id(credential: bytes) -> str:
    """What a passkey is called here."""
    return sha256(credential).hexdigest()


class Passkeys:
    """Everybody's passkeys.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, passkey: Passkey) -> None:
        """Keeps a new passkey.

        Raises:
            PosternError: `conflict` where it is kept already; `unavailable`.
        """
        row = {
            "id": passkey.id,
            "user": passkey.user,
            "credential": passkey.credential,
            "public_key": passkey.public_key,
            "sign_count": passkey.sign_count,
            "name": passkey.name,
            "created": passkey.created,
            "used": passkey.used,
        }
        with self._database.writing() as connection:
            connection.execute(insert(passkeys), row)

    def of(self, user: UserId) -> tuple[Passkey, ...]:
        """A user's passkeys, oldest first.

        Raises:
            PosternError: `unavailable`.
        """
        theirs = select(passkeys).where(passkeys.c.user == user)
        with self._database.reading() as connection:
            rows = connection.execute(theirs.order_by(passkeys.c.created, passkeys.c.id)).all()
        return tuple(map(_passkey, rows))

    def known(self, passkey: str) -> Passkey | None:
        """The passkey of that id, where there is one.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(passkeys).where(passkeys.c.id == passkey)).first()
        return None if row is None else _passkey(row)

    def use(self, passkey: Passkey, sign_count: int, now: datetime) -> bool:
        """Notes that a passkey was used; False where somebody else used it meanwhile.

        Raises:
            PosternError: `unavailable`.
        """
        unchanged = (passkeys.c.id == passkey.id) & (passkeys.c.sign_count == passkey.sign_count)
        used = update(passkeys).where(unchanged).values(sign_count=sign_count, used=now)
        with self._database.writing() as connection:
            return connection.execute(used).rowcount > 0

    def remove(self, user: UserId, passkey: str) -> None:
        """Forgets one of a user's passkeys.

        Raises:
            PosternError: `not_found`, also where it is another user's; `unavailable`.
        """
        theirs = (passkeys.c.user == user) & (passkeys.c.id == passkey)
        with self._database.writing() as connection:
            if not connection.execute(delete(passkeys).where(theirs)).rowcount:
                raise PosternError(Code.NOT_FOUND, "There is no such passkey.")

    def remove_all(self, user: UserId) -> None:
        """Forgets every passkey of a user.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(passkeys).where(passkeys.c.user == user))


def _passkey(row: Row[tuple[object, ...]]) -> Passkey:
    return Passkey(
        row.id, UserId(row.user), row.credential, row.public_key, row.sign_count, row.name,
        row.created, row.used,
    )  # fmt: skip
