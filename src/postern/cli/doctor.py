"""`postern doctor`: whether the machine is fit for its site, and what to mend."""

import os
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.text import Text

from postern.app.finding import Finding, Verdict
from postern.app.kernel_clock import read_clocks
from postern.app.machine import (
    is_served,
    look_at_clock,
    look_at_disk,
    look_at_memory,
    look_at_owner,
    look_at_swap,
)
from postern.app.site import Site, listening
from postern.app.wire import (
    Installation,
    check_models,
    has_store,
    look_at_actuator,
    look_at_keys,
    look_at_models,
    open_site,
    read_site,
    store_finding,
    try_camera,
)
from postern.cli import table
from postern.cli.check import listens_to_others, permit_faults
from postern.cli.site_option import SITE_FILE, SiteArgument, SiteFile
from postern.cli.terminal import ERR, OUT, say
from postern.core.errors import PosternError
from postern.web.server import listen

#: Something has to be mended.
_FAILED = 3
_STYLES = {Verdict.WELL: "green", Verdict.HEED: "yellow", Verdict.MEND: "red"}


def doctor(file: SiteArgument = None, site: SiteFile = SITE_FILE) -> None:
    """Look at the machine, cameras, keys and models of a site; say what to mend, and how."""
    place = read_site(file or site)
    findings = list(_findings(place))
    rows = [(f.subject, _styled(f.verdict), f.sentence, f.remedy) for f in findings]
    table.show(OUT, ("what", "how it is", "what was found", "what to do"), rows)
    to_mend = sum(f.verdict is Verdict.MEND for f in findings)
    say(f"To mend: {to_mend}." if to_mend else "Nothing has to be mended.")
    if to_mend:
        raise typer.Exit(_FAILED)


def _findings(place: Site) -> Iterator[Finding]:
    served = is_served(place.data)
    yield look_at_clock(place.clock.source, read_clocks)
    yield from look_at_disk(_there(place))
    yield look_at_memory()
    yield look_at_swap()
    runs = "It runs." if served else "It does not run."
    yield Finding("service", Verdict.WELL if served else Verdict.HEED, runs)
    yield from _port(place, served=served)
    for camera in place.cameras.values():
        with ERR.status(f"Trying camera {camera.id} ..."):
            yield try_camera(camera, served=served)
    yield from map(look_at_actuator, place.actuators.values())
    for witness in place.witnesses.values():
        said = "Its key is one; whether it answers is told by the service."
        yield Finding(f"witness {witness.name}", Verdict.UNTRIED, said)
    with ERR.status("Looking at the models ..."):
        yield from look_at_models(place)
    yield from _records(place)


def _there(place: Site) -> Path:
    """The data folder, or the nearest one above it that is there."""
    return next(folder for folder in (place.data, *place.data.parents) if folder.exists())


def _port(place: Site, *, served: bool) -> Iterator[Finding]:
    """Whether the service can answer how it is."""
    if place.health.listen is None:
        return
    for sentence in listens_to_others(place):
        yield Finding("health", Verdict.HEED, sentence, "Put a firewall before it.")
    subject = f"port {place.health.listen}"
    if served:
        yield Finding(subject, Verdict.UNTRIED, "The service has it.")
        return
    try:
        host, port = listening(place.health.listen)
        listen(host, port, "Choose another in [health] listen, or end what has it.").close()
    except PosternError as error:
        yield Finding(subject, Verdict.MEND, error.message, error.hint)
    else:
        yield Finding(subject, Verdict.WELL, "It is free.")


def _records(place: Site) -> Iterator[Finding]:
    """Store, keys, log and permits; opened by nobody but the service's user."""
    if not has_store(place):
        yield Finding("store", Verdict.HEED, "Nothing is kept yet; it is made when it is needed.")
        return
    stranger = look_at_owner(place.data, os.geteuid())
    if stranger is not None:
        yield stranger
        return
    try:
        with open_site(place) as installation:
            yield from look_at_keys(place, installation)
            yield from _needed(installation)
            faults = permit_faults(installation)
            for fault in faults:
                yield Finding("permits", Verdict.MEND, fault.message, fault.hint)
            if not installation.store.permits.all():
                said = "There is none: every entry stays shut."
                yield Finding("permits", Verdict.HEED, said, "Add one: postern permit add")
            elif not faults:
                yield Finding("permits", Verdict.WELL, "Each can be met.")
    except PosternError as error:
        yield store_finding(error)


def _needed(installation: Installation) -> Iterator[Finding]:
    """Models that the site needs and does not have."""
    try:
        with ERR.status("Loading the models ..."):
            check_models(installation)
    except PosternError as error:
        yield Finding("models", Verdict.MEND, error.message, error.hint)


def _styled(verdict: Verdict) -> Text:
    return Text(verdict, _STYLES.get(verdict, "dim"))
