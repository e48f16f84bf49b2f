"""`postern run`: the service of a site."""

import signal
from contextlib import ExitStack
from functools import partial
from threading import Event, Lock
from time import monotonic

import typer
from rich.console import Console
from rich.text import Text

from postern.app.records import NOTICE
from postern.app.wire import Installation, open_service, tidy
from postern.cli.console import ERR, say, warn
from postern.cli.site_option import SITE_FILE, SiteArgument, SiteFile, opened
from postern.core.decision import MEANING, Reason
from postern.core.ids import CameraId
from postern.core.look import ADVICE
from postern.engine.ports import Outcome
from postern.engine.service import Service
from postern.engine.supervise import shielded

#: Seconds between looks at whether to end.
_TICK_S = 0.2
#: Seconds between rounds in which what has run out is forgotten.
_TIDY_S = 3600.0
#: What a service manager takes for a failure.
_FAILED = 7


def run(file: SiteArgument = None, site: SiteFile = SITE_FILE) -> None:
    """Watch every camera of the site and open for those who may pass, until Ctrl-C.

    Ends by itself when every camera is a recording that has been played.
    """
    observer = LineObserver(ERR)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened(file or site) as installation, ExitStack() as service_life:
        with ERR.status("Loading the models ..."):
            service = service_life.enter_context(open_service(installation, observer))
        if not installation.store.permits.all():
            warn("There is no permit yet: every entry stays shut. Add one: postern permit add")
        say(f"{installation.site.name} is watched; stop with Ctrl-C.")
        cameras = frozenset(installation.site.cameras)
        service.start()
        _attend(installation, service, stop)
    if stop.is_set():
        say("stopped")
    elif observer.red & cameras:
        raise typer.Exit(_FAILED)


class LineObserver:
    """Writes one line for every attempt that ends. No name, no score: what a guard may see.

    Args:
        console: Where.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()  # Guards the console and the next.
        self._red: frozenset[CameraId] = frozenset()

    @property
    def red(self) -> frozenset[CameraId]:
        """Whose last word was that they failed: cameras, access points, the ledger, witnesses."""
        with self._lock:
            return self._red

    def ended(self, outcome: Outcome) -> None:
        """See `postern.engine.ports.Observer.ended`."""
        granted = outcome.decision.granted
        line = Text(f"{outcome.access_point}: ")
        line.append("granted" if granted else "denied", "bold green" if granted else "bold red")
        line.append(f" ({words(outcome)})")
        if granted:
            line.append(f" {outcome.detail} {outcome.latency_s * 1e3:.0f} ms after the frame.")
        with self._lock:
            self._console.print(line, soft_wrap=True)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `postern.engine.ports.Observer.health`."""
        style = {"ok": "green", "red": "red"}.get(state, "dim")
        line = Text(f"{camera}: ").append(state, style).append(f" - {sentence}")
        with self._lock:
            self._red = self._red | {camera} if state == "red" else self._red - {camera}
            self._console.print(line, soft_wrap=True)


def words(outcome: Outcome) -> str:
    """Why an attempt ended as it did, in words."""
    if outcome.flaws:
        return ", ".join(ADVICE[flaw] for flaw in outcome.flaws)
    decision = outcome.decision
    if decision.reason is Reason.UNAUTHORIZED and decision.permit is None:
        return "not recognised"
    meaning = MEANING[decision.reason]
    return f"{meaning}: {outcome.detail}" if _adds(outcome) else meaning


def _adds(outcome: Outcome) -> bool:
    """Whether the detail says why a grant was not carried out."""
    return bool(outcome.detail) and not outcome.decision.granted


def _attend(installation: Installation, service: Service, stop: Event) -> None:
    """Waits until the service ends or is to stop, and forgets what runs out meanwhile."""
    begun_s = due_s = monotonic()
    while True:
        # The first time at once, and beside the lanes: nobody at a gate waits for it.
        if monotonic() >= due_s:
            due_s = monotonic() + _TIDY_S
            noticed = monotonic() - begun_s >= NOTICE.total_seconds()
            shielded(
                partial(tidy, installation, noticed=noticed),
                lambda why: warn(f"What has run out is still kept: {why}"),
            )
        if stop.is_set() or service.wait(_TICK_S):
            return
