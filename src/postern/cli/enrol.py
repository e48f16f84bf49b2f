"""`postern enrol`: taking somebody in, live and with their consent."""

from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import typer
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from postern.app.wire import Installation, build_enrolment, open_source
from postern.cli.console import ERR, say
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.core.consent import Consent, StorageMode
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Consented, Enrolled
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CameraId, ConsentId, CredentialId, PersonId
from postern.core.look import Kind
from postern.core.person import Person
from postern.engine.enrol import TASKS, Enrolment, Guidance, Presence, gather
from postern.frame import Source, Template


def enrol(
    name: Annotated[str, typer.Argument(help="What the person wants to be called.")],
    camera: Annotated[str, typer.Option(help="A camera of the site that sees faces.")],
    at: Annotated[
        list[str] | None, typer.Option(help="Where the consent holds; everywhere if absent.")
    ] = None,
    site: SiteFile = SITE_FILE,
) -> None:
    """Enrol a person who stands before a camera, after they have agreed.

    Takes three different looks; the person reads the site's consent text first.
    """
    with opened(site) as installation:
        person = Person(PersonId(f"p-{uuid4().hex[:12]}"), name.strip())
        source = _camera(installation, CameraId(camera))
        places = _places(installation, at or [])
        with ERR.status("Loading the models ..."):
            enrolment = build_enrolment(installation)
        ask(installation, person, places)
        keep(installation, person, places, guide(enrolment, source))
    say(f"{person.name} is enrolled as {person.id}.")
    say(f"Let them through with: postern permit add --person {person.id} --at ACCESS_POINT")


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


def keep(
    installation: Installation,
    person: Person,
    places: frozenset[AccessPointId],
    template: Template,
) -> None:
    """Keeps a person with the consent that they gave, and their sealed reference.

    Raises:
        PosternError: As the store's and the vault's own.
    """
    store, now = installation.store, installation.clock.now().utc
    terms = installation.site.consent
    consent = Consent(
        ConsentId(f"consent-{uuid4().hex[:12]}"),
        person.id,
        terms.purpose,
        places,
        terms.text_version,
        StorageMode.ROSTER,
        now,
        now + timedelta(days=terms.valid_days),
    )
    credential = Credential(
        CredentialId(f"face-{person.id}"),
        Factor.FACE,
        person.id,
        True,
        now,
        mode=StorageMode.ROSTER,
    )
    sealed = installation.vault.seal(credential.id, person.id, template)
    with store.together():
        store.people.add(person)
        store.consents.add(consent)
        store.credentials.add(credential, now=now, sealed=sealed.blob)
        store.events.append(Consented(now, consent.id, person.id, consent.text_version))
        store.events.append(Enrolled(now, credential.id, person.id))


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


def ask(installation: Installation, person: Person, places: frozenset[AccessPointId]) -> None:
    """The consent, read and given before any look is taken.

    Raises:
        PosternError: `unauthorized` where the person does not agree.
    """
    terms = installation.site.consent
    ERR.print(
        Panel(
            f"{terms.purpose}\n\nWhere: {', '.join(sorted(places))}. For {terms.valid_days} days, "
            "or until you take it back.\nKept: one sealed template of your face, no picture. You "
            "can see, export and erase it at any time,\nand there is always another way in.",
            title=f"Consent, version {terms.text_version}",
        )
    )
    if not typer.confirm(f"{person.name}, do you agree?", default=False, err=True):
        raise PosternError(
            Code.UNAUTHORIZED, "Nothing was kept: without consent nobody is enrolled."
        )


def _camera(installation: Installation, name: CameraId) -> Source:
    """A camera that a person can stand before."""
    source = open_source(installation, name)
    Presence(installation.store.throwaway).check(source)
    if installation.site.cameras[name].sees is not Kind.FACE:
        raise invalid(
            f"The camera {name} sees plates.", 'Choose one of which site.toml says: sees = "face".'
        )
    return source


def _panel(guidance: Guidance) -> Panel:
    marks = "●" * guidance.taken + "○" * (len(TASKS) - guidance.taken)
    text = Text(f"{marks}  ").append(guidance.task or "thank you", "bold")
    return Panel(text.append(f"\n{guidance.advice}", "yellow"), title="Enrolment")
