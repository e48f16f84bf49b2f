"""Who may pass at an access point, and what changes there with every passage, read apart.

A door may have tens of thousands of permits. They change now and then; who is inside changes all
the time, and so does what has nothing to do with the door. So the first is read anew only where it
was changed: triggers count every change of its tables, by whichever program (migration 0009).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from postern.core.access_point import AccessPoint
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.ids import CredentialId, PersonId
from postern.core.permit import Permit
from postern.store import permits
from postern.store.consents import of_people
from postern.store.credentials import of_holders
from postern.store.schema import revisions

ROLL = "roll"


@dataclass(frozen=True, slots=True)
class Roll:
    """Who may pass at an access point.

    Attributes:
        revision: The number of changes when it was read; None where that cannot be told, and then
            it is never used again.
        permits: The permits that count there.
        credentials: Of those whom they name.
        consents: Likewise.
    """

    revision: int | None
    permits: tuple[Permit, ...]
    credentials: Mapping[CredentialId, Credential]
    consents: Mapping[PersonId, tuple[Consent, ...]]


def read(connection: Connection, access_point: AccessPoint, before: Roll | None) -> Roll:
    """The roll as it is in this snapshot; the same object as before where nothing was changed."""
    found = connection.scalar(select(revisions.c.number).where(revisions.c.name == ROLL))
    revision = found if isinstance(found, int) else None
    if before is not None and revision is not None and before.revision == revision:
        return before
    here = permits.at(connection, access_point.id)
    holders = {holder for permit in here for holder in permit.holders}
    people = [PersonId(holder) for holder in holders if holder.startswith("p-")]
    return Roll(revision, here, of_holders(connection, holders), of_people(connection, people))
