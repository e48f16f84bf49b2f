"""Credentials in the store, and the sealed references of faces."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from postern.core.consent import StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError, invalid
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CredentialId, Holder, PersonId, VehicleId
from postern.store import holders
from postern.store.consents import of_people, stands
from postern.store.database import Database
from postern.store.schema import credentials, permit_factors, permit_holders, permit_places

#: Bytes. A re-keyed reference of the largest vector that the vault seals has 2,126.
MAX_SEALED = 4096


@dataclass(frozen=True, slots=True)
class KeptReference:
    """A sealed reference as the store has it; only the vault can open it.

    Attributes:
        credential: The face credential it belongs to.
        person: Whose face it is.
        blob: The sealed bytes.
    """

    credential: CredentialId
    person: PersonId
    blob: bytes


class Credentials:
    """What holders are recognised by.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, credential: Credential, *, now: datetime, sealed: bytes | None = None) -> None:
        """Keeps a new credential; a face only with its sealed reference and a standing consent.

        Args:
            credential: The credential.
            now: The present time, by which a consent must stand.
            sealed: The sealed reference of a face; None for every other factor.

        Raises:
            PosternError: `unauthorized` where the person of a face has not agreed, or no longer
                does; `not_found` where the holder is not kept; `conflict` where the id is taken;
                `invalid` for a reference that does not fit its factor; `unavailable`.
        """
        _check_sealed(credential, sealed)
        with self._database.writing() as connection:
            if not holders.exists(connection, credential.holder):
                raise PosternError(Code.NOT_FOUND, "The holder of the credential is not kept.")
            if credential.factor is Factor.FACE:
                _check_consent(connection, credential, now)
            same = select(credentials.c.id).where(credentials.c.id == credential.id)
            if connection.scalar(same) is not None:
                raise PosternError(Code.CONFLICT, "There is a credential of that id already.")
            connection.execute(insert(credentials), _row(credential, sealed))

    def find(self, credential: CredentialId) -> Credential:
        """The credential of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        query = select(credentials).where(credentials.c.id == credential)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise _missing()
        return _credential(row)

    def of(self, holder: Holder) -> tuple[Credential, ...]:
        """Everything a holder is recognised by.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return tuple(of_holders(connection, [holder]).values())

    def reference(self, credential: CredentialId) -> KeptReference:
        """The sealed reference of a face that the site keeps.

        Raises:
            PosternError: `not_found` where there is none, or it is on a pass; `unavailable`.
        """
        query = select(credentials).where(credentials.c.id == credential)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.sealed is None:
            raise _missing()
        return KeptReference(CredentialId(row.id), PersonId(row.holder), row.sealed)

    def enable(self, credential: CredentialId, *, enabled: bool) -> None:
        """Switches a credential on or off.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        change = update(credentials).where(credentials.c.id == credential)
        with self._database.writing() as connection:
            if connection.execute(change.values(enabled=enabled)).rowcount == 0:
                raise _missing()

    def remove(self, credential: CredentialId) -> None:
        """Forgets a credential with its reference. The person's key stays; see `People.remove`.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.writing() as connection:
            gone = connection.execute(delete(credentials).where(credentials.c.id == credential))
            if gone.rowcount == 0:
                raise _missing()
        self._database.scrub()

    def count_sealed(self) -> int:
        """How many sealed references there are.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(func.count()).where(credentials.c.sealed.is_not(None))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def people_with(self, mode: StorageMode) -> frozenset[PersonId]:
        """Everybody with a face reference that is kept in this way.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(credentials.c.holder).where(credentials.c.mode == mode.value).distinct()
        with self._database.reading() as connection:
            return frozenset(PersonId(holder) for holder in connection.scalars(query))

    def references(self, access_point: AccessPointId, now: datetime) -> tuple[KeptReference, ...]:
        """The only references that an attempt at this access point may be compared with.

        They are the enabled, valid faces of people whom a permit for it names and asks for a face,
        and who agree now to be recognised there.

        Raises:
            PosternError: `unavailable`.
        """
        named = (
            select(permit_holders.c.holder)
            .join(permit_places, permit_places.c.permit == permit_holders.c.permit)
            .join(permit_factors, permit_factors.c.permit == permit_holders.c.permit)
            .where(permit_places.c.access_point == access_point)
            .where(permit_factors.c.factor == Factor.FACE)
        )
        query = (
            select(credentials)
            .where(credentials.c.holder.in_(named), credentials.c.sealed.is_not(None))
            .where(credentials.c.enabled, credentials.c.valid_from <= now)
            .where(credentials.c.valid_until.is_(None) | (credentials.c.valid_until > now))
            .order_by(credentials.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            agreed = of_people(connection, [PersonId(row.holder) for row in rows])
        return tuple(
            KeptReference(CredentialId(row.id), PersonId(row.holder), row.sealed)
            for row in rows
            if any(
                consent.holds(access_point, now) and consent.mode == row.mode
                for consent in agreed.get(row.holder, ())
            )
        )


def of_holders(connection: Connection, wanted: Iterable[Holder]) -> dict[CredentialId, Credential]:
    """Every credential of those holders, by id."""
    query = select(credentials).where(credentials.c.holder.in_(sorted(set(wanted))))
    found = [_credential(row) for row in connection.execute(query.order_by(credentials.c.id))]
    return {credential.id: credential for credential in found}


def _check_sealed(credential: Credential, sealed: bytes | None) -> None:
    if credential.factor is not Factor.FACE:
        if sealed is not None:
            raise invalid("Only a face has a sealed reference.")
        return
    if not credential.holder.startswith("p-"):
        raise invalid("Only a person is recognised by a face.")
    if credential.mode is StorageMode.PASS:
        if sealed is not None:
            raise invalid("A reference that a pass carries is not kept at the site.")
    elif sealed is None or not 0 < len(sealed) <= MAX_SEALED:
        raise invalid(f"A face is kept as a sealed reference of at most {MAX_SEALED} bytes.")


def _check_consent(connection: Connection, credential: Credential, now: datetime) -> None:
    person = PersonId(credential.holder)
    given = of_people(connection, [person]).get(person, ())
    if not any(stands(consent, now) and consent.mode is credential.mode for consent in given):
        raise PosternError(
            Code.UNAUTHORIZED,
            "This person has not agreed to be recognised by their face.",
            "Ask for and record their consent first.",
        )


def _row(credential: Credential, sealed: bytes | None) -> dict[str, object]:
    return {
        "id": credential.id,
        "factor": credential.factor.value,
        "holder": credential.holder,
        "enabled": credential.enabled,
        "valid_from": credential.valid_from,
        "valid_until": credential.valid_until,
        "mode": credential.mode and credential.mode.value,
        "sealed": sealed,
        "model": credential.model,
    }


def _credential(row: Row[tuple[object, ...]]) -> Credential:
    return Credential(
        CredentialId(row.id), Factor(row.factor), to_holder(row.holder), row.enabled,
        row.valid_from, row.valid_until, row.mode and StorageMode(row.mode), row.model,
    )  # fmt: skip


def to_holder(name: str) -> Holder:
    """The id of a person or a vehicle, told apart by its first letters."""
    return VehicleId(name) if name.startswith("v-") else PersonId(name)


def _missing() -> PosternError:
    return PosternError(Code.NOT_FOUND, "There is no credential of that id.")
