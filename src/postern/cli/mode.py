"""`postern mode`: lock access points down, hold them open, evacuate; and end it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer

from postern.app.clock import plausible
from postern.app.site import Site
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json, warn
from postern.core.errors import invalid
from postern.core.event import Lifted, Ordered
from postern.core.ids import OrderId
from postern.core.mode import DOES, MAX_BY, Mode, Order
from postern.engine.release import plain

app = typer.Typer(
    help="Lock down, hold open, evacuate; and end it.", no_args_is_help=True, add_completion=False
)
_By = Annotated[str, typer.Option("--by", help="Who orders it, besides whose terminal it is.")]
_SPAN = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@app.command("set")
def set_mode(
    mode: Annotated[Mode, typer.Argument(help="free_flow, lockdown or evacuation.")],
    why: Annotated[str, typer.Option(help="Why; it stands in the record.")],
    access_point: Annotated[
        list[str] | None, typer.Option(help="Where; may be given several times. Else everywhere.")
    ] = None,
    until: Annotated[
        str, typer.Option(help="When it ends, on the site's clocks, as in 2026-12-24 18:00.")
    ] = "",
    span: Annotated[str, typer.Option("--for", help="For how long: 30m, 2h, 3d.")] = "",
    by: _By = "",
    site: SiteFile = SITE_FILE,
) -> None:
    """Order a mode; a service that runs obeys within two seconds."""
    with opened(site) as installation:
        now, place = installation.clock.now().utc, installation.site
        order = Order(
            OrderId(f"order-{uuid4().hex[:8]}"),
            mode,
            frozenset(place.access_point(name) for name in access_point or []),
            _who(by),
            " ".join(why.split()),
            now,
            _end(until, span, now, place.zone),
        )
        where = tuple(sorted(order.access_points))
        with installation.store.together():
            if plausible(now):
                installation.store.modes.forget(now)
            installation.store.modes.add(order)
            installation.records.append(
                Ordered(now, order.id, mode, where, order.by, order.why, order.until)
            )
    for name in _left_as_they_are(place, order):
        warn(f'{name} stays as it is: its evacuation is "stay".')
    say(f"{order.id} is in force: {DOES[mode]}. To end it: postern mode end {order.id}")


@app.command("end")
def end_mode(
    order: Annotated[str, typer.Argument(help="The order's id, as listed.")],
    by: _By = "",
    site: SiteFile = SITE_FILE,
) -> None:
    """End an order; what else was ordered stays in force."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        with installation.store.together():
            installation.store.modes.end(OrderId(order))
            installation.records.append(Lifted(now, OrderId(order), _who(by)))
    say(f"{order} is over.")


@app.command("list")
def list_modes(
    site: SiteFile = SITE_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Show the orders that are in force."""
    with opened(site) as installation:
        now, zone = installation.clock.now().utc, installation.site.zone
        orders = [
            order
            for order in installation.store.modes.all()
            if order.holds(now, trusted=plausible(now))
        ]
    if as_json:
        show_json([_record(order) for order in orders])
        return
    if not orders:
        OUT.print("No order is in force: every access point is as usual.")
        return
    columns = ("order", "mode", "where", "until", "by", "why")
    table.show(OUT, columns, [_row(order, zone) for order in orders])


def _who(by: str) -> str:
    """Whoever is named, and whose terminal it is; a name never takes that one's place."""
    return plain(f"{by} at {operator()}" if by.strip() else operator(), MAX_BY)


def _end(until: str, span: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When an order ends; None where neither is given."""
    if until and span:
        raise invalid("Give either --until or --for.")
    if until:
        return _time(until, zone)
    if not span:
        return None
    found = _SPAN.fullmatch(span)
    if found is None:
        raise invalid(f"{plain(span, 40)!r} is no length of time.", "Write 30m, 2h or 3d.")
    return now + int(found[1]) * _UNITS[found[2]]


def _time(written: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(
            f"{plain(written, 40)!r} is no time.", 'Write it as in "2026-12-24 18:00".'
        ) from None


def _left_as_they_are(site: Site, order: Order) -> list[str]:
    """The access points that an evacuation covers and does not open."""
    if order.mode is not Mode.EVACUATION:
        return []
    return [
        name
        for name, point in site.access_points.items()
        if order.covers(name) and not point.opens_in_evacuation
    ]


def _row(order: Order, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        order.id,
        order.mode,
        ", ".join(sorted(order.access_points)) or "everywhere",
        f"{order.until.astimezone(zone):%Y-%m-%d %H:%M}" if order.until else "it is ended",
        order.by,
        order.why,
    )


def _record(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "mode": order.mode,
        "access_points": sorted(order.access_points),
        "by": order.by,
        "why": order.why,
        "since": order.since,
        "until": order.until,
    }
