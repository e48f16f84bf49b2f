"""`postern permit`: who may pass where, when, and how surely they must be recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

import typer

from postern.app.roster import check_room
from postern.app.site import Site
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json, warn
from postern.cli.week import week
from postern.core.consent import StorageMode
from postern.core.errors import invalid
from postern.core.event import Changed
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, Holder, PermitId, PersonId
from postern.core.look import Kind
from postern.core.permit import Ceiling, Permit
from postern.store.store import Store

app = typer.Typer(help="Add, list and remove permits.", no_args_is_help=True, add_completion=False)
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]

#: What a camera has to see for a factor to be there.
SEEN = {Factor.FACE: Kind.FACE, Factor.PLATE: Kind.PLATE}
#: Ceilings and the bound on the whole (docs/decisions.md).
_FACE, _PLATE = 1e-3, 1e-4
_WHOLE = 1e-4
#: For a face alone, which is searched for among everybody who may pass there.
_ROSTER = 1e-3


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a permit asks for."""

    factors: tuple[Ceiling, ...]
    whole: float


@app.command("add")
def add(
    at: Annotated[list[str], typer.Option(help="An access point; may be given several times.")],
    person: Annotated[list[str] | None, typer.Option(help="A person's id; likewise.")] = None,
    vehicle: Annotated[list[str] | None, typer.Option(help="A vehicle's plate; likewise.")] = None,
    schedule: Annotated[str, typer.Option(help="A schedule of site.toml; always if absent.")] = "",
    one_in: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=10**9,
            show_default=False,
            help="At most one stranger in so many may pass; 1000 on a roster, else 10000.",
        ),
    ] = None,
    liveness: Annotated[bool, typer.Option("--liveness", help="Ask for a live person.")] = False,
    site: SiteFile = SITE_FILE,
    as_json: _AsJson = False,
) -> None:
    """Let people, vehicles, or vehicles with their drivers through.

    A permit that names people asks for their face, and for their pass where they carry one; one
    that names vehicles asks for their plate, and one that names both for both.
    """
    with opened(site) as installation:
        store, now = installation.store, installation.clock.now().utc
        wanted = 1 / one_in if one_in else None
        passes = _carry_passes(store, person or [], now)
        terms = _terms(bool(person), bool(vehicle), passes, wanted)
        permit = Permit(
            PermitId(f"permit-{uuid4().hex[:8]}"),
            frozenset(_holders(store, person or [], vehicle or [])),
            frozenset(installation.site.access_point(name) for name in at),
            terms.factors,
            terms.whole,
            liveness,
            installation.site.schedule(schedule) if schedule else None,
            now,
        )
        on_roster = store.credentials.people_with(StorageMode.ROSTER)
        check_room(store, permit.access_points, on_roster & permit.holders, now)
        with store.together():
            store.permits.add(permit)
            installation.records.append(Changed(now, "permit added", permit.id, operator()))
        silent = _without_consent(store, permit, now)
        hindered = hindrances(installation.site, permit)
        void = opens_nowhere(installation.site, permit)
    for name, place in silent:
        warn(f"{name} has not agreed to be recognised at {place}: it will not open for them.")
    for sentence in hindered:
        warn(sentence)
    if as_json:
        show_json(_record(permit))
    else:
        say(f"{permit.id} is kept, but opens nothing." if void else f"{permit.id} is in force.")


