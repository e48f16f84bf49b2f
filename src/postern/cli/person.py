"""`postern person`: the people who enrolled, and forgetting them."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from postern.app.wire import withdrawals
from postern.cli.console import OUT, say, show_json
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.core.event import By, Changed
from postern.core.ids import PersonId

app = typer.Typer(help="List the people who enrolled, and forget them.", no_args_is_help=True)
_Person = Annotated[str, typer.Argument(help="The person's id, as listed.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.command("list")
def list_people(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show everybody who enrolled, and until when their consent stands."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        rows = []
        for person in installation.store.people.all():
            consents = installation.store.consents.of(person.id)
            standing = [c for c in consents if c.withdrawn is None and c.expires > now]
            until = max((c.expires for c in standing), default=None)
            rows.append((person, until))
    if as_json:
        show_json([{"id": p.id, "name": p.name, "consent_until": until} for p, until in rows])
        return
    table = Table("name", "id", "consent until")
    for person, until in rows:
        shown = Text(f"{until:%Y-%m-%d}") if until else Text("none", "red")
        table.add_row(person.name, person.id, shown)
    OUT.print(table if rows else "Nobody has enrolled.")


@app.command("withdraw")
def withdraw(person: _Person, site: SiteFile = SITE_FILE) -> None:
    """Take back every consent of a person; their face references are destroyed at once."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        ended = withdrawals(installation).withdraw_all(PersonId(person), By.OPERATOR, now)
    if ended:
        say("The consent is withdrawn; the face references are destroyed.")
    else:
        say("There is no consent that stands; no face reference is kept.")


@app.command("remove")
def remove(person: _Person, site: SiteFile = SITE_FILE) -> None:
    """Forget a person: references, consents, and their part in permits."""
    with opened(site) as installation:
        store = installation.store
        store.people.remove(PersonId(person), installation.vault.erase)
        now = installation.clock.now().utc
        store.events.append(Changed(now, "person removed", person, "cli"))
    say("The person is forgotten.")
