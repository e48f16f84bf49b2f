"""`postern consents`: what people agreed to, and taking it back."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from postern.app.consent_text import agreed_text
from postern.app.export import number_of
from postern.app.receipt import Made, consent_receipt, signed_text, state
from postern.app.wire import Installation, sign_receipt, withdrawals
from postern.app.wording import FIRST, wording
from postern.cli import table
from postern.cli.asker import Asker, WhoWants
from postern.cli.consent_panel import draw
from postern.cli.given_file import read_given
from postern.cli.new_file import check_page, new_file
from postern.cli.public_key import key_text
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import OUT, say, show_json
from postern.core.consent import Consent
from postern.core.event import By
from postern.core.ids import ConsentId
from postern.ledger.note import parse_vkey

#: Bytes of a file that are read; a receipt has a hundredth of that.
_MOST = 1_000_000

app = typer.Typer(
    help="Show what people agreed to, and take it back.", no_args_is_help=True, add_completion=False
)
_Id = Annotated[str, typer.Argument(metavar="CONSENT", help="The consent's id, as listed.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
_Locale = Annotated[str, typer.Option(help="The language, such as de.")]


@app.command("list")
def list_consents(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every consent, also those that have ended."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        consents = installation.store.consents.all()
        names = {person.id: person.name for person in installation.store.people.all()}
        made = _made(installation, FIRST)
    if as_json:
        show_json([_record(one, now) for one in consents])
        return
    if not consents:
        OUT.print("Nobody has agreed to anything.")
        return
    rows = []
    for one in consents:
        shown = Text(state(one, made), "" if _in_force(one, now) else "red")
        who, where = names.get(one.person, one.person), ", ".join(sorted(one.places))
        until = f"{made.here(one.expires):%Y-%m-%d}"
        rows.append((one.id, who, one.mode, where, one.text_version, until, shown))
    table.show(OUT, ("consent", "who", "reference", "where", "version", "until", "state"), rows)


@app.command("show")
def show(
    consent: _Id, locale: _Locale = FIRST, site: SiteFile = SITE_FILE, as_json: _AsJson = False
) -> None:
    """Show a consent with the words that the person agreed to."""
    words = wording(locale)
    with opened(site) as installation:
        found = installation.store.consents.find(ConsentId(consent))
        text = agreed_text(found, locale, installation.store.consent_texts)
        made = _made(installation, locale)
    if as_json:
        record = _record(found, made.at)
        show_json({**record, "text": [{"heading": c.heading, "text": c.text} for c in text]})
        return
    given, expires = (words.time(made.here(at)) for at in (found.given, found.expires))
    OUT.print(f"{found.id} ({state(found, made)})", style="bold")
    OUT.print(f"{found.person}: {given} - {expires}, {words.say(f'mode.{found.mode}')}\n")
    OUT.print(draw(text) if text else words.say("receipt.no_text"))


@app.command("withdraw")
def withdraw(
    consent: _Id,
    by: WhoWants = Asker.OPERATOR,
    site: SiteFile = SITE_FILE,
) -> None:
    """Take a consent back; it counts at once, and the keys that it covered are destroyed."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        event = withdrawals(installation).withdraw(ConsentId(consent), By(by), now)
    if event is None:
        say("The consent had ended before; what it covered is destroyed.")
    else:
        say(f"The consent is withdrawn, entry {event} of the log; what it covered is destroyed.")


@app.command("receipt")
def receipt(
    consent: _Id,
    out: Annotated[Path, typer.Option(help="Where the page goes; a new file.")],
    locale: _Locale = FIRST,
    site: SiteFile = SITE_FILE,
) -> None:
    """Make a page that the person can keep: what they agreed to, and how they take it back."""
    wording(locale)
    check_page(out)
    with opened(site) as installation:
        found = installation.store.consents.find(ConsentId(consent))
        with new_file(out) as write:
            page = consent_receipt(
                installation.site,
                installation.store.people.find(found.person),
                found,
                agreed_text(found, locale, installation.store.consent_texts),
                number_of(installation.records, found),
                _made(installation, locale),
            ).page(sign_receipt(installation))
            write(page.encode())
    say(f"The receipt is {out}.")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A receipt, for a consent or for an erasure.")],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="VKEY", help="The site's public key; this site's if absent."),
    ] = None,
    site: SiteFile = SITE_FILE,
) -> None:
    """Check a receipt: show what the site signed of it, whatever else its page shows."""
    page = read_given(file, _MOST, "Name the page that a receipt was written to.")
    if key is None:
        with opened(site) as installation:
            signer = installation.records.log.verifier
    else:
        signer = parse_vkey(key_text(key))
    OUT.print(signed_text(page, signer), soft_wrap=True)
    say(f"This is what the site signed, with the key {signer.vkey}")


def _made(installation: Installation, locale: str) -> Made:
    now = installation.clock.now().utc
    return Made(wording(locale), now.astimezone(installation.site.zone))


def _in_force(consent: Consent, now: datetime) -> bool:
    return consent.withdrawn is None and not consent.expired(now)


def _record(consent: Consent, now: datetime) -> dict[str, object]:
    return {
        "id": consent.id,
        "person": consent.person,
        "purpose": consent.purpose,
        "places": sorted(consent.places),
        "mode": consent.mode,
        "text_version": consent.text_version,
        "given": consent.given,
        "expires": consent.expires,
        "withdrawn": consent.withdrawn,
        "in_force": _in_force(consent, now),
    }
