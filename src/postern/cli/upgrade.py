"""`postern upgrade`: another version of the program, and the way back."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from postern.app.backup import Restored
from postern.app.clock import SystemClock
from postern.app.duty import alone
from postern.app.upgrade import (
    Order,
    Places,
    Systemd,
    carry_out,
    opened_release,
    snapshot,
    version_of,
)
from postern.app.upgrade.places import CURRENT, PREVIOUS
from postern.app.wire import read_site
from postern.cli.backup import tell_restored
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile
from postern.cli.terminal import ERR, confirmed, say, warn
from postern.core.errors import Code, PosternError, invalid

_UNDER_WAY = PosternError(
    Code.CONFLICT, "An upgrade is under way already.", "Wait for it: postern upgrade --continue"
)


class Step(StrEnum):
    """What an upgrade has a version do with the store, as the service's user."""

    KEEP = "keep"
    BACK = "back"
    RESTORE = "restore"
    FORGET = "forget"


def upgrade(
    release: Annotated[
        str | None, typer.Argument(help="A release's tarball or folder.", show_default=False)
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="The hash that the tarball must have.")
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", help="Return to the version before this one.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on with what was cut off; the service does it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    steady_s: Annotated[
        float,
        typer.Option("--steady", min=0.0, max=600.0, help="Seconds that the new one must stay up."),
    ] = 30.0,
    root: Annotated[
        Path, typer.Option("--root", help="Where Postern was installed with --root.")
    ] = Path("/"),
    step: Annotated[
        Step | None, typer.Option("--step", help="A step of an upgrade, which calls it itself.")
    ] = None,
    site: SiteFile = SITE_FILE,
) -> None:
    """Put a release in the place of the version that runs; where it does not work, go back.

    Cut off at any moment, the one or the other runs, and the service manager goes on.
    """
    if [release is not None, back, go_on].count(True) != 1:
        raise invalid("Say what to do.", "Name a release, or give --back or --continue.")
    if step is not None and release is not None:
        _do(step, release, site)
        return
    places = Places(root.absolute())
    if root == Path("/") and os.geteuid() != 0:
        raise PosternError(
            Code.UNAUTHORIZED, "An upgrade changes what belongs to root.", "Use sudo."
        )
    if places.named(CURRENT) is None:
        raise PosternError(
            Code.NOT_FOUND,
            f"Postern was not installed in {places.folder}.",
            "packaging/install does that.",
        )
    if go_on:
        _go_on(places)
        return
    with alone(places.lock, _UNDER_WAY):
        if places.order() is not None:
            raise _UNDER_WAY
        if release is not None:
            order = _prepared(places, Path(release), sha256, steady_s)
        else:
            order = _returning(places, steady_s, yes=yes)
        places.give(order)
    _carry_out(places)


def _do(step: Step, version: str, file: Path) -> None:
    site, now = read_site(file), SystemClock().now().utc
    done: Restored | None = None
    match step:
        case Step.KEEP:
            snapshot.keep(site, version, now)
        case Step.BACK:
            done = snapshot.go_back(site, version, now, operator())
        case Step.RESTORE:
            done = snapshot.put_back(site, version, now, operator())
        case Step.FORGET:
            snapshot.forget(site, version)
    if done is not None:
        tell_restored(done)


def _go_on(places: Places) -> None:
    with alone(places.lock, _UNDER_WAY):
        outcome = carry_out(places, Systemd(places))
    if outcome is None:
        say("No upgrade is under way.")
    else:
        say(outcome.sentence)


def _prepared(places: Places, release: Path, sha256: str | None, steady_s: float) -> Order:
    """Installs a release beside the version that runs; changes nothing else."""
    origin, manager = _origin(places), Systemd(places)
    with opened_release(release, sha256, places.folder) as folder:
        target = version_of(folder)
        if target == origin:
            raise PosternError(Code.CONFLICT, f"Postern {target} runs here already.")
        # A check that fails already would be taken for the new version's fault.
        manager.command(origin, "check")
        with ERR.status(f"Installing Postern {target} beside {origin} ..."):
            manager.install(folder)
    if not places.has(target):
        raise invalid(f"{release} did not install Postern {target}.", "Get it again.")
    return Order(origin, target, restore=False, steady_s=steady_s)


def _returning(places: Places, steady_s: float, *, yes: bool) -> Order:
    """What there is to do to have the former version again, asked about where it loses anything."""
    origin, target = _origin(places), places.named(PREVIOUS)
    if target is None or not places.has(target) or target == origin:
        raise PosternError(Code.NOT_FOUND, f"There is no version to return to from {origin}.")
    restore = not _reads(places, target)
    if restore:
        warn(f"Postern {target} cannot read the store any more: it gets the one back that it had.")
        warn(f"Whoever enrolled, and what was changed since {origin} came, is lost.")
        if not yes and not confirmed(f"Return to {target}?"):
            raise PosternError(Code.UNAUTHORIZED, "Nothing was changed.")
    return Order(origin, target, restore=restore, steady_s=steady_s)


def _reads(places: Places, version: str) -> bool:
    """Whether a version can use the store as it is; a newer store is refused, and not changed.

    Raises:
        PosternError: `unavailable` where that cannot be told now.
    """
    try:
        Systemd(places).command(version, "permit", "list")
    except PosternError as error:
        if error.retry_helps:
            raise
        return False
    return True


def _origin(places: Places) -> str:
    return places.named(CURRENT) or ""


def _carry_out(places: Places) -> None:
    say("The service is changed over; what opens doors is away for some seconds.")
    with ERR.status("Waiting for the new version to prove itself ..."):
        Systemd(places).carry_out()
    outcome = places.outcome()
    if outcome is None or not outcome.done:
        said = "It was not carried out." if outcome is None else outcome.sentence
        raise invalid(said, "See: journalctl -u postern -u postern-upgrade")
    say(outcome.sentence)
    say("To return: sudo postern upgrade --back")
