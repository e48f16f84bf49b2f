"""The same people everywhere, and what they bring to an access point.

Alice is enrolled and agrees. Bob took his consent back. Carol agrees, but holds no permit. Dan's
consent has run out. Erin is Alice's colleague with a permit of her own. Mallory is nobody that the
site knows and holds up a photograph of Alice. The van is Alice's, the coupé is Erin's, and the
tourer is a stranger's.

Every builder gives something that would be granted; a test says what is different about its case.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from postern.core.access_point import AccessPoint, Area, Direction
from postern.core.attempt import Attempt, Liveness
from postern.core.consent import Consent, StorageMode
from postern.core.credential import Credential
from postern.core.decide import State
from postern.core.evidence import Evidence, Factor
from postern.core.ids import (
    AccessPointId,
    AreaId,
    AttemptId,
    CameraId,
    ConsentId,
    CredentialId,
    Holder,
    PermitId,
    PersonId,
    VehicleId,
)
from postern.core.moment import Moment
from postern.core.permit import Ceiling, Permit
from postern.core.person import Person
from postern.core.schedule import Schedule
from postern.core.vehicle import Vehicle

#: A Wednesday, at noon.
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

ALICE = PersonId("p-alice")
BOB = PersonId("p-bob")
CAROL = PersonId("p-carol")
DAN = PersonId("p-dan")
ERIN = PersonId("p-erin")
PEOPLE = (ALICE, BOB, CAROL, DAN, ERIN)

VAN = VehicleId("v-van")
COUPE = VehicleId("v-coupe")
TOURER = VehicleId("v-tourer")
VEHICLES = (VAN, COUPE, TOURER)

CAST = (*PEOPLE, *VEHICLES)
#: Mallory is not in it: the site knows nothing about people who did not ask to be recognised.
PERSONS = tuple(Person(person, person.removeprefix("p-").title()) for person in PEOPLE)
GARAGE = (
    Vehicle(VAN, "BVAN101", "Alice's van"),
    Vehicle(COUPE, "BCOU202", "Erin's coupé"),
    Vehicle(TOURER, "BTOU303", "a stranger's tourer"),
)

OFFICE = Area(AreaId("office"))
DOOR = AccessPoint(AccessPointId("door"), OFFICE, (CameraId("door-camera"),))
BARRIER = AccessPoint(AccessPointId("barrier"), OFFICE, (CameraId("barrier-camera"),))
WAY_OUT = AccessPoint(AccessPointId("way-out"), OFFICE, (CameraId("out-camera"),), Direction.EXIT)
PLACES = frozenset({DOOR.id, BARRIER.id, WAY_OUT.id})

#: The ceilings that design section 4 gives by default.
FACE, PLATE = Ceiling(Factor.FACE, 1e-3), Ceiling(Factor.PLATE, 1e-4)
PASS, CARD, PIN = Ceiling(Factor.PASS, 1.0), Ceiling(Factor.CARD, 1.0), Ceiling(Factor.PIN, 1e-3)
#: What the evidence of somebody who is who they say they are looks like.
GOOD = {Factor.FACE: 1e-6, Factor.PLATE: 1e-8, Factor.PASS: 1.0, Factor.CARD: 1.0, Factor.PIN: 3e-4}


def moment(seconds: float = 0.0) -> Moment:
    """`NOW` and so many seconds, on both clocks."""
    return Moment(NOW, 1000.0).plus(seconds)


def credential_id(factor: Factor, holder: Holder) -> CredentialId:
    """The name of the credential that every member of the cast has for every factor."""
    return CredentialId(f"{factor}-of-{holder}")


def credential(
    factor: Factor,
    holder: Holder,
    *,
    enabled: bool = True,
    valid_from: datetime = NOW - 30 * DAY,
    valid_until: datetime | None = None,
    name: CredentialId | None = None,
    mode: StorageMode = StorageMode.ROSTER,
) -> Credential:
    """A credential that counts."""
    name = name or credential_id(factor, holder)
    kept = mode if factor is Factor.FACE else None
    return Credential(name, factor, holder, enabled, valid_from, valid_until, kept)


def consent(
    person: PersonId,
    *,
    places: frozenset[AccessPointId] = PLACES,
    given: datetime = NOW - 30 * DAY,
    expires: datetime = NOW + 330 * DAY,
    withdrawn: datetime | None = None,
    mode: StorageMode = StorageMode.ROSTER,
) -> Consent:
    """A consent that holds everywhere."""
    name = ConsentId(f"consent-of-{person}")
    return Consent(name, person, "to open doors", places, "v1", mode, given, expires, withdrawn)


#: Bob took his back an hour ago, Dan's ran out yesterday.
CONSENTS: dict[PersonId, tuple[Consent, ...]] = {
    ALICE: (consent(ALICE),),
    BOB: (consent(BOB, withdrawn=NOW - timedelta(hours=1)),),
    CAROL: (consent(CAROL),),
    DAN: (consent(DAN, expires=NOW - DAY),),
    ERIN: (consent(ERIN),),
}
CREDENTIALS = {
    one.id: one for one in (credential(factor, holder) for factor in Factor for holder in CAST)
}


def evidence(
    factor: Factor,
    holder: Holder,
    p: float | None = None,
    *,
    searched: int = 1,
    looks: int = 3,
    seen: float = 0.0,
    name: CredentialId | None = None,
) -> Evidence:
    """Evidence as good as the holder's own, seen `seen` seconds after `NOW`."""
    p = GOOD[factor] if p is None else p
    name = name or credential_id(factor, holder)
    return Evidence(factor, holder, name, p, searched, looks, moment(seen))


