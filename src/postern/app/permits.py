"""Permits: what they ask for, what hinders them, and how they are made, changed and taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from postern.api.permits import Wish
from postern.api.version import Seen
from postern.app.roster import check_room
from postern.app.site import Site
from postern.core.consent import StorageMode
from postern.core.errors import invalid
from postern.core.event import Changed
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, Holder, PermitId, PersonId, VehicleId
from postern.core.look import Kind
from postern.core.permit import Ceiling, Permit
from postern.core.ports import Clock, Ledger
from postern.core.schedule import Schedule
from postern.store.store import Store
from postern.web.problem import field

#: What a camera has to see for a factor to be there.
SEEN = {Factor.FACE: Kind.FACE, Factor.PLATE: Kind.PLATE}
#: Ceilings and the bound on the whole (docs/decisions.md).
_FACE, _PLATE = 1e-3, 1e-4
_WHOLE = 1e-4
#: For a face alone, which is searched for among everybody who may pass there.
_ROSTER = 1e-3


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a permit asks for."""

    factors: tuple[Ceiling, ...]
    whole: float


@dataclass(frozen=True, slots=True)
class Permits:
    """The permits of one site.

    Attributes:
        site: What `site.toml` says.
        store: The records.
        ledger: Where a change becomes an event.
        clock: Says how late it is.
    """

    site: Site
    store: Store
    ledger: Ledger
    clock: Clock

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """The schedules of the site, by name."""
        return self.site.schedules

    def page(
        self, holder: str | None, access_point: str | None, after: PermitId | None, limit: int
    ) -> tuple[Permit, ...]:
        """Some of them, by id.

        Raises:
            PosternError: `unavailable`.
        """
        return self.store.permits.page(
            holder=None if holder is None else _holder(holder),
            access_point=None if access_point is None else AccessPointId(access_point),
            after=after,
            limit=limit,
        )

    def find(self, permit: PermitId) -> Permit:
        """One of them.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        return self.store.permits.find(permit)

    def warnings(self, permit: Permit) -> list[str]:
        """What keeps a permit from letting through whom it names; sentences.

        Raises:
            PosternError: `unavailable`.
        """
        silent = _without_consent(self.store, permit, self.clock.now().utc)
        return [
            *(
                f"{name} has not agreed to be recognised at {place}: it will not open for them."
                for name, place in silent
            ),
            *hindrances(self.site, permit),
        ]

    def add(self, wish: Wish, by: str) -> Permit:
        """Makes a permit; it counts from the next attempt on.

        Raises:
            PosternError: `invalid`, with the field where it is one's fault; `conflict` where a
                roster would be too large; `unavailable`.
        """
        now = self.clock.now().utc
        # What is looked up is still so when it is kept.
        with self.store.together():
            permit = self._permit(PermitId(f"permit-{uuid4().hex[:8]}"), wish, now)
            self.store.permits.add(permit)
            self.ledger.append(Changed(now, "permit added", permit.id, by))
        return permit

    def replace(self, permit: PermitId, wish: Wish, by: str, seen: Seen[Permit]) -> Permit:
        """Puts a permit in the place of another; where it does not say when it begins, it does so
        when the other did.

        Raises:
            PosternError: `not_found`; as `add` and `seen`.
        """
        now = self.clock.now().utc
        with self.store.together():
            former = self.find(permit)
            seen(former)
            changed = self._permit(permit, wish, former.valid_from)
            self.store.permits.replace(changed)
            self.ledger.append(Changed(now, "permit changed", permit, by))
        return changed

    def remove(self, permit: PermitId, by: str, seen: Seen[Permit] | None = None) -> None:
        """Takes a permit away; it counts no more from the next attempt on.

        Raises:
            PosternError: `not_found`; `unavailable`; as `seen`.
        """
        now = self.clock.now().utc
        with self.store.together():
            if seen is not None:
                seen(self.find(permit))
            self.store.permits.remove(permit)
            self.ledger.append(Changed(now, "permit removed", permit, by))

    def _permit(self, id_: PermitId, wish: Wish, begins: datetime) -> Permit:
        now = self.clock.now().utc
        people, vehicles = _people(self.store, wish), _vehicles(self.store, wish)
        if not people and not vehicles:
            raise invalid("A permit names people, vehicles, or both.", "Say whom it lets through.")
        with field("access_points"):
            places = frozenset(map(self.site.access_point, wish.access_points))
        with field("schedule"):
            schedule = self.site.schedule(wish.schedule) if wish.schedule is not None else None
        passes = _carry_passes(self.store, people, now)
        asked = _asked(bool(people), bool(vehicles), passes, wish.one_in)
        with field("valid_until"):
            permit = Permit(
                id_, frozenset([*people, *vehicles]), places, asked.factors, asked.whole,
                wish.liveness, schedule, wish.valid_from or begins, wish.valid_until,
            )  # fmt: skip
        on_roster = self.store.credentials.people_with(StorageMode.ROSTER)
        check_room(self.store, places, on_roster & permit.holders, now)
        return permit


def hindrances(site: Site, permit: Permit) -> list[str]:
    """Why a permit can never open, or not at one of its access points; sentences."""
    found = [
        f"{permit.id} asks for a {factor}, and no camera at {name} sees any."
        for name, factor in _blind(site, permit).items()
    ]
    if permit.liveness:
        found.append(f"{permit.id} asks for a live person, which nothing here can establish.")
    return found


def opens_nowhere(site: Site, permit: Permit) -> bool:
    """Whether nobody can ever meet a permit, as the site is now."""
    return permit.liveness or _blind(site, permit).keys() >= permit.access_points


def _people(store: Store, wish: Wish) -> list[PersonId]:
    with field("people"):
        return [store.people.find(PersonId(person)).id for person in wish.people]


def _vehicles(store: Store, wish: Wish) -> list[VehicleId]:
    with field("vehicles"):
        return [store.vehicles.find(VehicleId(vehicle)).id for vehicle in wish.vehicles]


def _asked(people: bool, vehicles: bool, passes: bool, one_in: int | None) -> _Asked:
    """What a permit for people, vehicles or both asks for; `one_in` bounds the whole."""
    wanted = 1 / one_in if one_in else None
    whole = wanted or _WHOLE
    shown = (Ceiling(Factor.PASS, 1.0),) if passes else ()
    if people and vehicles:
        both = (Ceiling(Factor.PLATE, _PLATE), *shown, Ceiling(Factor.FACE, _FACE))
        return _Asked(both, whole)
    # A factor that stands alone is the whole: one bound for both. A pass weighs nothing.
    if passes:
        return _Asked((*shown, Ceiling(Factor.FACE, whole)), whole)
    factor, usual = (Factor.FACE, _ROSTER) if people else (Factor.PLATE, _PLATE)
    return _Asked((Ceiling(factor, wanted or usual),), wanted or usual)


def _carry_passes(store: Store, people: Sequence[PersonId], now: datetime) -> bool:
    """Whether all of these people agreed to carry passes, and to nothing else."""
    standing = store.consents.standing(people, now)
    modes = [{consent.mode for consent in standing.get(person, ())} for person in people]
    return bool(people) and all(m and StorageMode.ROSTER not in m for m in modes)


def _without_consent(store: Store, permit: Permit, now: datetime) -> list[tuple[str, str]]:
    """The people whom the permit cannot let through at a place, as they have not agreed to it."""
    people = [PersonId(holder) for holder in sorted(permit.holders) if holder.startswith("p-")]
    agreed = store.consents.standing(people, now)
    silent = [
        (person, place)
        for person in people
        for place in sorted(permit.access_points)
        if not any(consent.holds(place, now) for consent in agreed.get(person, ()))
    ]
    names = {person: store.people.find(person).name for person in dict(silent)}
    return [(names[person], place) for person, place in silent]


def _blind(site: Site, permit: Permit) -> dict[AccessPointId, Factor]:
    """Access points where no camera sees what a permit asks for, and what that is."""
    found = {}
    for name in sorted(permit.access_points & site.access_points.keys()):
        cameras = [site.cameras[camera] for camera in site.access_points[name].cameras]
        for factor, kind in SEEN.items():
            if permit.requires(factor) and kind not in {camera.sees for camera in cameras}:
                found[name] = factor
    return found


def _holder(name: str) -> Holder:
    return VehicleId(name) if name.startswith("v-") else PersonId(name)
