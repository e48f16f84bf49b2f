"""`postern rekey`: new keys for every reference that the site can open by itself."""

import typer

from postern.app.rekey import Rekeyed, rekey, rekeying
from postern.cli.console import progress, say, warn
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.core.event import Rekeyed as Event


def rekey_site(site: SiteFile = SITE_FILE) -> None:
    """Begin a new epoch of the site's keys; the service may run meanwhile.

    Backups from before can no longer be put back. Cut off at any moment, run it again.
    """
    with opened(site) as installation, rekeying(installation.site.data):
        at = installation

        def began(epoch: int) -> None:
            at.records.append(Event(at.clock.now().utc, epoch))

        with progress("Re-keying ...") as bar:
            done = rekey(at.store, at.vault, began, bar.of)
    _tell(done)


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
