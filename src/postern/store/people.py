"""People in the store."""

from collections.abc import Callable

from sqlalchemy import Connection, Row, insert, select, tuple_, update

from postern.core.errors import Code, PosternError
from postern.core.ids import PersonId
from postern.core.person import Person, folded
from postern.store import holders
from postern.store.database import Database
from postern.store.schema import people

#: Destroys a person's keys; the vault's `erase`.
DestroyKeys = Callable[[PersonId], None]


class People:
    """Everybody who asked to be recognised.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person: Person) -> None:
        """Keeps a new person.

        Raises:
            PosternError: `conflict` where the id is taken; `unavailable`.
        """
        with self._database.writing() as connection:
            if holders.exists(connection, person.id):
                raise PosternError(Code.CONFLICT, "There is a person of that id already.")
            holders.add(connection, person.id)
            connection.execute(insert(people), {"id": person.id, **_named(person)})

    def find(self, person: PersonId) -> Person:
        """The person of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(people).where(people.c.id == person)).one_or_none()
        if row is None:
            raise missing()
        return _person(row)

    def all(self) -> tuple[Person, ...]:
        """Everybody, by name.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(people).order_by(people.c.name, people.c.id)).all()
        return tuple(_person(row) for row in rows)

    def page(
        self, *, containing: str = "", after: tuple[str, str] | None = None, limit: int
    ) -> tuple[Person, ...]:
        """Some of everybody, by name; capitals and marks make no difference.

        Args:
            containing: Only those whose name has this in it.
            after: Only those after a name, as `folded` gives it, and an id.
            limit: At most so many.

        Raises:
            PosternError: `unavailable`.
        """
        part = folded(containing)
        if containing and not part:
            return ()  # Nothing but marks: no name has those by themselves.
        query = select(people).order_by(people.c.folded, people.c.id).limit(limit)
        if part:
            query = query.where(people.c.folded.contains(part, autoescape=True))
        if after is not None:
            query = query.where(tuple_(people.c.folded, people.c.id) > tuple_(*after))
        with self._database.reading() as connection:
            return tuple(_person(row) for row in connection.execute(query))

    def rename(self, person: Person) -> None:
        """Keeps the name that a person goes by now.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        change = update(people).where(people.c.id == person.id).values(_named(person))
        with self._database.writing() as connection:
            if connection.execute(change).rowcount == 0:
                raise missing()

    def remove(self, person: PersonId, destroy_keys: DestroyKeys) -> None:
        """Forgets a person with their consents, credentials and part in permits.

        The keys go first: should the rest fail, what remains cannot be opened, and calling it again
        finishes the work.

        Args:
            person: Whom.
            destroy_keys: Destroys the person's keys; the vault's `erase`.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.reading() as connection:
            check_kept(connection, person)
        destroy_keys(person)
        with self._database.writing() as connection:
            holders.remove(connection, person)
        self._database.scrub()


def check_kept(connection: Connection, person: PersonId) -> None:
    """Refuses a person who is not in the store.

    Raises:
        PosternError: `not_found`.
    """
    if connection.scalar(select(people.c.id).where(people.c.id == person)) is None:
        raise missing()


def missing() -> PosternError:
    """The error for a person who is not in the store."""
    return PosternError(
        Code.NOT_FOUND, "There is no person of that id.", "See: postern person list"
    )


def _person(row: Row[tuple[object, ...]]) -> Person:
    return Person(PersonId(row.id), row.name)


def _named(person: Person) -> dict[str, str]:
    return {"name": person.name, "folded": folded(person.name)}
