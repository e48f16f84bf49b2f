"""Who may be recognised at an access point: the store's records and the vault's references."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock

from postern.core.access_point import AccessPoint, Direction
from postern.core.credential import Credential
from postern.core.errors import PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CredentialId, Holder, VehicleId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.engine.ports import Known
from postern.frame import Reference, Template
from postern.store.credentials import KeptReference
from postern.store.store import Store
from postern.vault.seal import Sealed
from postern.vault.vault import Vault

PlateReference = Callable[[str], Template]
Faces = tuple[Reference, ...]
Plates = tuple[Reference, ...]
Wanted = tuple[tuple[CredentialId, Holder], ...]


class StoredRegister:
    """Implements `postern.engine.ports.Register` on the store and the vault.

    References are opened when they change and dropped when they are withdrawn: every attempt asks
    the store which references hold now, and only what it names is compared.

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
        clock_trusted: Callable[[datetime], bool],
    ) -> None:
        self._store = store
        self._vault = vault
        self._plate = plate
        self._clock_trusted = clock_trusted
        self._lock = Lock()  # Guards the two fields below.
        self._faces: dict[AccessPointId, tuple[tuple[KeptReference, ...], Faces]] = {}
        self._plates: dict[AccessPointId, tuple[Wanted, Plates]] = {}

    def known(self, access_point: AccessPoint, now: Moment) -> Known:
        """See `Register.known`."""
        trusted = self._clock_trusted(now.utc)
        permits, state = self._store.state(access_point, clock_trusted=trusted)
        kept = self._store.credentials.references(access_point.id, now.utc)
        with self._lock:
            references: Mapping[Kind, tuple[Reference, ...]] = {
                Kind.FACE: self._opened(access_point.id, kept),
                Kind.PLATE: self._plates_of(access_point.id, state.credentials.values()),
            }
        return Known(permits, state, references)

    def passed(self, access_point: AccessPoint, holders: tuple[Holder, ...], at: datetime) -> None:
        """See `Register.passed`."""
        area = access_point.area.id
        if access_point.direction is Direction.EXIT:
            self._store.areas.left(area, holders)
        else:
            self._store.areas.entered(area, holders, at)

    def _opened(self, access_point: AccessPointId, kept: tuple[KeptReference, ...]) -> Faces:
        before, faces = self._faces.get(access_point, ((), ()))
        if kept != before:
            faces = tuple(r for r in map(self._open, kept) if r is not None)
            self._faces[access_point] = (kept, faces)
        return faces

    def _open(self, kept: KeptReference) -> Reference | None:
        """The reference opened; None where its key is gone, so that one erased person or damaged
        row never keeps the others out."""
        try:
            template = self._vault.open(Sealed(kept.credential, kept.person, kept.blob))
        except PosternError:
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
