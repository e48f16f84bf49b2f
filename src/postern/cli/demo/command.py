"""`postern demo`: two lanes on drawn clips, run as a site is run."""

import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.live import Live

from postern.app.wire import (
    Installation,
    face_detector,
    open_service,
    open_site,
    read_site,
    try_recording,
)
from postern.cli.demo.report import page, picture
from postern.cli.demo.scene import (
    LANE,
    Cast,
    enrol_visitor,
    expected,
    populate,
    visitor,
    write_site,
)
from postern.cli.demo.table import Attempts, Row, draw
from postern.cli.events import verified
from postern.cli.terminal import ERR, OUT, say, warn
from postern.core.errors import Code, PosternError
from postern.core.event import Decided
from postern.engine.service import Service

_TICK_S = 0.25
_TITLE = "A barrier that knows one car, and a door that knows one person"
#: What a shell shows of a program that was told to end.
_TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was seen, and whether to the end.

    Attributes:
        attempts: What was decided.
        complete: Whether the clips were played to their end.
    """

    attempts: Attempts
    complete: bool


def demo(
    camera: Annotated[
        int | None, typer.Option(min=0, help="A webcam's number in place of the door's clip.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="A recording in place of the barrier's clip.")
    ] = None,
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path(
        "demo-report/index.html"
    ),
    svg: Annotated[
        Path | None, typer.Option(help="Where a picture of the table goes too, for a README.")
    ] = None,
) -> None:
    """Watch two gates open and stay shut for the right reasons. Needs no camera and no network.

    Everything it writes is thrown away at the end, but for the report.
    """
    # Ended from outside, too, it throws everything away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    show(Cast(camera=camera, video=video), report, svg)


def show(cast: Cast, report: Path, svg: Path | None = None) -> tuple[Row, ...]:
    """Runs the demo with a cast, and writes what came of it.

    Args:
        cast: Who comes.
        report: Where the page goes.
        svg: Where a picture of the table goes too.

    Returns:
        What was decided, in order.

    Raises:
        PosternError: `internal` where drawn clips did not end as they must; `unavailable` where a
            camera failed or a file cannot be written.
    """
    if cast.video is not None and not cast.video.is_file():
        raise PosternError(Code.NOT_FOUND, f"There is no video {cast.video}.")
    for file in filter(None, (report, svg)):
        _make_room(file)
    with tempfile.TemporaryDirectory(prefix="postern-demo-") as name:
        shown = _played(Path(name), cast, report)
    if svg is not None:
        _write(svg, picture(shown.attempts.rows, _TITLE))
    if not shown.complete:
        warn("It was stopped before its end.")
    elif shown.attempts.troubles:
        raise PosternError(Code.UNAVAILABLE, shown.attempts.troubles[-1])
    elif cast.camera is None and cast.video is None:
        _judge(cast, shown.attempts)
    return shown.attempts.rows


def _played(folder: Path, cast: Cast, report: Path) -> _Shown:
    with ERR.status("Drawing the clips ..."):
        site = read_site(write_site(folder, cast))
    fault = try_recording(site, LANE)
    if fault is not None:
        raise fault
    with open_site(site, throwaway=True) as installation:
        with ERR.status("Loading the models, registering a car and enrolling a person ..."):
            populate(installation, cast)
        if cast.camera is not None:
            enrol_visitor(installation)
        shown = _watched(installation, cast)
        text = page(folder, cast, shown.attempts.rows, face_detector(installation))
        logged = _logged(installation)
    _write(report, text)
    say(logged)
    say(f"The report with pictures is {report}.")
    return shown


def _logged(installation: Installation) -> str:
    """What the demo's log has, after all of it was checked."""
    size = verified(installation).checkpoint.size
    events = installation.records.list(limit=size)
    decisions = sum(isinstance(entry.event, Decided) for entry in events)
    return (
        f"The log has {size} entries, {decisions} of them decisions, and all of it verifies. "
        "Whoever was not recognised left no entry."
    )


def _watched(installation: Installation, cast: Cast) -> _Shown:
    """Runs the service until the clips end or somebody stops it."""
    began_s = monotonic()
    attempts = Attempts(lambda: monotonic() - began_s, partial(visitor, cast))
    with ExitStack() as stack:
        with ERR.status("Getting ready ..."):
            service = stack.enter_context(open_service(installation, attempts))
        live = stack.enter_context(Live(console=OUT, refresh_per_second=4))
        began_s = monotonic()
        service.start()
        complete = _followed(service, attempts, live)
    if not OUT.is_terminal:
        OUT.print()  # A live table leaves the cursor at its end.
    return _Shown(attempts, complete)


def _followed(service: Service, attempts: Attempts, live: Live) -> bool:
    """Keeps the table up to date; False where somebody stopped it."""
    try:
        ended = False
        while not ended:
            ended = service.wait(_TICK_S)
            live.update(draw(attempts.rows, attempts.troubles, _TITLE, OUT.width))
    except KeyboardInterrupt:
        return False
    return True


def _make_room(file: Path) -> None:
    """Fails now rather than after a minute."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            pass
    except OSError as error:
        raise _unwritable(file, error) from None


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> PosternError:
    return PosternError(
        Code.UNAVAILABLE,
        f"{file} cannot be written ({error.strerror}).",
        "Choose another place with --report FILE.",
    )


def _judge(cast: Cast, attempts: Attempts) -> None:
    """Fails where the demo's own clips did not end as they must."""
    granted = [str(row.outcome.access_point) for row in attempts.rows
               if row.outcome.decision.granted]  # fmt: skip
    found = (granted.count("barrier"), granted.count("door"))
    if any(opened > wanted for opened, wanted in zip(found, expected(cast), strict=True)):
        raise PosternError(
            Code.INTERNAL,
            f"The demo let in too many: {_openings(found)}, not {_openings(expected(cast))}.",
            "This must never happen: please report it.",
        )
    if found != expected(cast):
        raise PosternError(
            Code.INTERNAL,
            f"The demo has to end with {_openings(expected(cast))}, and had {_openings(found)}.",
            "A machine that is very busy can miss frames: try again when it is not.",
        )


def _openings(times: tuple[int, int]) -> str:
    return "the barrier opened {} and the door {}".format(*map(_often, times))


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")
