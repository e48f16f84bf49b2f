"""`postern aim`: placing a camera, with what is measured and what is needed side by side."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Event
from time import sleep
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from postern.app.aiming import TARGETS, UNSEEN, Page, Placing, placings, served
from postern.app.camera_size import said_size, takes_size, write_size
from postern.app.machine import is_served
from postern.app.site import Camera, Site
from postern.app.wire import Aiming, open_aiming, open_veil, read_site
from postern.cli import table
from postern.cli.site_option import SITE_FILE, SiteFile
from postern.cli.terminal import ERR, OUT, confirmed, say, warn
from postern.core.errors import PosternError
from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.vision.aim import GOOD_S, Target

#: What a command ends with: something is to be mended, and Ctrl-C.
_NOT_GOOD, _STOPPED = 3, 130
#: Seconds for which the page is still there once all is good: it shows that, and stays as it is.
_LAST_LOOK_S = 2.5
_COLUMNS = ("what", "now", "needed", "how it is")


def aim(
    camera: Annotated[str, typer.Argument(help="A camera of the site that sees faces or plates.")],
    page: Annotated[
        bool, typer.Option("--page", help="Show the picture, blurred, on a page of this machine.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The page's port; 0 for any free one.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the pictures' size to site.toml unasked.")
    ] = False,
    site: SiteFile = SITE_FILE,
) -> None:
    """Place a camera: see live whether faces or plates are large, sharp and lit enough.

    Nobody is recognised and nothing is kept.
    """
    place = read_site(site)
    with ERR.status("Loading the models ..."):
        aiming = open_aiming(place, CameraId(camera), served=is_served(place.data))
        shown = _page(place, aiming) if page or port is not None else None
    if not aiming.source.live:
        warn(f"The camera {camera} is a recording: this shows what it saw, not what is there now.")
    last, stopped = _watched(aiming, shown, port or 0)
    if last is None:
        raise typer.Exit(_STOPPED)
    _tell(aiming.camera, last)
    if write or last.verdict.good:
        _keep_size(place, aiming.camera, last, unasked=write)
    if not last.verdict.good:
        raise typer.Exit(_STOPPED if stopped else _NOT_GOOD)


def _page(place: Site, aiming: Aiming) -> Page:
    return Page(aiming.camera.id, aiming.camera.sees, open_veil(place), live=aiming.source.live)


def _watched(aiming: Aiming, page: Page | None, port: int) -> tuple[Placing | None, bool]:
    """How the camera stands in the end, None without a picture; and whether it was stopped."""
    last = None
    with _at(page, port), _told(aiming.camera.sees) as tell, _stoppable(aiming) as stopped:
        try:
            for last in placings(aiming.source, aiming.aim, aiming.camera.sees, page):
                tell(last)
                if last.verdict.good:
                    if page is not None:
                        sleep(_LAST_LOOK_S)
                    break
        except PosternError:
            # That nothing was seen until it was stopped is no failure.
            if not stopped.is_set():
                raise
        finally:
            aiming.source.close()
    return last, stopped.is_set()


@contextmanager
def _stoppable(aiming: Aiming) -> Iterator[Event]:
    """Has Ctrl-C end the pictures; set once it was pressed. An exception, which is what it is else,
    can be lost where a library calls back."""
    stopped = Event()

    def stop(*_: object) -> None:
        stopped.set()
        aiming.source.close()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _told(kind: Kind) -> Iterator[Callable[[Placing], None]]:
    """Shows how the camera stands meanwhile, where somebody can see it change."""
    if not ERR.is_terminal:
        yield lambda _placing: None
        return
    with Live(_waiting(), console=ERR, refresh_per_second=8, transient=True) as live:
        yield lambda placing: live.update(_drawn(placing, kind))


@contextmanager
def _at(page: Page | None, port: int) -> Iterator[None]:
    """Serves the page meanwhile, where there is one, and says where."""
    serving: AbstractContextManager[str | None] = nullcontext()
    if page is not None:
        serving = served(page, port)
    with serving as address:
        if address is not None:
            say(f"The picture: {address}")
            say("It is there for this machine only, and as long as this command runs.")
        yield


def _tell(camera: Camera, last: Placing) -> None:
    """Writes the table as it was in the end, the verdict, and the smallest target."""
    if last.target is not None:
        table.show(OUT, _COLUMNS, list(_rows(last.target)))
    what, verdict = TARGETS[camera.sees], last.verdict
    by = "between the eyes" if camera.sees is Kind.FACE else "across its characters"
    if verdict.smallest_px is not None:
        say(f"The smallest {what} seen had {int(verdict.smallest_px)} pixels {by}.")
    if verdict.smallest_good_px is not None:
        say(f"The smallest good one had {int(verdict.smallest_good_px)}.")
    if verdict.good:
        say(f"Good: the camera {camera.id} can stay as it is.")
    else:
        warn(f"Not good yet: no {what} was good for {GOOD_S:.0f} seconds.")


def _keep_size(place: Site, camera: Camera, last: Placing, *, unasked: bool) -> None:
    """Writes the pictures' size to the site's file, once that is wanted."""
    size, file = f"{last.width} x {last.height}", place.file.name
    if not takes_size(camera):
        say(f"Its pictures are {size}; a camera of the kind {camera.kind} is given no size.")
        return
    if said_size(place.file, camera.id) == (last.width, last.height):
        say(f"{file} says already that its pictures are {size}.")
        return
    if not unasked and not confirmed(
        f"Write to {file} that its pictures are {size}, so that another size is told?"
    ):
        return
    write_size(place.file, camera.id, last.width, last.height)
    say(f"{file} says now that its pictures are {size}; it counts from the service's next start.")


def _waiting() -> Panel:
    return Panel(Text("Waiting for the first picture ..."), title="Placing a camera")


def _drawn(placing: Placing, kind: Kind) -> Group:
    """What is measured, and what to do."""
    target, verdict = placing.target, placing.verdict
    if target is None:
        return Group(Panel(Text(UNSEEN[kind], "yellow"), title="Placing a camera"))
    measured = Table(*_COLUMNS[:3], expand=True)
    for name, now, needed, how in _rows(target):
        measured.add_row(name, Text(now, how.style), needed)
    said = Text(target.advice, "yellow")
    if verdict.good:
        said = Text("Good.", "bold green")
    elif target.good:
        said = Text(f"Good for {verdict.good_s:.1f} of {GOOD_S:.0f} seconds.", "green")
    return Group(measured, Panel(said, title="Placing a camera"))


def _rows(target: Target) -> Iterator[tuple[str, str, str, Text]]:
    for one in target.measures:
        how = Text("well", "green") if one.well else Text("not yet", "yellow")
        yield one.name, one.now, one.needed, how if one.needed else Text("")
    yield "in the picture", target.where, "", Text("")
