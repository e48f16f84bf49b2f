"""`postern enrol`: taking somebody in, live and with their consent."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from postern.app.enrolment import Applicant
from postern.app.pass_drawing import Form
from postern.app.passes import Hand, unwritten
from postern.app.wire import Installation, build_enrolment, enrolments, open_source
from postern.app.wording import FIRST, wording
from postern.cli.consent_panel import ask
from postern.cli.pass_file import pass_file, warn_of_traces
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.cli.terminal import ERR, say
from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import AccessPointId, CameraId, PersonId
from postern.core.look import Kind
from postern.core.person import Person
from postern.engine.enrol import TASKS, Enrolment, Guidance, Presence, gather
from postern.frame import Source, Template


def enrol(
    camera: Annotated[str, typer.Option(help="A camera of the site that sees faces.")],
    name: Annotated[str | None, typer.Argument(help="What the person wants to be called.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Take new looks of somebody known, by their id.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(help="Where the consent holds; as theirs, or everywhere.")
    ] = None,
    mode: Annotated[
        StorageMode | None,
        typer.Option(help="How the reference is kept; as theirs is, or as site.toml says."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file for their pass: .png, .svg or .pdf.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option(help="For a phone, or to print: a phone for .png, else a card.")
    ] = None,
    locale: Annotated[str, typer.Option(help="The language of the consent text.")] = FIRST,
    site: SiteFile = SITE_FILE,
) -> None:
    """Enrol a person who stands before a camera, after they have agreed.

    Takes three different looks; the person reads the site's consent text first.
    """
    wording(locale)
    with opened(site) as installation:
        applicant = _applicant(installation, name, person, mode, at)
        source = live_camera(installation, CameraId(camera), Kind.FACE)
        now = installation.clock.now().utc
        agreed = enrolments(installation).check(applicant, now)
        with _written(installation, applicant, out, form, locale) as hand:
            with ERR.status("Loading the models ..."):
                enrolment = build_enrolment(installation)
            if agreed is None:
                ask(installation.site, applicant, locale)
            else:
                until = agreed.expires.astimezone(installation.site.zone)
                say(f"They agreed already, until {until:%Y-%m-%d} ({agreed.id}).")
            template, now = guide(enrolment, source), installation.clock.now().utc
            kept = enrolments(installation).keep(applicant, template, now, hand)
    warn_of_traces(swept=kept.swept)
    who = applicant.person
    say(f"{who.name} is enrolled as {who.id}.")
    if agreed is None:
        say(f"Their receipt: postern consents receipt {kept.consent.id} --out FILE")
        say(f"Let them through with: postern permit add --person {who.id} --at ACCESS_POINT")


def guide(enrolment: Enrolment, source: Source) -> Template:
    """Takes the looks of whoever stands before a camera, telling them what to do.

    Raises:
        PosternError: As the source's own; `unavailable` where the looks could not be taken.
    """
    with Live(_panel(Guidance(0, TASKS[0], "")), console=ERR, refresh_per_second=8) as live:
        try:
            return gather(enrolment, source, lambda guidance: live.update(_panel(guidance)))
        finally:
            source.close()


def _written(
    installation: Installation,
    applicant: Applicant,
    out: Path | None,
    form: Form | None,
    locale: str,
) -> AbstractContextManager[Hand]:
    """What writes the pass that an enrolment makes, if its mode makes one."""
    if applicant.mode is StorageMode.ROSTER:
        if out is not None or form is not None:
            raise invalid("Whoever is on a roster gets no pass.", "Leave out --out and --form.")
        return nullcontext(unwritten)
    if out is None:
        raise invalid("The pass has to be written to a file.", "Add --out FILE.png")
    return pass_file(out, form, installation.site, locale)


def _applicant(
    installation: Installation,
    name: str | None,
    known: str | None,
    mode: StorageMode | None,
    at: list[str] | None,
) -> Applicant:
    if (name is None) is (known is None):
        raise invalid("Say who: give a name, or --person with the id of somebody known.")
    if known is not None:
        person = installation.store.people.find(PersonId(known))
        wanted = mode or _kept_mode(installation, person)
    else:
        person = Person(PersonId(f"p-{uuid4().hex[:12]}"), (name or "").strip())
        wanted = mode or installation.site.faces.storage
    places = _places(installation, at or [])
    if known is not None and not at:
        places = _agreed_places(installation, person, wanted) or places
    return Applicant(person, wanted, places)


def _kept_mode(installation: Installation, person: Person) -> StorageMode:
    """How the reference of somebody known is kept, or was agreed to be; else as the site does."""
    now = installation.clock.now().utc
    standing = installation.store.consents.standing([person.id], now).get(person.id, ())
    kept = {one.mode for one in installation.store.credentials.of(person.id) if one.mode}
    modes = sorted(kept or {consent.mode for consent in standing})
    if len(modes) > 1:
        raise invalid(
            f"References of this person are kept in {len(modes)} ways.",
            f"Say which one is meant: {' or '.join(f'--mode {mode}' for mode in modes)}",
        )
    return modes[0] if modes else installation.site.faces.storage


def _agreed_places(
    installation: Installation, person: Person, mode: StorageMode
) -> frozenset[AccessPointId]:
    """The places of the consent that somebody known has given and that holds longest."""
    now = installation.clock.now().utc
    standing = installation.store.consents.standing([person.id], now).get(person.id, ())
    fits = [consent for consent in standing if consent.mode is mode]
    latest = max(fits, key=lambda consent: consent.expires, default=None)
    return frozenset() if latest is None else latest.places


def _places(installation: Installation, names: list[str]) -> frozenset[AccessPointId]:
    known = installation.site.access_points
    strange = [name for name in names if name not in known]
    if strange:
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no access point called {strange[0]!r}.",
            f"Known: {', '.join(known)}.",
        )
    return frozenset(AccessPointId(name) for name in names) or frozenset(known)


def live_camera(installation: Installation, name: CameraId, *kinds: Kind) -> Source:
    """A camera that a person can stand before, and that sees one of these kinds.

    Raises:
        PosternError: `not_found` where there is none of that name; `unauthorized` where it is a
            recording; `invalid` where it sees none of them.
    """
    source = open_source(installation, name)
    Presence(installation.store.throwaway).check(source)
    if installation.site.cameras[name].sees not in kinds:
        wanted = " or ".join(f'"{kind}"' for kind in kinds)
        raise invalid(
            f"The camera {name} sees no {' and no '.join(kinds)}.",
            f"Choose one of which site.toml says: sees = {wanted}.",
        )
    return source


def _panel(guidance: Guidance) -> Panel:
    marks = "●" * guidance.taken + "○" * (len(TASKS) - guidance.taken)
    text = Text(f"{marks}  ").append(guidance.task or "thank you", "bold")
    return Panel(text.append(f"\n{guidance.advice}", "yellow"), title="Enrolment")
