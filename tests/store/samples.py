"""A store with the cast in it."""

from dataclasses import replace
from pathlib import Path

from postern.core.alarm import Alarm
from postern.core.decision import Reason
from postern.core.event import (
    Acted,
    Alarmed,
    By,
    Changed,
    Consented,
    Decided,
    Enrolled,
    Erased,
    Event,
    Interrupted,
    Lifted,
    Ordered,
    Rekeyed,
    Released,
    Revoked,
    Viewed,
    Withdrawn,
)
from postern.core.evidence import Factor
from postern.core.ids import AttemptId, OrderId, PermitId, PersonId
from postern.core.mode import Mode
from postern.store.store import Store, open_store
from tests.people import (
    ALICE,
    CONSENTS,
    DOOR,
    GARAGE,
    NOW,
    PEOPLE,
    PERMITS,
    PERSONS,
    VAN,
    consent,
    credential,
    credential_id,
)

#: What the vault would have given; the store never looks inside.
BLOB = b"PSTN" + bytes(range(200))


def filled(folder: Path) -> Store:
    """A store with everybody, their consents, their faces and plates, and all permits."""
    store = open_store(folder)
    for person in PERSONS:
        store.people.add(person)
    for vehicle in GARAGE:
        store.vehicles.add(vehicle)
        store.credentials.add(credential(Factor.PLATE, vehicle.id), now=NOW)
    for who in PEOPLE:
        enrol(store, who)
    for permit in PERMITS:
        store.permits.add(permit)
    return store


def enrol(store: Store, person: PersonId) -> None:
    """A person agrees and is given a face; whoever of the cast withdrew then does so."""
    (agreed,) = CONSENTS[person]
    store.consents.add(replace(agreed, withdrawn=None))
    store.credentials.add(credential(Factor.FACE, person), now=agreed.given, sealed=BLOB)
    if agreed.withdrawn is not None:
        store.consents.withdraw(agreed.id, agreed.withdrawn, lambda reference, person: None)


def granted(attempt: str = "attempt") -> Decided:
    """Alice was let in at the door."""
    return Decided(
        NOW, DOOR.id, AttemptId(attempt), Reason.PERMITTED, PermitId("alice"), (ALICE,), 5
    )


#: One of each kind there is.
ALL_KINDS: tuple[Event, ...] = (
    granted(),
    Decided(NOW, DOOR.id, AttemptId("a-2"), Reason.STALE, None, (ALICE, VAN), 0, passback=True),
    Released(NOW, DOOR.id, AttemptId("a-4"), "guard", "a parcel"),
    Acted(NOW, DOOR.id, AttemptId("attempt"), True, "opened for 1.0 s"),
    Interrupted(NOW, DOOR.id, AttemptId("a-3")),
    Ordered(NOW, OrderId("order-1"), Mode.FREE_FLOW, (DOOR.id,), "guard", "a fair", NOW),
    Ordered(NOW, OrderId("order-2"), Mode.EVACUATION, (), "guard", "smoke", None),
    Lifted(NOW, OrderId("order-1"), "guard"),
    Alarmed(NOW, DOOR.id, Alarm.FORCED, over=False),
    Consented(NOW, consent(ALICE).id, ALICE, "v1"),
    Withdrawn(NOW, consent(ALICE).id, ALICE, By.PERSON),
    Erased(NOW, ALICE),
    Viewed(NOW, ALICE, "guard", "a bicycle was stolen"),
    Rekeyed(NOW, 2),
    Revoked(NOW, credential_id(Factor.PASS, ALICE), ALICE),
    Enrolled(NOW, credential_id(Factor.PLATE, VAN), VAN),
    Changed(NOW, "permit added", "alice", "Gärtnerei ☂"),
)
