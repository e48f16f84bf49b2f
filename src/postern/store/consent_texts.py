"""What people were shown before they agreed, word for word."""

from sqlalchemy import ColumnElement, delete, insert, select

from postern.store.database import Database
from postern.store.schema import consent_texts, consents


class ConsentTexts:
    """The texts that consents go by, by version and language.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, version: str, locale: str) -> str | None:
        """What is kept of a version in a language; None where nobody was shown it yet.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(consent_texts.c.body).where(_is(version, locale))
        with self._database.reading() as connection:
            return connection.scalar(query)

    def keep(self, version: str, locale: str, body: str) -> None:
        """Keeps a text, in place of an earlier one of that version and language.

        Whether it may take that one's place is for the caller to say.

        Raises:
            PosternError: `unavailable`.
        """
        row = {"version": version, "locale": locale, "body": body}
        with self._database.writing() as connection:
            connection.execute(delete(consent_texts).where(_is(version, locale)))
            connection.execute(insert(consent_texts), row)

    def drop_unused(self) -> None:
        """Forgets the texts that nobody's consent goes by any more.

        Raises:
            PosternError: `unavailable`.
        """
        used = select(consents.c.text_version)
        unused = consent_texts.c.version.not_in(used)
        with self._database.writing() as connection:
            connection.execute(delete(consent_texts).where(unused))


def _is(version: str, locale: str) -> ColumnElement[bool]:
    return (consent_texts.c.version == version) & (consent_texts.c.locale == locale)
