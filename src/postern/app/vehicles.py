"""Vehicles: registering them by their plates, and forgetting them."""

from dataclasses import dataclass
from uuid import uuid4

from postern.api.version import Seen
from postern.core.credential import Credential
from postern.core.event import Changed, Enrolled
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, VehicleId
from postern.core.ports import Clock, Ledger
from postern.core.vehicle import Vehicle
from postern.store.store import Store


@dataclass(frozen=True, slots=True)
class Vehicles:
    """The vehicles of one site.

    Attributes:
        store: The records.
        ledger: Where a change becomes an event.
        clock: Says how late it is.
    """

    store: Store
    ledger: Ledger
    clock: Clock

    def page(self, containing: str, after: str | None, limit: int) -> tuple[Vehicle, ...]:
        """Some of them, by their plates.

        Raises:
            PosternError: `unavailable`.
        """
        return self.store.vehicles.page(containing=containing, after=after, limit=limit)

    def find(self, vehicle: VehicleId) -> Vehicle:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.vehicles.find(vehicle)

    def add(self, plate: str, label: str, by: str | None = None) -> Vehicle:
        """Registers a vehicle; its plate is its credential.

        Args:
            plate: Its plate, as `plate_text` gives it.
            label: What its owner calls it.
            by: Who does it, of those who do so over the network; None for whoever uses the
                machine itself, of whom there is one.

        Raises:
            PosternError: `invalid` for a label that is none; `conflict` where the plate is
                registered; `unavailable`.
        """
        now = self.clock.now().utc
        vehicle = Vehicle(VehicleId(f"v-{uuid4().hex[:12]}"), plate, label)
        name = CredentialId(f"plate-{vehicle.id}")
        with self.store.together():
            self.store.vehicles.add(vehicle)
            credential = Credential(name, Factor.PLATE, vehicle.id, True, now)
            self.store.credentials.add(credential, now=now)
            self.ledger.append(Enrolled(now, name, vehicle.id))
            if by is not None:
                self.ledger.append(Changed(now, "vehicle added", vehicle.id, by))
        return vehicle

    def remove(self, vehicle: VehicleId, by: str, seen: Seen[Vehicle] | None = None) -> None:
        """Forgets a vehicle, its plate and its part in permits.

        Raises:
            PosternError: `not_found`; `unavailable`; as `seen`.
        """
        now = self.clock.now().utc
        with self.store.together():
            known = self.find(vehicle)
            if seen is not None:
                seen(known)
            self.store.vehicles.remove(vehicle)
            self.ledger.append(Changed(now, "vehicle removed", vehicle, by))
