"""`postern events`: what was decided and done."""

from dataclasses import fields
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from postern.cli.console import OUT, show_json
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.core.event import Event


def events(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
    site: SiteFile = SITE_FILE,
) -> None:
    """Show the newest events. They name people and vehicles by id only."""
    with opened(site) as installation:
        entries = installation.records.list(limit=limit)
        zone = installation.site.zone
    if as_json:
        show_json(
            [{"id": e.id, "at": e.at, "kind": e.kind, "event": _record(e.event)} for e in entries]
        )
        return
    table = Table("no.", "when", "what", "details")
    for entry in entries:
        details = Text(_words(entry.event)) if entry.event else Text("expired", "dim")
        when = f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        table.add_row(entry.id, when, entry.kind, details)
    OUT.print(table if entries else "Nothing has happened yet.")


def _record(event: Event | None) -> dict[str, object] | None:
    if event is None:
        return None
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _words(event: Event) -> str:
    shown = (
        f"{field.name} {_plain(getattr(event, field.name))}"
        for field in fields(event)
        if field.name not in ("at", "attempt") and getattr(event, field.name) not in (None, (), "")
    )
    return ", ".join(shown)


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
