"""Who may be recognised at an access point: the store's records and the vault's references.

1. What was read counts as long as nobody changed the store or the keys, in this process or another,
   no record began or ended since, and the calendar is trusted as much as before. Every attempt
   asks anew.
2. The store's and the vault's numbers are taken before anything is read, so that a change in
   between is seen at the next look and not lost.
3. Where something else was changed, who is inside above all, that alone is read anew: who may pass
   is read when it was changed (`store/roll.py`).
4. References are opened when they change, and dropped when they are withdrawn or have expired. They
   are not overwritten then: whoever was given them before may be comparing them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from postern.core.access_point import AccessPoint, Direction
from postern.core.credential import Credential
from postern.core.errors import PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CredentialId, Holder, VehicleId
from postern.core.look import Kind
from postern.core.mode import Order, mode_at
from postern.core.moment import Moment
from postern.engine.ports import Known
from postern.frame import Reference, Template
from postern.store.credentials import KeptReference
from postern.store.roll import Roll
from postern.store.store import Store
from postern.vault.seal import Sealed
from postern.vault.vault import Vault

PlateReference = Callable[[str], Template]
#: Whether a time that the calendar showed a moment ago can be relied on.
Trusted = Callable[[datetime], bool]
Faces = tuple[Reference, ...]
Plates = tuple[Reference, ...]
Wanted = tuple[tuple[CredentialId, Holder], ...]
#: The store's number and the vault's.
Versions = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read about an access point, and how long it counts.

    Attributes:
        versions: The numbers before it was read.
        since: When it was read.
        until: When the next record begins or ends; None for never.
        turn: When the next credential or consent does; None for never.
        trusted: Whether the calendar was trusted.
        roll: Who may pass there.
        known: What was read.
    """

    versions: Versions
    since: datetime
    until: datetime | None
    turn: datetime | None
    trusted: bool
    roll: Roll
    known: Known

    def counts(self, versions: Versions, now: datetime, trusted: bool) -> bool:
        """Whether everything would be read again as it is."""
        still = now >= self.since and (self.until is None or now < self.until)
        return still and versions == self.versions and trusted is self.trusted

    def references_count(self, roll: Roll, keys: int, now: datetime) -> bool:
        """Whether the references would be the same, if that is the roll and the vault's number."""
        still = now >= self.since and (self.turn is None or now < self.turn)
        return still and roll is self.roll and keys == self.versions[1]


