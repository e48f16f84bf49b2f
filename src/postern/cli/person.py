"""`postern person`: the people who enrolled, what is kept about them, and forgetting them."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from postern.app.erasure import Erasure, erase
from postern.app.export import Fields
from postern.app.receipt import Made, erasure_receipt
from postern.app.references import ReferenceState
from postern.app.wire import Installation, exports, references, sign_receipt, withdrawals
from postern.app.wording import FIRST, wording
from postern.cli import table
from postern.cli.asker import Asker, WhoWants
from postern.cli.new_file import check_page, new_file
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, confirmed, json_text, say, show_json
from postern.core.errors import Code, PosternError
from postern.core.event import By, Viewed
from postern.core.ids import PersonId
from postern.core.person import Person
from postern.vault.standing import MEANING, Standing

app = typer.Typer(
    help="List the people who enrolled, show what is kept about them, and forget them.",
    no_args_is_help=True,
    add_completion=False,
)
_Person = Annotated[str, typer.Argument(help="The person's id, as listed.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
_Locale = Annotated[str, typer.Option(help="The language of texts, such as de.")]
_EXPORTED = "exported, for the person to see"


@app.command("list")
def list_people(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show everybody who enrolled, until when their consent stands, and their references."""
    with opened(site) as installation:
        now, store = installation.clock.now().utc, installation.store
        zone = installation.site.zone
        people, states = store.people.all(), references(installation)
        standing = store.consents.standing([person.id for person in people], now)
    rows = [
        (
            person,
            max((c.expires for c in standing.get(person.id, ())), default=None),
            states.get(person.id, ()),
        )
        for person in people
    ]
    if as_json:
        show_json([_listed(*row) for row in rows])
        return
    if not rows:
        OUT.print("Nobody has enrolled.")
        return
    shown = []
    for person, until, theirs in rows:
        day = Text(f"{until.astimezone(zone):%Y-%m-%d}") if until else Text("none", "red")
        shown.append((person.name, person.id, day, _standing(theirs)))
    table.show(OUT, ("name", "id", "consent until", "reference"), shown)


@app.command("show")
def show(person: _Person, site: SiteFile = SITE_FILE) -> None:
    """Show what is kept about a person, but for what happened."""
    with opened(site) as installation:
        known = PersonId(person)
        record = exports(installation).kept(known, FIRST)
        # How it stands is no record of anybody: it is found out when it is asked for.
        for one in references(installation).get(known, ()):
            record[f"reference ({one.mode})"] = f"{one.standing}: {MEANING[one.standing]}"
    OUT.print(_drawn(record))


@app.command("export")
def export(
    person: _Person,
    out: Annotated[Path | None, typer.Option(help="A new file; standard output if absent.")] = None,
    locale: _Locale = FIRST,
    site: SiteFile = SITE_FILE,
) -> None:
    """Give a person everything that is kept about them, as JSON.

    That it was looked at is recorded, and stands in it.
    """
    wording(locale)
    with opened(site) as installation, ExitStack() as files:
        known = installation.store.people.find(PersonId(person)).id
        write = files.enter_context(new_file(out)) if out is not None else None
        now = installation.clock.now().utc
        installation.records.append(Viewed(now, known, operator(), _EXPORTED))
        record = exports(installation).all(known, locale, now)
        if write is not None:
            write(json_text(record).encode())
    if out is None:
        show_json(record)
    else:
        say(f"Everything that is kept about them is in {out}.")


@app.command("withdraw")
def withdraw(person: _Person, by: WhoWants = Asker.OPERATOR, site: SiteFile = SITE_FILE) -> None:
    """Take back every consent of a person; their face references are destroyed at once."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        ended = withdrawals(installation).withdraw_all(PersonId(person), By(by), now)
    if ended:
        say("The consent is withdrawn; the face references are destroyed.")
    else:
        say("There is no consent that stands; no face reference is kept.")


@app.command("remove")
def remove(
    person: _Person,
    receipt: Annotated[
        Path | None, typer.Option(help="A new file: a page that says what was destroyed.")
    ] = None,
    locale: _Locale = FIRST,
    site: SiteFile = SITE_FILE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a person: keys, references, passes, consents, and their part in permits."""
    wording(locale)
    if receipt is not None:
        check_page(receipt)
    with opened(site) as installation, ExitStack() as files:
        at, now = installation, installation.clock.now().utc
        # Whoever is gone, and only has traces left, was asked about before.
        names = [one.name for one in at.store.people.all() if one.id == person]
        if names and not yes and not confirmed(f"Forget {names[0]} ({person}) for good?"):
            raise PosternError(Code.UNAUTHORIZED, "Nothing was changed.")
        write = files.enter_context(new_file(receipt)) if receipt is not None else None
        erasure = erase(at.store, at.vault, at.records, PersonId(person), now)
        if write is not None:
            write(_page(at, erasure, locale))
    say("The person is forgotten.")
    if receipt is not None:
        say(f"The receipt is {receipt}.")


def _listed(
    person: Person, until: datetime | None, states: tuple[ReferenceState, ...]
) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "consent_until": until,
        "references": [{"mode": one.mode, "standing": one.standing} for one in states],
    }


def _standing(states: tuple[ReferenceState, ...]) -> Text:
    """How it stands with each reference; what cannot be used stands out."""
    shown = Text()
    for one in states:
        style = "" if one.standing is Standing.READY else "red"
        shown.append("\n" if shown else "").append(f"{one.mode}: {one.standing}", style)
    return shown or Text("none", "dim")


def _page(installation: Installation, erasure: Erasure, locale: str) -> bytes:
    made = Made(wording(locale), erasure.at.astimezone(installation.site.zone))
    page = erasure_receipt(installation.site, erasure, made).page(sign_receipt(installation))
    return page.encode()


def _drawn(record: Fields) -> Table:
    """What is kept, a line for each thing that there is."""
    table = Table("what", "details", show_lines=True)
    for what, kept in record.items():
        for one in kept if isinstance(kept, list) else [kept]:
            table.add_row(what, "\n".join(_lines(one)) if isinstance(one, dict) else str(one))
    return table


def _lines(fields: Fields) -> Iterator[str]:
    """Its fields, but for long texts, which `postern consents show` has."""
    for name, value in fields.items():
        if name != "text":
            shown = "; ".join(map(_item, value)) if isinstance(value, list) else value
            yield f"{name}: {'-' if shown in (None, '') else shown}"


def _item(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return str(value)
