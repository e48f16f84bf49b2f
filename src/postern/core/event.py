"""What the ledger keeps: a closed set, so that an auditor can read them all.

Events are pseudonymous: they name permits and holders by id, keep chances in coarse bands, and hold
no picture, vector, score or plate. An attempt in which nobody was recognised is no event.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from postern.core.alarm import Alarm
from postern.core.decision import Reason
from postern.core.ids import (
    AccessPointId,
    AttemptId,
    ConsentId,
    CredentialId,
    Holder,
    OrderId,
    PermitId,
    PersonId,
)
from postern.core.mode import Mode


@dataclass(frozen=True, slots=True)
class Decided:
    """An attempt by somebody who was recognised was granted or denied, or an exit was opened."""

    at: datetime
    access_point: AccessPointId
    attempt: AttemptId
    reason: Reason
    permit: PermitId | None
    holders: tuple[Holder, ...]
    band: int
    passback: bool = False


@dataclass(frozen=True, slots=True)
class Acted:
    """The actuator answered: what became of a grant or a release."""

    at: datetime
    access_point: AccessPointId
    attempt: AttemptId
    done: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Released:
    """An access point was opened without recognising anybody: by a guard, a button, a mode.

    Attributes:
        by: Who or what asked for it, in the site's own words; never a person who passes.
        why: What for.
    """

    at: datetime
    access_point: AccessPointId
    attempt: AttemptId
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A grant or release whose actuator's answer was never seen, closed at the next start."""

    at: datetime
    access_point: AccessPointId
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Alarmed:
    """A door or barrier raised an alarm by itself, or one is over. Nobody is named."""

    at: datetime
    access_point: AccessPointId
    alarm: Alarm
    over: bool


@dataclass(frozen=True, slots=True)
class Ordered:
    """Somebody put access points into a mode.

    Attributes:
        access_points: Where; everywhere if empty.
        by: Who ordered it.
        why: What for.
        until: When it ends by itself; None for when somebody ends it.
    """

    at: datetime
    order: OrderId
    mode: Mode
    access_points: tuple[AccessPointId, ...]
    by: str
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Lifted:
    """Somebody ended an order."""

    at: datetime
    order: OrderId
    by: str


@dataclass(frozen=True, slots=True)
class Consented:
    """A person agreed to be recognised."""

    at: datetime
    consent: ConsentId
    person: PersonId
    text_version: str


class By(StrEnum):
    """Who ended a consent."""

    PERSON = "person"
    OPERATOR = "operator"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A consent ended; the references that it covered were destroyed."""

    at: datetime
    consent: ConsentId
    person: PersonId
    by: By


@dataclass(frozen=True, slots=True)
class Erased:
    """Everything that was kept about a person was destroyed."""

    at: datetime
    person: PersonId


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A credential was added: a face was taken in, a pass was issued."""

    at: datetime
    credential: CredentialId
    holder: Holder


@dataclass(frozen=True, slots=True)
class Revoked:
    """A credential counts no more: a pass was lost, or another took its place."""

    at: datetime
    credential: CredentialId
    holder: Holder


@dataclass(frozen=True, slots=True)
class Viewed:
    """Somebody looked at a person's events, or a vehicle's, and said why; the person can see it."""

    at: datetime
    person: Holder
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The site began a new epoch of its keys."""

    at: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class Changed:
    """An operator added or removed a permit, vehicle or credential."""

    at: datetime
    what: str
    subject: str
    by: str


Event = (
    Decided
    | Released
    | Acted
    | Interrupted
    | Alarmed
    | Ordered
    | Lifted
    | Consented
    | Withdrawn
    | Erased
    | Enrolled
    | Revoked
    | Viewed
    | Rekeyed
    | Changed
)
