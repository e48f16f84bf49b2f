"""The sealed references in the store, all of them, for those who look after the keys."""

from sqlalchemy import select, update

from postern.core.evidence import Factor
from postern.core.ids import CredentialId, PersonId
from postern.store.credentials import KeptReference
from postern.store.database import Database
from postern.store.schema import credentials


class References:
    """Every face reference of the site.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[KeptReference, ...]:
        """Every reference that is kept here, by its credential's id; those on passes are not.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(credentials).where(credentials.c.sealed.is_not(None))
        with self._database.reading() as connection:
            return tuple(
                KeptReference(CredentialId(row.id), PersonId(row.holder), row.sealed)
                for row in connection.execute(query.order_by(credentials.c.id))
            )

    def names(self) -> frozenset[tuple[PersonId, CredentialId]]:
        """Whose face every reference is, wherever it is kept.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(credentials).where(credentials.c.factor == Factor.FACE)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return frozenset((PersonId(row.holder), CredentialId(row.id)) for row in rows)

    def replace(self, former: KeptReference, sealed: bytes) -> bool:
        """Keeps the bytes that a reference was sealed into anew.

        Args:
            former: The reference as it was read.
            sealed: The new bytes.

        Returns:
            False where it is not kept as it was read any more, and nothing was changed.

        Raises:
            PosternError: `unavailable`.
        """
        same = (credentials.c.id == former.credential) & (credentials.c.holder == former.person)
        change = update(credentials).where(same, credentials.c.sealed == former.blob)
        with self._database.writing() as connection:
            return connection.execute(change.values(sealed=sealed)).rowcount == 1

    def scrub(self) -> bool:
        """Overwrites the traces of what was replaced; False where somebody is still reading."""
        return self._database.scrub()
