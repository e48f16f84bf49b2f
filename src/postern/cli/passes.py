"""`postern pass`: issuing passes to people who stand there, and ending them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from postern.app.pass_days import last_day, pass_end
from postern.app.pass_drawing import Form
from postern.app.passes import MODES, Hand, IssuedPass, face_of, pass_of, unwritten
from postern.app.wire import Installation, build_enrolment, passes, read_pass, references
from postern.app.wording import FIRST, wording
from postern.cli import table
from postern.cli.enrol import guide, live_camera
from postern.cli.pass_file import pass_file, warn_of_traces
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import ERR, OUT, say, show_json
from postern.core.consent import Consent, StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId, CredentialId, PersonId
from postern.core.look import Kind
from postern.vault.passes import Pass
from postern.vault.standing import Standing

#: Days; as long as the longest consent.
_MOST_DAYS = 1826

app = typer.Typer(
    help="Issue passes, list them, and end them.", no_args_is_help=True, add_completion=False
)
_Pass = Annotated[str, typer.Argument(metavar="PASS", help="The pass's id, as listed.")]
_Camera = Annotated[str, typer.Option(help="A camera of the site that sees faces.")]
_Reader = Annotated[str, typer.Option(help="A camera of the site that sees faces or passes.")]
_Out = Annotated[Path, typer.Option(help="The file to write it to: .png, .svg or .pdf.")]
_Form = Annotated[
    Form | None, typer.Option(help="For a phone, or to print: a phone for .png, else a card.")
]
_ValidDays = Annotated[
    int | None,
    typer.Option(help="For how many days after today; as long as the consent if absent."),
]
_Locale = Annotated[str, typer.Option(help="The language of the words on it.")]
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]


@app.command("issue")
def issue(
    person: Annotated[str, typer.Argument(help="The person's id, as listed.")],
    camera: _Camera,
    out: _Out,
    form: _Form = None,
    valid_days: _ValidDays = None,
    locale: _Locale = FIRST,
    site: SiteFile = SITE_FILE,
) -> None:
    """Make a new pass for somebody who agreed and stands before a camera.

    The one that they had counts no more: the site has no copy, so that new looks are taken.
    """
    wording(locale)
    with opened(site) as installation:
        consent = agreed(installation, PersonId(person))
        until = _until(installation, consent, valid_days)
        with pass_file(out, form, installation.site, locale) as hand:
            issued = renew(installation, consent, CameraId(camera), until, hand)
        _handed_over(installation, issued, out)


@app.command("renew")
def renew_shown(
    camera: _Reader,
    out: _Out,
    form: _Form = None,
    valid_days: _ValidDays = None,
    locale: _Locale = FIRST,
    site: SiteFile = SITE_FILE,
) -> None:
    """Make a new pass for whoever holds up theirs, which counts no more; no looks are taken.

    With it the pass moves on to the present epoch of the site's keys.
    """
    wording(locale)
    with opened(site) as installation:
        with pass_file(out, form, installation.site, locale) as hand:
            with ERR.status("Hold up the pass ..."):
                read = held_up(installation, CameraId(camera))
            issued = renewed(installation, read, valid_days, hand)
        _handed_over(installation, issued, out)


@app.command("list")
def list_passes(site: SiteFile = SITE_FILE, as_json: _AsJson = False) -> None:
    """Show every pass that has not expired: whose it is, and whether it counts."""
    with opened(site) as installation:
        rows = [_record(installation, one) for one in passes(installation).all()]
        names = {str(person.id): person.name for person in installation.store.people.all()}
        zone = installation.site.zone
    if as_json:
        show_json(rows)
        return
    if not rows:
        OUT.print("There is no pass.")
        return
    shown = []
    for row in rows:
        whose = names.get(str(row["person"]), str(row["person"]))
        state = Text(str(row["state"]), "" if row["state"] == "counts" else "red")
        shown.append((str(row["id"]), whose, str(row["kept"]), _day(row, zone), state))
    table.show(OUT, ("pass", "whose", "kept", "last day", "state"), shown)


@app.command("show")
def show(pass_id: _Pass, site: SiteFile = SITE_FILE) -> None:
    """Show what the site keeps of a pass, as JSON; what the pass carries is not among it."""
    with opened(site) as installation:
        show_json(_record(installation, passes(installation).find(CredentialId(pass_id))))


@app.command("revoke")
def revoke(pass_id: _Pass, site: SiteFile = SITE_FILE) -> None:
    """End a pass at once, because it was lost or is not wanted: its key is destroyed."""
    with opened(site) as installation:
        now = installation.clock.now().utc
        counted = passes(installation).revoke(CredentialId(pass_id), now)
    say("The pass counts no more." if counted else "The pass counted no more before.")


def agreed(
    installation: Installation, person: PersonId, mode: StorageMode | None = None
) -> Consent:
    """The consent that a pass can be issued by: the one that holds longest.

    Args:
        installation: The site's.
        person: Whose pass it is.
        mode: How its reference is kept; where it is None, as that of the pass that they have, or
            in any way that they have agreed to.

    Raises:
        PosternError: `not_found` for somebody unknown; `unauthorized` where they have not agreed
            to carry such a pass.
    """
    known, now = installation.store.people.find(person), installation.clock.now().utc
    standing = installation.store.consents.standing([known.id], now).get(known.id, ())
    carried = {one.mode for one in installation.store.credentials.of(known.id)}
    wanted = {mode} if mode else {StorageMode.PASS, StorageMode.SHARED}
    fits = [consent for consent in standing if consent.mode in wanted]
    if not fits:
        raise PosternError(
            Code.UNAUTHORIZED,
            "This person has not agreed to carry a pass.",
            f"Ask them: postern enrol --person {person} --mode {mode or StorageMode.PASS} "
            "--camera CAMERA --out FILE.png",
        )
    return max(fits, key=lambda consent: (consent.mode in carried, consent.expires))


def renew(
    installation: Installation,
    consent: Consent,
    camera: CameraId,
    until: datetime,
    hand: Hand = unwritten,
) -> IssuedPass:
    """A new pass for whoever stands before a camera; the one that they had counts no more.

    Raises:
        PosternError: As `live_camera`, `guide` and `Passes.issue`.
    """
    source = live_camera(installation, camera, Kind.FACE)
    with ERR.status("Loading the models ..."):
        enrolment = build_enrolment(installation)
    template, now = guide(enrolment, source), installation.clock.now().utc
    return passes(installation).issue(consent.person, template, consent.mode, until, now, hand)


def held_up(installation: Installation, camera: CameraId) -> Pass:
    """The pass that is held up to a camera.

    Raises:
        PosternError: As `live_camera` and `read_pass`.
    """
    source = live_camera(installation, camera, Kind.FACE, Kind.PASS)
    try:
        return read_pass(installation, source)
    finally:
        source.close()


def renewed(
    installation: Installation, read: Pass, valid_days: int | None, hand: Hand = unwritten
) -> IssuedPass:
    """A new pass in place of one that was held up.

    Raises:
        PosternError: `conflict` where its reference needs new looks; as `agreed` and
            `Passes.renew`.
    """
    office = passes(installation)
    person = PersonId(office.find(pass_of(read.handle)).holder)
    for state in references(installation).get(person, ()):
        spoilt = state.standing is Standing.NEEDS_NEW_LOOKS
        if spoilt and state.credential == face_of(read.handle):
            raise PosternError(
                Code.CONFLICT,
                "Another model made the reference of this pass: a new one would open nothing.",
                f"Take new looks: postern pass issue {person} --camera CAMERA --out FILE.png",
            )
    consent = agreed(installation, person, MODES[read.sort])
    until, now = _until(installation, consent, valid_days), installation.clock.now().utc
    return office.renew(read, until, now, hand)


def _handed_over(installation: Installation, issued: IssuedPass, out: Path) -> None:
    day = last_day(issued.until, installation.site.zone)
    say(f"The pass {issued.credential.id} counts until the end of {day}.")
    warn_of_traces(swept=issued.swept)
    say(f"{out} is the only copy: hand it over, and delete it here.")


def _until(installation: Installation, consent: Consent, valid_days: int | None) -> datetime:
    if valid_days is not None and not 1 <= valid_days <= _MOST_DAYS:
        raise invalid(f"A pass counts for 1 to {_MOST_DAYS} days.")
    now, zone = installation.clock.now().utc, installation.site.zone
    return pass_end(consent.expires, now, zone, valid_days)


def _record(installation: Installation, shown: Credential) -> dict[str, object]:
    person, now = PersonId(shown.holder), installation.clock.now().utc
    face = passes(installation).face(shown)
    standing = installation.store.consents.standing([person], now).get(person, ())
    if not shown.enabled:
        state = "revoked"
    elif shown.valid_until is None or not now < shown.valid_until:
        state = "expired"
    elif face is None or not any(consent.mode is face.mode for consent in standing):
        state = "without consent"
    else:
        state = "counts"
    kept = {StorageMode.PASS: "on the pass", StorageMode.SHARED: "at the site, shut"}
    return {
        "id": shown.id,
        "person": person,
        "kept": kept.get(face.mode, "") if face is not None and face.mode else "nothing",
        "issued": shown.valid_from,
        "until": shown.valid_until,
        "state": state,
    }


def _day(row: dict[str, object], zone: ZoneInfo) -> str:
    until = row["until"]
    return str(last_day(until, zone)) if isinstance(until, datetime) else ""
