"""`postern rekey`: new keys for every reference that the site can open by itself."""

from pathlib import Path
from typing import Annotated

import typer

from postern.app.clock import SystemClock
from postern.app.lost_keys import replace_lost_keys
from postern.app.rekey import Rekeyed, rekey, rekeying
from postern.app.wire import read_site
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import confirmed, progress, say, warn
from postern.core.errors import Code, PosternError
from postern.core.event import Rekeyed as Event


def rekey_site(
    site: SiteFile = SITE_FILE,
    keys_lost: Annotated[
        bool,
        typer.Option(
            "--keys-lost",
            help="The file of keys, or the site's key, is lost for good: drop what they opened.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Begin a new epoch of the site's keys; the service may run meanwhile.

    Backups from before can no longer be put back. Cut off at any moment, run it again.
    """
    if keys_lost:
        _begin_anew(site, yes=yes)
        return
    with opened(site) as installation, rekeying(installation.site.data):
        at = installation

        def began(epoch: int) -> None:
            at.records.append(Event(at.clock.now().utc, epoch))

        with progress("Re-keying ...") as bar:
            done = rekey(at.store, at.vault, began, bar.of)
    _tell(done)


def _begin_anew(file: Path, *, yes: bool) -> None:
    site = read_site(file)
    question = f"Drop every face and pass of {site.name}, and enrol everybody again?"
    if not yes and not confirmed(question):
        raise PosternError(Code.UNAUTHORIZED, "Nothing was changed.")
    lost = replace_lost_keys(site, SystemClock(), operator())
    say(f"New keys have begun. People to be enrolled again: {lost.people}.")
    if lost.people:
        say("  postern person list, then: postern enrol --person ID --camera CAMERA")
    if lost.passes:
        say(f"Passes that count no more: {lost.passes}.")
    say("Make a new backup: earlier ones can no longer be put back.")


def _tell(done: Rekeyed) -> None:
    if done.begun:
        say(f"Key epoch {done.epoch} has begun. References sealed anew: {done.renewed}.")
    else:
        say(f"What was cut off is finished. More references sealed anew: {done.renewed}.")
    if done.shared:
        say(f"Shared references, sealed anew at their holders' next visit: {done.shared}.")
    if done.passes:
        say(f"Passes that stay in an earlier epoch until their end: {done.passes}. To move one on:")
        say("  postern pass renew --camera CAMERA --out FILE")
    if done.lost:
        warn(f"References that cannot be opened: {done.lost}. See: postern person list")
    if not done.scrubbed:
        warn("Another program was reading: traces of former keys go with the next one destroyed.")
    say("Make a new backup: earlier ones can no longer be put back.")
    if done.lost:
        raise typer.Exit(3)
