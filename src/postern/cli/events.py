"""`postern events`: what was decided and done, and whether the record of it is whole."""

from dataclasses import fields
from time import perf_counter
from typing import Annotated

import typer

from postern.api.reason import LEAST_WHY, MOST_WHY
from postern.app.records import LEDGER
from postern.app.wire import Installation, witness_keys
from postern.cli import table
from postern.cli.event_words import sentence
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, progress, say, show_json
from postern.cli.verify import tell_absent, unsigned
from postern.core.errors import invalid
from postern.core.event import Event, Viewed
from postern.core.ids import PersonId
from postern.ledger.verify import Verified, verify_log
from postern.store.events import Entry


def events(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")] = 30,
    person: Annotated[
        str | None, typer.Option(help="Only what names this person; needs --reason.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why you look; it is recorded, and the person can see it.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="First check that all of it is what was logged.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    site: SiteFile = SITE_FILE,
) -> None:
    """Show the newest events. People appear under names of the month that lead to nobody."""
    with opened(site) as installation:
        if verify:
            found = verified(installation)
            say(
                f"Entries checked: {found.checkpoint.size:,}. "
                f"Events still kept: {found.contents:,}. All are what was logged."
            )
            tell_absent(found, say)
            if missing := unsigned(found, witness_keys(installation)):
                say(f"This checkpoint is not signed yet by {', '.join(missing)}.")
        entries = _entries(installation, person, reason, limit)
        zone = installation.site.zone
        names = _names(installation, person)
    if as_json:
        show_json([{"id": e.id, "at": e.at, "kind": e.kind, "event": _record(e.event)}
                   for e in entries])  # fmt: skip
        return
    if not entries:
        OUT.print("Nothing is recorded.")
        return

    def name(id_: str) -> str:
        return names.get(id_, id_)

    rows = [
        (e.id, f"{e.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", e.kind, sentence(e.event, name))
        for e in entries
    ]
    table.show(OUT, ("no.", f"when ({zone})", "what", "in words"), rows)


def _names(installation: Installation, person: str | None) -> dict[str, str]:
    """What is shown in place of ids: plates, operators and programs, and the one person whose
    events are asked for."""
    store = installation.store
    names = {str(one.id): one.plate for one in store.vehicles.all()}
    names |= {user.id: user.by for user in store.users.all()}
    names |= {key.id: key.by_name for key in store.api_keys.all()}
    if person is not None:
        names[person] = store.people.find(PersonId(person)).name
    return names


def _entries(
    installation: Installation, person: str | None, reason: str | None, limit: int
) -> tuple[Entry, ...]:
    records, names = installation.records, _names(installation, None)
    if person is None:
        if reason is not None:
            raise invalid("A reason is for looking at one person's events.", "Add --person ID.")
        return records.list(limit=limit, known=names)
    known = installation.store.people.find(PersonId(person)).id
    why = " ".join((reason or "").split())
    if not (LEAST_WHY <= len(why) <= MOST_WHY and why.isprintable()):
        raise invalid(
            "Looking at one person's events needs a reason, which that person can see.",
            f'Add --reason "..." with {LEAST_WHY} to {MOST_WHY} characters.',
        )
    # Recorded before anything is shown.
    records.append(Viewed(installation.clock.now().utc, known, operator(), why))
    return records.list(limit=limit, about=known, known=[known, *names])


def verified(installation: Installation) -> Verified:
    """The record of a site, every entry of it checked with the site's own key, and the signatures
    of its witnesses that are there.

    Raises:
        PosternError: `invalid` with the first thing that does not fit, or where events are gone
            before their time.
    """
    records, site = installation.records, installation.site
    records.settle()
    with progress("Verifying ...") as bar:
        found = verify_log(
            site.data / LEDGER,
            records.log.verifier.vkey,
            perf_counter,
            bar.of,
            witnesses=witness_keys(installation),
        )
    records.check_kept(installation.clock.now().utc - site.retention)
    # What is shown comes from the index: it is made anew of what was checked.
    records.rebuild()
    return found


def _record(event: Event) -> dict[str, object]:
    return {field.name: getattr(event, field.name) for field in fields(event)}
