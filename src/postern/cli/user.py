"""`postern user`: who may sign in to the console and the API."""

from typing import Annotated

import typer

from postern.app.wire import desk, office
from postern.cli import table
from postern.cli.operator import operator
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json
from postern.core.role import Role
from postern.core.user import User

app = typer.Typer(
    help="Say who may sign in, and what they may do.", no_args_is_help=True, add_completion=False
)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What they are to type: a-z, 0-9.")],
    role: Annotated[Role, typer.Option(help="What they are there for.")],
    site: SiteFile = SITE_FILE,
    as_json: _AsJson = False,
) -> None:
    """Add a user; the code that is shown lets them set their password, within a day."""
    with opened(site) as installation:
        user, code = office(desk(installation)).users.add(name, role, operator())
    _show_code(user, code, as_json)


@app.command("list")
def list_users(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every user, with what they sign in by."""
    with opened(site) as installation:
        users = office(desk(installation)).users
        found = [(user, users.means(user)) for user in users.all()]
    if as_json:
        show_json([{**_record(user), "signs_in_by": list(means)} for user, means in found])
        return
    if not found:
        OUT.print("There is no user. For the first one: postern user code")
        return
    rows = [
        (
            user.name,
            user.role,
            "yes" if user.enabled else "no",
            ", ".join(means) or "nothing yet",
            f"{user.created:%Y-%m-%d}",
        )
        for user, means in found
    ]
    table.show(OUT, ("user", "role", "may sign in", "by", "since"), rows)


@app.command("disable")
def disable(name: _Name, site: SiteFile = SITE_FILE) -> None:
    """Shut a user out, at once and everywhere."""
    with opened(site) as installation:
        office(desk(installation)).users.disable(name, operator())
    say(f"{name} is shut out. To let them in again: postern user enable {name}")


@app.command("enable")
def enable(name: _Name, site: SiteFile = SITE_FILE) -> None:
    """Let a user sign in again, with what they had."""
    with opened(site) as installation:
        office(desk(installation)).users.enable(name, operator())
    say(f"{name} may sign in.")


@app.command("role")
def give_role(
    name: _Name,
    role: Annotated[Role, typer.Argument(help="What they are there for from now on.")],
    site: SiteFile = SITE_FILE,
) -> None:
    """Give a user another role; they have to sign in again."""
    with opened(site) as installation:
        office(desk(installation)).users.give_role(name, role, operator())
    say(f"{name} is {role} from now on.")


@app.command("reset")
def reset(name: _Name, site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Take away all that a user signs in by; the code that is shown sets a new password."""
    with opened(site) as installation:
        user, code = office(desk(installation)).users.reset(name, operator())
    _show_code(user, code, as_json)


@app.command("code")
def show_code(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show a code that makes an administrator, once, within half an hour.

    It is the first one's way in, and the way back where nobody can administer the site any more.
    """
    with opened(site) as installation:
        code = office(desk(installation)).codes.for_administrator(operator())
    if as_json:
        show_json({"code": code})
        return
    OUT.print(code)
    say("Open the console within 30 minutes and give this code: it makes one administrator.")


def _show_code(user: User, code: str, as_json: bool) -> None:
    if as_json:
        show_json({**_record(user), "code": code})
        return
    OUT.print(code)
    say(f"With this code {user.name} sets a password, within 24 hours. It is not shown again.")
    if not user.enabled:
        say(f"{user.name} is shut out still: postern user enable {user.name}")


def _record(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "enabled": user.enabled,
        "created": user.created,
    }