class StoredRegister:
    """Implements `postern.engine.ports.Register` on the store and the vault.

    Args:
        store: The records.
        vault: Opens sealed references.
        plate: Makes a reference of a plate's text.
        clock_trusted: Whether the calendar's time can be relied on.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        plate: PlateReference,
        clock_trusted: Trusted,
    ) -> None:
        self._store = store
        self._vault = vault
        self._plate = plate
        self._clock_trusted = clock_trusted
        self._lock = Lock()  # Guards the four fields below.
        self._orders: tuple[int, tuple[Order, ...]] = (-1, ())
        self._readings: dict[AccessPointId, _Reading] = {}
        self._faces: dict[AccessPointId, tuple[int, tuple[KeptReference, ...], Faces]] = {}
        self._plates: dict[AccessPointId, tuple[Wanted, Plates]] = {}

    def known(self, access_point: AccessPoint, now: Moment) -> Known:
        """See `Register.known`."""
        trusted = self._clock_trusted(now.utc)
        versions = self._store.version(), self._vault.version()
        with self._lock:
            reading = self._readings.get(access_point.id)
        if reading is None or not reading.counts(versions, now.utc, trusted):
            reading = self._read(access_point, now.utc, versions, trusted, reading)
            with self._lock:
                self._readings[access_point.id] = reading
        return reading.known

    def orders(self) -> tuple[Order, ...]:
        """See `postern.engine.ports.Orders`; they are read anew where anything was changed."""
        version = self._store.version()
        with self._lock:
            before, orders = self._orders
        if before != version:
            orders = self._store.modes.all()
            with self._lock:
                self._orders = (version, orders)
        return orders

    def passed(self, access_point: AccessPoint, holders: tuple[Holder, ...], at: datetime) -> None:
        """See `Register.passed`."""
        area = access_point.area.id
        # At once: where another program is writing, the lane waits for it once.
        with self._store.together():
            if access_point.direction is Direction.EXIT:
                self._store.areas.left(area, holders)
            else:
                self._store.areas.entered(area, holders, at)
            for holder in holders:
                self._store.throttles.cleared(access_point.id, holder)

    def failed(self, access_point: AccessPoint, holder: Holder, at: datetime) -> None:
        """See `Register.failed`."""
        self._store.throttles.failed(access_point.id, holder, at)

    def _read(
        self,
        access_point: AccessPoint,
        now: datetime,
        versions: Versions,
        trusted: bool,
        before: _Reading | None,
    ) -> _Reading:
        """What is known now; of what was read before, whatever nobody has changed is kept."""
        roll, state = self._store.standing(
            access_point, None if before is None else before.roll, clock_trusted=trusted
        )
        orders = self._store.modes.all()
        state = replace(state, mode=mode_at(access_point, orders, now, trusted=trusted))
        if before is not None and before.references_count(roll, versions[1], now):
            turn, references = before.turn, before.known.references
        else:
            turn = _next(_turns_of_roll(roll), now)
            references = self._references(access_point.id, roll, versions[1], now)
        until = _next((*_turns_of_orders(orders), *([] if turn is None else [turn])), now)
        known = Known(roll.permits, state, references)
        return _Reading(versions, now, until, turn, trusted, roll, known)

    def _references(
        self, access_point: AccessPointId, roll: Roll, keys: int, now: datetime
    ) -> Mapping[Kind, tuple[Reference, ...]]:
        kept = self._store.credentials.references(access_point, now)
        with self._lock:
            return {
                Kind.FACE: self._opened(access_point, kept, keys),
                Kind.PLATE: self._plates_of(access_point, roll.credentials.values()),
            }

    def _opened(
        self, access_point: AccessPointId, kept: tuple[KeptReference, ...], keys: int
    ) -> Faces:
        """The references opened; anew where any of them or any key has changed."""
        *before, faces = self._faces.get(access_point, (-1, (), ()))
        if before != [keys, kept]:
            faces = tuple(r for r in map(self._open, kept) if r is not None)
            self._faces[access_point] = (keys, kept, faces)
        return faces

    def _open(self, kept: KeptReference) -> Reference | None:
        """The reference opened; None where its key is gone, so that one erased person or damaged
        row never keeps the others out. Where the keys cannot be read now, nobody is left out: it
        is read again at the next look."""
        try:
            template = self._vault.open(Sealed(kept.credential, kept.person, kept.blob))
        except PosternError as error:
            if error.retry_helps:
                raise
            return None
        return Reference(kept.credential, kept.person, template)

    def _plates_of(self, access_point: AccessPointId, known: Iterable[Credential]) -> Plates:
        wanted = tuple(sorted((c.id, c.holder) for c in known if c.factor is Factor.PLATE))
        before, plates = self._plates.get(access_point, ((), ()))
        if wanted != before:
            texts = {vehicle.id: vehicle.plate for vehicle in self._store.vehicles.all()}
            plates = tuple(
                Reference(credential, holder, self._plate(texts[VehicleId(holder)]))
                for credential, holder in wanted
                if holder in texts
            )
            self._plates[access_point] = (wanted, plates)
        return plates


def _next(turns: Iterable[datetime], now: datetime) -> datetime | None:
    """The first of them that is to come."""
    return min((at for at in turns if at > now), default=None)


def _turns_of_orders(orders: Iterable[Order]) -> Iterator[datetime]:
    """When orders begin and end."""
    for order in orders:
        yield order.since
        if order.until is not None:
            yield order.until


def _turns_of_roll(roll: Roll) -> Iterator[datetime]:
    """When credentials and consents begin and end."""
    for credential in roll.credentials.values():
        yield credential.valid_from
        if credential.valid_until is not None:
            yield credential.valid_until
    for consents in roll.consents.values():
        for consent in consents:
            yield consent.given
            yield consent.expires
