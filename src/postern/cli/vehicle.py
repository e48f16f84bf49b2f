"""`postern vehicle`: the vehicles that may hold permits."""

from typing import Annotated

import typer

from postern.app.wire import vehicles
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json
from postern.core.vehicle import Vehicle, plate_text

app = typer.Typer(
    help="Add, list and remove registered vehicles.", no_args_is_help=True, add_completion=False
)
_Plate = Annotated[
    list[str], typer.Argument(metavar="PLATE", help="The plate, as on the vehicle; blanks may be.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.command("add")
def add(
    plate: _Plate,
    label: Annotated[str, typer.Option(help="What its owner calls it.")] = "",
    site: SiteFile = SITE_FILE,
    as_json: _AsJson = False,
) -> None:
    """Register a vehicle by its plate."""
    text = plate_text(" ".join(plate))
    with opened(site) as installation:
        vehicle = vehicles(installation).add(text, label.strip() or text)
    if as_json:
        show_json(_record(vehicle))
        return
    say(f"{text} is registered as {vehicle.id}.")
    say(f"Let it through with: postern permit add --vehicle {text} --at ACCESS_POINT")


@app.command("list")
def list_vehicles(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every registered vehicle."""
    with opened(site) as installation:
        known = installation.store.vehicles.all()
    if as_json:
        show_json([_record(vehicle) for vehicle in known])
        return
    if not known:
        OUT.print("No vehicle is registered.")
        return
    table.show(OUT, ("plate", "label", "id"), [(v.plate, v.label, v.id) for v in known])


@app.command("remove")
def remove(plate: _Plate, site: SiteFile = SITE_FILE) -> None:
    """Forget a vehicle, its plate and its part in permits."""
    with opened(site) as installation:
        vehicle = installation.store.vehicles.with_plate(" ".join(plate))
        vehicles(installation).remove(vehicle.id, operator())
    say(f"{vehicle.plate} is forgotten.")


def _record(vehicle: Vehicle) -> dict[str, str]:
    return {"id": vehicle.id, "plate": vehicle.plate, "label": vehicle.label}
