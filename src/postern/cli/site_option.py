"""The option that says which site a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from postern.app.wire import Installation, open_site, read_site

SiteFile = Annotated[Path, typer.Option("--site", "-s", help="The site's file.")]
SITE_FILE = Path("site.toml")
#: For commands that are about nothing but the site.
SiteArgument = Annotated[
    Path | None, typer.Argument(metavar="[SITE]", help="The same, without the option's name.")
]


@contextmanager
def opened(file: Path) -> Iterator[Installation]:
    """The installation of the site in that file."""
    with open_site(read_site(file)) as installation:
        yield installation
