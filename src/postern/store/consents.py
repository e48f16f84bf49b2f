"""Consents in the store."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from postern.core.consent import Consent, StorageMode
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, PersonId
from postern.store.database import Database
from postern.store.people import DestroyKeys, check_kept
from postern.store.schema import consent_places, consents, credentials


class Consents:
    """What people agreed to.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, consent: Consent) -> None:
        """Records a consent.

        Raises:
            PosternError: `not_found` where the person is not kept; `conflict` where the id is
                taken; `unavailable`.
        """
        with self._database.writing() as connection:
            check_kept(connection, consent.person)
            if connection.scalar(select(consents.c.id).where(consents.c.id == consent.id)):
                raise PosternError(Code.CONFLICT, "There is a consent of that id already.")
            connection.execute(insert(consents), _row(consent))
            places = [{"consent": consent.id, "access_point": p} for p in sorted(consent.places)]
            connection.execute(insert(consent_places), places)

    def find(self, consent: ConsentId) -> Consent:
        """The consent of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.reading() as connection:
            return _find(connection, consent)

    def of(self, person: PersonId) -> tuple[Consent, ...]:
        """Everything a person agreed to, oldest first, withdrawn ones too.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return of_people(connection, [person]).get(person, ())

    def withdraw(self, consent: ConsentId, at: datetime, destroy_keys: DestroyKeys) -> Consent:
        """Takes a consent back, and destroys every face reference of its person at once.

        The keys go first: should the rest fail, what remains cannot be opened, and calling it again
        finishes the work. A consent that was withdrawn before keeps its first time.

        Args:
            consent: Which one.
            at: When the person took it back.
            destroy_keys: Destroys the person's keys; the vault's `erase`.

        Returns:
            The consent as it is kept now.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        person = self.find(consent).person
        destroy_keys(person)
        mark = update(consents).where(consents.c.id == consent, consents.c.withdrawn.is_(None))
        with self._database.writing() as connection:
            connection.execute(mark.values(withdrawn=at))
            drop_references(connection, person)
            kept = _find(connection, consent)
        self._database.scrub()
        return kept

    def lapsed(self, now: datetime) -> tuple[PersonId, ...]:
        """People who have a face reference but no consent that stands anywhere now.

        Their references are to be destroyed: run `forget` for each of them.

        Raises:
            PosternError: `unavailable`.
        """
        faces = select(credentials.c.holder).where(credentials.c.factor == Factor.FACE)
        with self._database.reading() as connection:
            found = sorted(PersonId(holder) for holder in connection.scalars(faces.distinct()))
            agreed = of_people(connection, found)
        return tuple(p for p in found if not any(stands(c, now) for c in agreed.get(p, ())))

    def forget(self, person: PersonId, destroy_keys: DestroyKeys) -> None:
        """Destroys every face reference of a person; the keys first, as in `withdraw`.

        Raises:
            PosternError: `unavailable`.
        """
        destroy_keys(person)
        with self._database.writing() as connection:
            drop_references(connection, person)
        self._database.scrub()


def stands(consent: Consent, now: datetime) -> bool:
    """Whether a consent holds now at any of its places."""
    return any(consent.holds(place, now) for place in consent.places)


def of_people(
    connection: Connection, people: Iterable[PersonId]
) -> dict[PersonId, tuple[Consent, ...]]:
    """The consents of each of those people who gave any, oldest first."""
    theirs = select(consents).where(consents.c.person.in_(sorted(set(people))))
    rows = connection.execute(theirs.order_by(consents.c.given, consents.c.id)).all()
    covered = select(consent_places).where(consent_places.c.consent.in_([row.id for row in rows]))
    places: dict[str, set[AccessPointId]] = {}
    for row in connection.execute(covered):
        places.setdefault(row.consent, set()).add(AccessPointId(row.access_point))
    found: dict[PersonId, tuple[Consent, ...]] = {}
    for row in rows:
        consent = _consent(row, frozenset(places[row.id]))
        found[consent.person] = (*found.get(consent.person, ()), consent)
    return found


def drop_references(connection: Connection, person: PersonId) -> None:
    """Removes every face credential of a person."""
    faces = (credentials.c.holder == person) & (credentials.c.factor == Factor.FACE)
    connection.execute(delete(credentials).where(faces))


def _find(connection: Connection, consent: ConsentId) -> Consent:
    person = connection.scalar(select(consents.c.person).where(consents.c.id == consent))
    if person is None:
        raise PosternError(Code.NOT_FOUND, "There is no consent of that id.")
    given = of_people(connection, [PersonId(person)])[PersonId(person)]
    return next(one for one in given if one.id == consent)


def _consent(row: Row[tuple[object, ...]], places: frozenset[AccessPointId]) -> Consent:
    return Consent(
        ConsentId(row.id), PersonId(row.person), row.purpose, places, row.text_version,
        StorageMode(row.mode), row.given, row.expires, row.withdrawn,
    )  # fmt: skip


def _row(consent: Consent) -> dict[str, object]:
    return {
        "id": consent.id,
        "person": consent.person,
        "purpose": consent.purpose,
        "text_version": consent.text_version,
        "mode": consent.mode.value,
        "given": consent.given,
        "expires": consent.expires,
        "withdrawn": consent.withdrawn,
    }