def face(holder: Holder, p: float = 1e-6) -> Evidence:
    """A face that fits `holder`."""
    return evidence(Factor.FACE, holder, p)


def plate(holder: Holder, p: float = 1e-8) -> Evidence:
    """A plate that reads like `holder`'s."""
    return evidence(Factor.PLATE, holder, p)


def shown_pass(holder: Holder) -> Evidence:
    """The pass of `holder`, whoever shows it."""
    return evidence(Factor.PASS, holder)


def card(holder: Holder) -> Evidence:
    """The card of `holder`, whoever shows it."""
    return evidence(Factor.CARD, holder)


def pin(holder: Holder, *, right: bool = True) -> Evidence:
    """A PIN typed by whoever claims to be `holder`; three tries at one of 10,000."""
    return evidence(Factor.PIN, holder, 3e-4 if right else 1.0)


def attempt(
    *shown: Evidence,
    at: AccessPoint = DOOR,
    liveness: Liveness = Liveness.LIVE,
    last_frame: float = 0.0,
) -> Attempt:
    """An attempt of a live person, just now."""
    return Attempt(AttemptId("attempt"), at.id, shown, liveness, moment(last_frame))


def permit(
    *holders: Holder,
    factors: tuple[Ceiling, ...] = (FACE,),
    at: frozenset[AccessPointId] = PLACES,
    max_false_accept: float = 1e-4,
    liveness: bool = True,
    schedule: Schedule | None = None,
    valid_from: datetime = NOW - 30 * DAY,
    valid_until: datetime | None = None,
    name: str = "",
) -> Permit:
    """A permit for `holders` to pass everywhere, always, by their faces."""
    return Permit(
        PermitId(name or "permit-of-" + "-".join(holders)),
        frozenset(holders),
        at,
        factors,
        max_false_accept,
        liveness,
        schedule,
        valid_from,
        valid_until,
    )


def state(
    at: AccessPoint = DOOR,
    *,
    credentials: Mapping[CredentialId, Credential] = CREDENTIALS,
    consents: Mapping[PersonId, tuple[Consent, ...]] = CONSENTS,
    inside: Mapping[Holder, datetime] | None = None,
    occupancy: int = 0,
    throttled: Mapping[Holder, datetime] | None = None,
    clock_trusted: bool = True,
) -> State:
    """What is known at a quiet access point: everybody's credentials and consents."""
    return State(at, credentials, consents, inside or {}, occupancy, throttled or {}, clock_trusted)


#: Everybody but Carol has one: by face, by pass and face, by plate, and by plate and driver.
PERMITS = (
    permit(ALICE, name="alice"),
    permit(BOB, name="bob"),
    permit(DAN, name="dan"),
    permit(ERIN, name="erin", factors=(PASS, FACE)),
    permit(VAN, name="van", factors=(PLATE,), liveness=False),
    permit(COUPE, ERIN, name="coupe", factors=(PLATE, FACE)),
)
