"""`postern key`: what programs show to use the API."""

from datetime import datetime
from typing import Annotated

import typer

from postern.app.wire import desk, office
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json
from postern.core.api_key import ApiKey
from postern.core.role import Right

app = typer.Typer(
    help="Make, list and revoke keys for programs.", no_args_is_help=True, add_completion=False
)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for: a-z, 0-9.")],
    right: Annotated[
        list[Right], typer.Option(help="What the program may do; may be given several times.")
    ],
    days: Annotated[int, typer.Option(help="For how many days; at most 400.")],
    site: SiteFile = SITE_FILE,
    as_json: _AsJson = False,
) -> None:
    """Make a key. What the program has to show is seen once; nothing can show it again."""
    with opened(site) as installation:
        key, secret = office(desk(installation)).keys.add(name, set(right), days, operator())
    if as_json:
        show_json({**_record(key), "secret": secret})
        return
    OUT.print(secret, soft_wrap=True)
    say(f"{name} counts until {key.expires:%Y-%m-%d}. It is not shown again: keep it in a file")
    say("that only the program can read. It is sent as: Authorization: Bearer KEY")


@app.command("list")
def list_keys(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every key, without what the program shows."""
    with opened(site) as installation:
        keys = office(desk(installation)).keys.all()
        now = installation.clock.now().utc
    if as_json:
        show_json([_record(key) for key in keys])
        return
    if not keys:
        OUT.print("There is no key.")
        return
    rows = [_row(key, now) for key in keys]
    table.show(OUT, ("key", "rights", "until", "last used", "made by"), rows)


@app.command("revoke")
def revoke(name: _Name, site: SiteFile = SITE_FILE) -> None:
    """Take a key back; it counts no more."""
    with opened(site) as installation:
        office(desk(installation)).keys.revoke(name, operator())
    say(f"{name} counts no more.")


def _row(key: ApiKey, now: datetime) -> tuple[str, ...]:
    until = f"{key.expires:%Y-%m-%d}"
    return (
        key.name,
        ", ".join(sorted(key.rights)),
        until if key.holds(now) else f"{until}, over",
        "never" if key.used is None else f"{key.used}",
        key.by,
    )


def _record(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "rights": sorted(key.rights),
        "created": key.created,
        "expires": key.expires,
        "by": key.by,
        "used": key.used,
    }
