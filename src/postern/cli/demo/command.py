"""`postern demo`: two lanes on drawn clips, run as a site is run."""

import tempfile
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.live import Live

from postern.app.wire import Installation, build_service, face_detector, open_site, read_site
from postern.cli.console import ERR, OUT
from postern.cli.demo.report import page
from postern.cli.demo.scene import Cast, expected, populate, write_site
from postern.cli.demo.table import Attempts, draw
from postern.core.errors import Code, PosternError

_TICK_S = 0.25
_TITLE = "A barrier that knows one car, and a door that knows one person"


def demo(
    camera: Annotated[
        int | None, typer.Option(help="A webcam's number in place of the door's clip.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="A recording in place of the barrier's clip.")
    ] = None,
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path(
        "demo-report/index.html"
    ),
) -> None:
    """Watch two gates open and stay shut for the right reasons. Needs no camera and no network.

    Everything it writes is thrown away at the end, but for the report.
    """
    if video is not None and not video.is_file():
        raise PosternError(Code.NOT_FOUND, f"There is no video {video}.")
    cast = Cast(camera=camera, video=video)
    with tempfile.TemporaryDirectory(prefix="postern-demo-") as name:
        folder = Path(name)
        with ERR.status("Drawing the clips ..."):
            site = read_site(write_site(folder, cast))
        with open_site(site, throwaway=True) as installation:
            with ERR.status("Loading the models, registering a car and enrolling a person ..."):
                populate(installation, cast)
            attempts = _watch(installation)
            _write_report(report, page(folder, cast, attempts.rows, face_detector(installation)))
    if cast == Cast():
        _judge(cast, attempts)


def _watch(installation: Installation) -> Attempts:
    """Runs the service until the clips end or somebody stops it."""
    began_s = monotonic()
    with Live(console=OUT, refresh_per_second=4) as live:
        attempts = Attempts(
            lambda: monotonic() - began_s,
            lambda: live.update(draw(attempts.rows, attempts.troubles, _TITLE)),
        )
        live.update(draw((), (), _TITLE))
        service = build_service(installation, attempts)
        service.start()
        try:
            while not service.wait(_TICK_S):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            service.stop()
    return attempts


def _write_report(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The report {path} cannot be written ({error.strerror})."
        ) from None
    ERR.print(f"The report with pictures is {path}.", highlight=False)


def _judge(cast: Cast, attempts: Attempts) -> None:
    """Fails where the demo's own clips did not end as they must."""
    granted = [str(row.outcome.access_point) for row in attempts.rows
               if row.outcome.decision.granted]  # fmt: skip
    found = (granted.count("barrier"), granted.count("door"))
    if found != expected(cast):
        raise PosternError(
            Code.INTERNAL,
            f"The demo should open the barrier and the door {expected(cast)} times; it opened "
            f"them {found} times.",
            "A machine that is very busy can miss frames: try again when it is not.",
        )
