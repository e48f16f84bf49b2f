"""`postern console`: the pages and the API of a site."""

import os
import signal
from contextlib import ExitStack
from threading import Event

from postern.app.served import served
from postern.app.site import ConsolePage, listening
from postern.app.wire import Console, build_console
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteArgument, SiteFile, opened
from postern.cli.terminal import ERR
from postern.web.server import Encryption, listen

#: How much less it counts with the kernel than the service, to which somebody at a gate is more.
_NICE = 10


def console(file: SiteArgument = None, site: SiteFile = SITE_FILE) -> None:
    """Serve the console and the API of the site, until Ctrl-C.

    It runs beside `postern run`, in a process of its own: whoever watches or works there keeps
    nobody at a gate waiting.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    os.nice(_NICE)
    with ExitStack() as life:
        installation = life.enter_context(opened(file or site))
        page = installation.site.console
        built = build_console(installation)
        encryption = _encryption(page)
        host, port = listening(page.listen)
        taken = life.enter_context(listen(host, port, "Choose another in [console] listen."))
        serving = served(built.app, taken, "console", lasting=True, encryption=encryption)
        life.enter_context(serving)
        for audience in built.audiences:
            life.callback(audience.dismiss)
        ERR.print(f"The console is at {page.origin}; stop with Ctrl-C.")
        if built.reception.setup.needed():
            _welcome(built)
        stop.wait()


def _welcome(built: Console) -> None:
    """Tells how the first administrator gets in; a code only to whoever sits at the terminal."""
    if not ERR.is_terminal:
        ERR.print("Nobody administers it yet: postern user code")
        return
    code = built.reception.office.codes.for_administrator(operator())
    ERR.print(f"Nobody administers it yet. With this code the first one begins: {code}")


def _encryption(page: ConsolePage) -> Encryption | None:
    if page.certificate is None or page.key_file is None:
        return None
    found = Encryption(page.certificate, page.key_file)
    found.check()
    return found
