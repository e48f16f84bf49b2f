"""`postern run`: the service of a site."""

import signal
from threading import Event, Lock

from rich.console import Console
from rich.text import Text

from postern.app.wire import build_service
from postern.cli.console import ERR
from postern.cli.site_option import SITE_FILE, SiteArgument, opened
from postern.core.ids import CameraId
from postern.core.look import ADVICE
from postern.engine.ports import Outcome

#: Seconds between looks at whether to end.
_TICK_S = 0.5


def run(site: SiteArgument = SITE_FILE) -> None:
    """Watch every camera of the site and open for those who may pass, until Ctrl-C.

    Ends by itself when every camera is a recording that has been played.
    """
    with opened(site) as installation:
        observer = LineObserver(ERR)
        service = build_service(installation, observer)
        stop = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        service.start()
        ERR.print(f"{installation.site.name} is watched; stop with Ctrl-C.", highlight=False)
        while not stop.is_set() and not service.wait(_TICK_S):
            pass
        service.stop()


class LineObserver:
    """Writes one line for every attempt that ends. No name, no score: what a guard may see.

    Args:
        console: Where.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()

    def ended(self, outcome: Outcome) -> None:
        """See `postern.engine.ports.Observer.ended`."""
        granted = outcome.decision.granted
        line = Text(f"{outcome.access_point}: ")
        line.append("granted" if granted else "denied", "bold green" if granted else "bold red")
        line.append(f" ({words(outcome)})")
        if granted:
            line.append(f", {outcome.detail}, {outcome.latency_s * 1e3:.0f} ms after the frame")
        with self._lock:
            self._console.print(line)

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `postern.engine.ports.Observer.health`."""
        style = {"ok": "green", "red": "red"}.get(state, "dim")
        line = Text(f"{camera}: ").append(state, style).append(f" - {sentence}")
        with self._lock:
            self._console.print(line)


def words(outcome: Outcome) -> str:
    """Why an attempt ended as it did, in words."""
    if outcome.flaws:
        return ", ".join(ADVICE[flaw] for flaw in outcome.flaws)
    reason = outcome.decision.reason.value.replace("_", " ")
    return (
        f"{reason}: {outcome.detail}" if outcome.detail and not outcome.decision.granted else reason
    )
