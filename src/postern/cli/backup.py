"""`postern backup` and `postern restore`: the store without its keys, in one file."""

from pathlib import Path
from typing import Annotated

import typer

from postern.app.backup import Restored, back_up, check, restore
from postern.app.clock import SystemClock
from postern.app.wire import open_keys, read_site
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import confirmed, say, warn
from postern.core.errors import Code, PosternError


def backup_site(
    file: Annotated[Path, typer.Argument(help="Where to; there must be no file yet.")],
    site: SiteFile = SITE_FILE,
) -> None:
    """Write the store to a file that only this site's key opens; the service may run meanwhile.

    Neither keys nor events are in it.
    """
    with opened(site) as installation:
        now = installation.clock.now().utc
        vault, log = installation.vault, installation.records.log
        size = back_up(installation.site.data, vault, log, file, now)
        epoch, _ = vault.epoch()
    say(f"{file}: {size / 1024:.0f} KiB. Only this site's key opens it: keep that elsewhere.")
    say(f"It can be put back here, beside the present keys, as long as key epoch {epoch} lasts.")


def restore_site(
    file: Annotated[Path, typer.Argument(help="A backup of this site.")],
    site: SiteFile = SITE_FILE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the store; the service must not run.

    Whoever was erased since stays erased, consents taken back since stay so, and references whose
    keys were destroyed stay shut.
    """
    place = read_site(site)
    with open_keys(place) as (vault, log):
        made = check(vault, file)
        question = f"Replace the store of {place.name} by the one of {made:%Y-%m-%d %H:%M} UTC?"
        if not yes and not confirmed(question):
            raise PosternError(Code.UNAUTHORIZED, "Nothing was changed.")
        done = restore(place.data, vault, log, file, SystemClock().now().utc, operator())
    tell_restored(done)


def tell_restored(done: Restored) -> None:
    """Says what became of a backup that was put back."""
    say(f"The store is as it was on {done.created:%Y-%m-%d at %H:%M} UTC; people: {done.people}.")
    if done.erased:
        say(f"People who had been erased since, and were removed again: {done.erased}.")
    if done.taken_back:
        say(f"Consents that were taken back since, and were ended again: {done.taken_back}.")
    if done.dropped:
        say(f"References whose keys were destroyed since, and which were dropped: {done.dropped}.")
    if done.ended:
        say(f"Consents to those, ended as nothing tells why their keys are gone: {done.ended}.")
    if not done.told:
        warn("The log no longer tells all that happened since: consents taken back may stand. Ask.")
    if not done.scrubbed:
        warn("Another program was reading: traces of keys go with the next one destroyed.")
    warn("Permits and vehicles are as they were then, also those removed since: look through them.")
