"""A whole console of a real site, in a browser's reach on this machine."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postern.app.wire import Console, Installation, build_console, open_site, read_site
from tests.app.live.site import TEXT
from tests.web.serving import serving

NAME, PASSWORD = "maria", "correct horse battery staple"


@dataclass(frozen=True)
class Desk:
    """A console that answers.

    Attributes:
        address: As browsers call it.
        installation: Its site.
        console: Its parts.
    """

    address: str
    installation: Installation
    console: Console

    def code(self) -> str:
        """What makes the first administrator."""
        return self.console.reception.office.codes.for_administrator("terminal:test")


@contextmanager
def desk(folder: Path, text: str = TEXT) -> Iterator[Desk]:
    """The console of a site in that folder, where nobody has been yet.

    Args:
        folder: Where its file and data are.
        text: What the file says.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    file = folder / "site.toml"
    file.write_text(f'{text}\n[console]\nlisten = "127.0.0.1:{port}"\n', "utf-8")
    with open_site(read_site(file)) as installation:
        console = build_console(installation)
        with serving(console.app, port, lasting=True):
            try:
                yield Desk(installation.site.console.origin, installation, console)
            finally:
                for audience in console.audiences:
                    audience.dismiss()
