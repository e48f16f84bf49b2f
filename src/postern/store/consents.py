"""Consents in the store."""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from postern.core.consent import Consent, StorageMode
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, ConsentId, CredentialId, PersonId
from postern.store.database import Database
from postern.store.people import check_kept
from postern.store.schema import consent_places, consents, credentials

#: Destroys the key of one reference of a person; the vault's.
DestroyKey = Callable[[CredentialId, PersonId], None]


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

    def all(self) -> tuple[Consent, ...]:
        """Every consent, oldest first, also those that have ended.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(consents.c.person).distinct()
        with self._database.reading() as connection:
            people = [PersonId(person) for person in connection.scalars(query)]
            found = of_people(connection, people)
        return tuple(sorted((c for all_ in found.values() for c in all_), key=_age))

    def standing(
        self, people: Iterable[PersonId], now: datetime
    ) -> dict[PersonId, tuple[Consent, ...]]:
        """The consents of those people that hold somewhere now.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            found = of_people(connection, people)
        return {p: tuple(c for c in given if stands(c, now)) for p, given in found.items()}

    def withdraw(self, consent: ConsentId, at: datetime, destroy_key: DestroyKey) -> Consent:
        """Ends a consent, and destroys the face references that no other consent covers.

        The keys go first: should the rest fail, what remains cannot be opened, and calling it again
        finishes the work. A consent that ended before keeps its first time.

        Args:
            consent: Which one.
            at: When the person took it back, or when it was noticed that it had run out.
            destroy_key: Destroys the key of one reference; the vault's.

        Returns:
            The consent as it is kept now.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        ended = self.find(consent)
        with self._database.reading() as connection:
            left = _left_uncovered(connection, ended, at)
        for reference in left:
            destroy_key(reference, ended.person)
        mark = update(consents).where(consents.c.id == consent, consents.c.withdrawn.is_(None))
        with self._database.writing() as connection:
            connection.execute(mark.values(withdrawn=at))
            # Read anew: one that came in between goes, too.
            _drop(connection, _left_uncovered(connection, ended, at))
            kept = _find(connection, consent)
        self._database.scrub()
        return kept

    def run_out(self, now: datetime) -> tuple[Consent, ...]:
        """Consents that have expired without anybody having ended them yet, oldest first.

        Raises:
            PosternError: `unavailable`.
        """
        due = consents.c.withdrawn.is_(None) & (consents.c.expires <= now)
        with self._database.reading() as connection:
            found = connection.scalars(select(consents.c.id).where(due)).all()
            ended = [_find(connection, ConsentId(one)) for one in found]
        return tuple(sorted(ended, key=_age))

    def uncovered(self, now: datetime) -> dict[CredentialId, PersonId]:
        """Face references that no consent covers any more, such as those of a cut-off withdrawal.

        A consent that is yet to begin covers, too: a clock that was set back destroys nothing.

        Raises:
            PosternError: `unavailable`.
        """
        faces = select(credentials).where(credentials.c.factor == Factor.FACE)
        with self._database.reading() as connection:
            rows = connection.execute(faces.order_by(credentials.c.id)).all()
            agreed = of_people(connection, [PersonId(row.holder) for row in rows])
        return {
            CredentialId(row.id): PersonId(row.holder)
            for row in rows
            if not any(
                c.mode == row.mode and c.withdrawn is None and now < c.expires
                for c in agreed.get(row.holder, ())
            )
        }

    def forget(self, person: PersonId, reference: CredentialId, destroy_key: DestroyKey) -> None:
        """Destroys a face reference; the key first, as in `withdraw`.

        Raises:
            PosternError: `unavailable`.
        """
        destroy_key(reference, person)
        with self._database.writing() as connection:
            _drop(connection, [reference])
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


def _left_uncovered(connection: Connection, ended: Consent, at: datetime) -> list[CredentialId]:
    """The person's references of a consent's mode, if no other consent covers that mode."""
    others = (
        (consents.c.person == ended.person)
        & (consents.c.mode == ended.mode.value)
        & (consents.c.id != ended.id)
        & consents.c.withdrawn.is_(None)
        & (consents.c.expires > at)
    )
    if connection.scalar(select(consents.c.id).where(others).limit(1)) is not None:
        return []
    theirs = (credentials.c.holder == ended.person) & (credentials.c.mode == ended.mode.value)
    query = select(credentials.c.id).where(theirs).order_by(credentials.c.id)
    return [CredentialId(one) for one in connection.scalars(query)]


def _drop(connection: Connection, references: Iterable[CredentialId]) -> None:
    connection.execute(delete(credentials).where(credentials.c.id.in_(list(references))))


def _age(consent: Consent) -> tuple[datetime, str]:
    return consent.given, consent.id


def _find(connection: Connection, consent: ConsentId) -> Consent:
    person = connection.scalar(select(consents.c.person).where(consents.c.id == consent))
    if person is None:
        raise PosternError(
            Code.NOT_FOUND, "There is no consent of that id.", "See: postern consents list"
        )
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
