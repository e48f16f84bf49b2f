"""`postern run`: the service of a site."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event
from time import monotonic

import typer

from postern.api.health import health_app
from postern.app.board import Board, Part
from postern.app.clock import SystemClock
from postern.app.clock_trust import ClockTrust
from postern.app.config import service_manager
from postern.app.heartbeat import Heartbeat
from postern.app.live.answering import answering as live_answering
from postern.app.live.feed import Feed
from postern.app.live.window import LiveWindow
from postern.app.metrics import Metrics
from postern.app.monitor import Watched, answering, log_size
from postern.app.records import LEDGER, NOTICE
from postern.app.screen import Screen
from postern.app.site import LogLevel, Site
from postern.app.wire import (
    Installation,
    clock_trust,
    open_service,
    open_site,
    open_way_out,
    read_site,
    tidy,
)
from postern.cli.lines import Lines, open_lines
from postern.cli.site_option import SITE_FILE, SiteArgument, SiteFile, opened_site
from postern.cli.terminal import ERR
from postern.core.errors import PosternError
from postern.engine.observers import Observers
from postern.engine.service import Service
from postern.engine.supervise import shielded

#: Seconds between looks at whether to end.
_TICK_S = 0.2
#: Seconds between tries to open what could not be.
_RETRY_S = 5.0
#: Seconds between rounds in which what has run out is forgotten.
_TIDY_S = 3600.0
#: What a service manager takes for a failure.
_FAILED = 7


def run(file: SiteArgument = None, site: SiteFile = SITE_FILE) -> None:
    """Watch every camera of the site and open for those who may pass, until Ctrl-C.

    Ends by itself when every camera is a recording that has been played. Where the site's data
    cannot be opened, the way out is watched until they can.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    place = read_site(file or site)
    while not stop.is_set():
        with ExitStack() as life:
            try:
                installation = life.enter_context(opened_site(place))
            except PosternError as error:
                _watch_exits(place, error, stop)
                continue
            _watch_all(installation, stop)
            return


def _watch_all(installation: Installation, stop: Event) -> None:
    at = installation.site
    lines = open_lines(at.log, ERR, installation.clock)
    board = Board(at, installation.clock)
    with _serving(installation, lines, board) as (service, trust):
        if not installation.store.permits.all():
            lines.say(
                LogLevel.WARNING,
                "There is no permit yet: every entry stays shut. Add one: postern permit add",
            )
        lines.say(LogLevel.INFO, f"{at.name} is watched; stop with Ctrl-C.")
        _attend(installation, service, trust, lines, stop)
    if stop.is_set():
        lines.say(LogLevel.INFO, "stopped")
    elif board.red(Part.CAMERA):
        raise typer.Exit(_FAILED)


def _watch_exits(place: Site, error: PosternError, stop: Event) -> None:
    """Watches the way out until the site's data can be opened, or it is to stop.

    Raises:
        PosternError: `error` where there is no way out to be watched.
    """
    clock, manager = SystemClock(), service_manager()
    lines, board = open_lines(place.log, ERR, clock), Board(place, clock)
    metrics = Metrics(board, tuple, lambda: None)
    with ExitStack() as parts:
        observer = Observers(lines, board, metrics)
        service = parts.enter_context(open_way_out(place, observer, error))
        lines.say(LogLevel.ERROR, f"Nothing but the way out is watched: {error}")
        app = health_app(Watched(board, metrics, Screen(place)))
        parts.enter_context(answering(place.health, app))
        # Before whoever asks is let go of: relays wait for nobody's question.
        parts.callback(service.stop)
        service.start()
        beat = Heartbeat(service.alive, board.summary, manager)
        parts.callback(beat.stop)
        beat.start()
        # Buttons and fire panels go on without a camera.
        while not stop.wait(_RETRY_S) and not (service.counts and service.wait(0.0)):
            # To begin anew takes seconds, in which nothing is held open.
            if not service.holding and shielded(partial(_opens, place), lambda _why: False):
                return
    manager.stopping()
    if not stop.is_set():
        raise error  # Recordings have been played, and it is as it was.


def _opens(place: Site) -> bool:
    with open_site(place):
        return True


@contextmanager
def _serving(
    installation: Installation, lines: Lines, board: Board
) -> Iterator[tuple[Service, ClockTrust]]:
    """The service, started, with everything that watches it; stopped at the end."""
    at, services, manager = installation.site, list[Service](), service_manager()
    size = log_size(installation.records, at.data / LEDGER, installation.clock)
    metrics = Metrics(board, lambda: services[0].counts if services else (), size)
    feed = Feed(at, board, installation.clock)
    observer = Observers(lines, board, metrics, feed)
    trust = clock_trust(installation, observer)
    with ExitStack() as parts:
        trust.look()
        with ERR.status("Loading the models ..."):
            windows = partial(LiveWindow, feed=feed)
            opened = open_service(installation, observer, trust.trusted, windows)
            service = parts.enter_context(opened)
        services.append(service)
        app = health_app(Watched(board, metrics, Screen(at)))
        parts.enter_context(answering(at.health, app))
        parts.enter_context(live_answering(at.data, feed, service, observer.health))
        # Before whoever asks is let go of: relays wait for nobody's question.
        parts.callback(service.stop)
        service.start()
        beat = Heartbeat(service.alive, board.summary, manager, trust.look)
        parts.callback(manager.stopping)
        parts.callback(beat.stop)
        beat.start()
        yield service, trust


def _attend(
    installation: Installation, service: Service, trust: ClockTrust, lines: Lines, stop: Event
) -> None:
    """Waits until the service ends or is to stop, and forgets what runs out meanwhile."""
    begun_s = due_s = monotonic()
    while True:
        # The first time at once, and beside the lanes: nobody at a gate waits for it.
        if monotonic() >= due_s:
            due_s = monotonic() + _TIDY_S
            noticed = monotonic() - begun_s >= NOTICE.total_seconds()
            shielded(
                partial(tidy, installation, noticed=noticed, trusted=trust.trusted),
                lambda why: lines.say(LogLevel.WARNING, f"What has run out is still kept: {why}"),
            )
        if stop.is_set() or service.wait(_TICK_S):
            return
