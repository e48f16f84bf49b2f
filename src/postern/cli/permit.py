"""`postern permit`: who may pass where, when, and how surely they must be recognised."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer

from postern.api.permits import Wish
from postern.app.permits import opens_nowhere
from postern.app.wire import permits
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json, warn
from postern.cli.week import week
from postern.core.errors import invalid
from postern.core.ids import Holder, PermitId
from postern.core.permit import Permit
from postern.store.store import Store

app = typer.Typer(help="Add, list and remove permits.", no_args_is_help=True, add_completion=False)
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


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
    if not person and not vehicle:
        raise invalid("Say who: give --person ID, --vehicle PLATE, or both.")
    with opened(site) as installation:
        kept = permits(installation)
        plates = [installation.store.vehicles.with_plate(plate).id for plate in vehicle or []]
        wish = Wish(at, person or [], plates, schedule or None, one_in, liveness, None, None)
        permit = kept.add(wish, operator())
        warnings = kept.warnings(permit)
        void = opens_nowhere(installation.site, permit)
    for sentence in warnings:
        warn(sentence)
    if as_json:
        show_json(_record(permit))
    else:
        say(f"{permit.id} is kept, but opens nothing." if void else f"{permit.id} is in force.")


@app.command("list")
def list_permits(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every permit."""
    with opened(site) as installation:
        known = installation.store.permits.all()
        names = _names(installation.store)
    if as_json:
        show_json([_record(permit) for permit in known])
        return
    if not known:
        OUT.print("There is no permit: every access point stays shut.")
        return
    columns = ("permit", "who", "where", "when", "asks for", "at most")
    table.show(OUT, columns, [_row(permit, names) for permit in known])


@app.command("remove")
def remove(
    permit: Annotated[str, typer.Argument(help="The permit's id, as listed.")],
    site: SiteFile = SITE_FILE,
) -> None:
    """Take a permit away; it counts from the next attempt on."""
    with opened(site) as installation:
        permits(installation).remove(PermitId(permit), operator())
    say(f"{permit} is gone.")


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
