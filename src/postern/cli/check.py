"""`postern check`: whether a site's file and installation are sound."""

from rich.table import Table

from postern.app.wire import Installation, face_detector
from postern.cli.console import ERR, OUT
from postern.cli.site_option import SITE_FILE, SiteArgument, opened
from postern.core.errors import invalid
from postern.core.evidence import Factor
from postern.core.permit import Permit
from postern.vision.faces.load import load_calibration


def check(site: SiteArgument = SITE_FILE) -> None:
    """Check the site's file, models and permits; say how many people each permit can carry."""
    with opened(site) as installation:
        place = installation.site
        OUT.print(
            f"[green]{place.file.name} is sound:[/] {len(place.access_points)} access points, "
            f"{len(place.cameras)} cameras, {len(place.schedules)} schedules."
        )
        detector = face_detector(installation)
        floor = load_calibration(detector).floor
        OUT.print(
            f"Face detector: {detector}. A face can prove at best 1 in {1 / floor:,.0f} "
            "(see docs/decisions.md)."
        )
        permits = installation.store.permits.all()
        if not permits:
            ERR.print("There is no permit yet: every entry stays shut. Add one: postern permit add")
            return
        OUT.print(_table(installation, permits, floor))
        _refuse_hopeless(permits, floor)


def _table(installation: Installation, permits: tuple[Permit, ...], floor: float) -> Table:
    table = Table("permit", "asks for", "at most", "people searched there", "can carry")
    for permit in permits:
        asks = " + ".join(str(c.factor) for c in permit.factors)
        searched = max(_searched(installation, str(point)) for point in permit.access_points)
        carries = _carries(permit, floor)
        shown = "-" if carries is None else f"{carries:,}"
        style = "red" if carries is not None and searched > carries else ""
        bound = f"1 in {1 / permit.max_false_accept:,.0f}"
        table.add_row(permit.id, asks, bound, str(searched), shown, style=style)
    return table


def _searched(installation: Installation, access_point: str) -> int:
    """How many faces an attempt there is compared with."""
    now = installation.clock.now().utc
    for name in installation.site.access_points:
        if name == access_point:
            return len(installation.store.credentials.references(name, now))
    return 0


def _carries(permit: Permit, floor: float) -> int | None:
    """How many people may be searched before no face can meet the permit; None without a face."""
    ceilings = [c.max_p for c in permit.factors if c.factor is Factor.FACE]
    if not ceilings:
        return None
    alone = len([c for c in permit.factors if not c.factor.claims]) == 1
    limit = min(*ceilings, permit.max_false_accept) if alone else ceilings[0]
    return int(limit / floor)


def _refuse_hopeless(permits: tuple[Permit, ...], floor: float) -> None:
    hopeless = [permit.id for permit in permits if _carries(permit, floor) == 0]
    if hopeless:
        raise invalid(
            f"No face can ever meet these permits: {', '.join(hopeless)}.",
            f"Ask for no more than 1 in {1 / floor:,.0f}, or add a second factor.",
        )
