"""The option that says which site a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from postern.app.config import site_file
from postern.app.site import Site
from postern.app.wire import Installation, has_store, open_site, read_site
from postern.cli.terminal import warn

SiteFile = Annotated[Path, typer.Option("--site", "-s", help="The site's file.")]
SITE_FILE = site_file()
#: For commands that are about nothing but the site.
SiteArgument = Annotated[
    Path | None, typer.Argument(metavar="[SITE]", help="The same, without the option's name.")
]


@contextmanager
def opened(file: Path) -> Iterator[Installation]:
    """The installation of the site in that file."""
    with opened_site(read_site(file)) as installation:
        yield installation


@contextmanager
def opened_site(site: Site) -> Iterator[Installation]:
    """The installation of a site; where its store is made anew beside a log, that is said."""
    anew = not has_store(site)
    with open_site(site) as installation:
        if anew and (events := installation.records.log.size()):
            warn(f"The store was missing and is empty now, although the log has events: {events}.")
            warn("If it was lost, stop here and put a backup back: postern restore FILE")
        yield installation