@app.command("list")
def list_permits(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every permit."""
    with opened(site) as installation:
        permits = installation.store.permits.all()
        names = _names(installation.store)
    if as_json:
        show_json([_record(permit) for permit in permits])
        return
    if not permits:
        OUT.print("There is no permit: every access point stays shut.")
        return
    columns = ("permit", "who", "where", "when", "asks for", "at most")
    table.show(OUT, columns, [_row(permit, names) for permit in permits])


@app.command("remove")
def remove(
    permit: Annotated[str, typer.Argument(help="The permit's id, as listed.")],
    site: SiteFile = SITE_FILE,
) -> None:
    """Take a permit away; it counts from the next attempt on."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        with installation.store.together():
            installation.store.permits.remove(PermitId(permit))
            installation.records.append(Changed(now, "permit removed", permit, operator()))
    say(f"{permit} is gone.")


def _terms(people: bool, vehicles: bool, passes: bool, wanted: float | None) -> _Terms:
    """What a permit for people, vehicles or both asks for; `wanted` is the bound on the whole."""
    whole = wanted or _WHOLE
    shown = (Ceiling(Factor.PASS, 1.0),) if passes else ()
    if people and vehicles:
        both = (Ceiling(Factor.PLATE, _PLATE), *shown, Ceiling(Factor.FACE, _FACE))
        return _Terms(both, whole)
    # A factor that stands alone is the whole: one bound for both. A pass weighs nothing.
    if passes:
        return _Terms((*shown, Ceiling(Factor.FACE, whole)), whole)
    factor, usual = (Factor.FACE, _ROSTER) if people else (Factor.PLATE, _PLATE)
    return _Terms((Ceiling(factor, wanted or usual),), wanted or usual)


def _carry_passes(store: Store, people: list[str], now: datetime) -> bool:
    """Whether all of these people agreed to carry passes, and to nothing else."""
    standing = store.consents.standing([PersonId(person) for person in people], now)
    modes = [{consent.mode for consent in standing.get(PersonId(p), ())} for p in people]
    return bool(people) and all(m and StorageMode.ROSTER not in m for m in modes)


def _without_consent(store: Store, permit: Permit, now: datetime) -> list[tuple[str, str]]:
    """The people whom the permit cannot let through at a place, as they have not agreed to it."""
    people = [person for person in store.people.all() if person.id in permit.holders]
    return [
        (person.name, place)
        for person in people
        for place in sorted(permit.access_points)
        if not any(consent.holds(place, now) for consent in store.consents.of(person.id))
    ]


def _holders(store: Store, people: list[str], vehicles: list[str]) -> list[Holder]:
    if not people and not vehicles:
        raise invalid("Say who: give --person ID, --vehicle PLATE, or both.")
    found: list[Holder] = [store.people.find(PersonId(person)).id for person in people]
    return found + [store.vehicles.with_plate(plate).id for plate in vehicles]


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


def _blind(site: Site, permit: Permit) -> dict[AccessPointId, Factor]:
    """Access points where no camera sees what a permit asks for, and what that is."""
    found = {}
    for name in sorted(permit.access_points & site.access_points.keys()):
        cameras = [site.cameras[camera] for camera in site.access_points[name].cameras]
        for factor, kind in SEEN.items():
            if permit.requires(factor) and kind not in {camera.sees for camera in cameras}:
                found[name] = factor
    return found


def _row(permit: Permit, names: Mapping[Holder, str]) -> tuple[str, ...]:
    asks = [f"{c.factor} (1 in {1 / c.max_p:,.0f})" for c in permit.factors]
    return (
        permit.id,
        ", ".join(names.get(holder, holder) for holder in sorted(permit.holders)),
        ", ".join(sorted(permit.access_points)),
        "always" if permit.schedule is None else week(permit.schedule),
        ", ".join([*asks, *(["a live person"] if permit.liveness else [])]),
        f"1 in {1 / permit.max_false_accept:,.0f}",
    )


def _names(store: Store) -> dict[Holder, str]:
    names: dict[Holder, str] = {person.id: person.name for person in store.people.all()}
    return names | {vehicle.id: vehicle.plate for vehicle in store.vehicles.all()}


def _record(permit: Permit) -> dict[str, object]:
    until: datetime | None = permit.valid_until
    return {
        "id": permit.id,
        "holders": sorted(permit.holders),
        "access_points": sorted(permit.access_points),
        "factors": {str(c.factor): c.max_p for c in permit.factors},
        "max_false_accept": permit.max_false_accept,
        "liveness": permit.liveness,
        "always": permit.schedule is None,
        "schedule": None if permit.schedule is None else week(permit.schedule),
        "valid_from": permit.valid_from,
        "valid_until": until,
    }
