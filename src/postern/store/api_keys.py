"""Programs' keys in the store, under the SHA-256 of their secrets."""

from collections import defaultdict
from datetime import date

from sqlalchemy import ColumnElement, delete, insert, select, update

from postern.core.api_key import ApiKey
from postern.core.errors import Code, PosternError
from postern.core.ids import KeyId
from postern.core.role import Right
from postern.store.database import Database
from postern.store.schema import api_key_rights, api_keys


class ApiKeys:
    """Every key that was not revoked.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey, secret: str) -> None:
        """Keeps a new key.

        Args:
            key: What it is.
            secret: The SHA-256 of what the program shows, in hexadecimal digits.

        Raises:
            PosternError: `conflict` where the name is taken; `unavailable`.
        """
        row = {
            "id": key.id,
            "name": key.name,
            "secret": secret,
            "created": key.created,
            "expires": key.expires,
            "by": key.by,
            "used": key.used,
        }
        rights = [{"key": key.id, "right": right.value} for right in sorted(key.rights)]
        with self._database.writing() as connection:
            if connection.scalar(select(api_keys.c.id).where(api_keys.c.name == key.name)):
                raise PosternError(
                    Code.CONFLICT, f"There is a key called {key.name!r}.", "Choose another name."
                )
            connection.execute(insert(api_keys), row)
            connection.execute(insert(api_key_rights), rights)

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, by name; those included that have run out.

        Raises:
            PosternError: `unavailable`.
        """
        return self._read(api_keys.c.id.is_not(None))

    def with_secret(self, secret: str) -> ApiKey | None:
        """The key whose secret has that SHA-256, where there is one; it may have run out.

        Raises:
            PosternError: `unavailable`.
        """
        return next(iter(self._read(api_keys.c.secret == secret)), None)

    def named(self, name: str) -> ApiKey:
        """The key of that name.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        for key in self._read(api_keys.c.name == name):
            return key
        raise PosternError(
            Code.NOT_FOUND, f"There is no key called {name!r}.", "See: postern key list"
        )

    def use(self, key: KeyId, day: date) -> None:
        """Notes the last day on which a key was used.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key).values(used=day))

    def remove(self, key: KeyId) -> None:
        """Revokes a key; it counts no more.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            connection.execute(delete(api_keys).where(api_keys.c.id == key))

    def _read(self, wanted: ColumnElement[bool]) -> tuple[ApiKey, ...]:
        rights: defaultdict[str, set[Right]] = defaultdict(set)
        ids = select(api_keys.c.id).where(wanted)
        with self._database.reading() as connection:
            for row in connection.execute(
                select(api_key_rights).where(api_key_rights.c.key.in_(ids))
            ):
                rights[row.key].add(Right(row.right))
            rows = connection.execute(
                select(api_keys).where(wanted).order_by(api_keys.c.name)
            ).all()
        return tuple(
            ApiKey(
                KeyId(row.id), row.name, frozenset(rights[row.id]), row.created, row.expires,
                row.by, row.used,
            )
            for row in rows
        )  # fmt: skip
