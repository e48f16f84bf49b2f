"""`postern enrol`: taking somebody in, live and with their consent."""

from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import typer
from rich.live import Live
from rich.panel import Panel

from postern.app.wire import Installation, build_enrolment, open_source
from postern.cli.console import ERR
from postern.cli.site_option import SITE_FILE, SiteFile, opened
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Consented, Enrolled
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CameraId, ConsentId, CredentialId, PersonId
from postern.core.person import Person
from postern.engine.enrol import TASKS, Guidance, Presence, gather
from postern.frame import Template


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
        source = open_source(installation, CameraId(camera))
        Presence(installation.store.throwaway).check(source)
        places = _places(installation, at or [])
        _ask(installation, person, places)
        try:
            template = _guided(installation, camera)
        finally:
            source.close()
        keep(installation, person, places, template)
    ERR.print(f"{person.name} is enrolled as {person.id}.", highlight=False, markup=False)
    ERR.print(f"Let them through with: postern permit add --person {person.id} --at ACCESS_POINT")


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
        now,
        now + timedelta(days=terms.valid_days),
    )
    credential = Credential(CredentialId(f"face-{person.id}"), Factor.FACE, person.id, True, now)
    sealed = installation.vault.seal(credential.id, person.id, template)
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


def _ask(installation: Installation, person: Person, places: frozenset[AccessPointId]) -> None:
    """The consent, read and given before any look is taken."""
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
        raise invalid("Without consent nothing is kept.")


def _guided(installation: Installation, camera: str) -> Template:
    enrolment = build_enrolment(installation)
    source = open_source(installation, CameraId(camera))
    with Live(_panel(Guidance(0, TASKS[0], "")), console=ERR, refresh_per_second=8) as live:
        try:
            return gather(enrolment, source, lambda guidance: live.update(_panel(guidance)))
        finally:
            source.close()


def _panel(guidance: Guidance) -> Panel:
    marks = "●" * guidance.taken + "○" * (len(TASKS) - guidance.taken)
    advice = f"[yellow]{guidance.advice}[/]" if guidance.advice else ""
    return Panel(f"{marks}  [bold]{guidance.task or 'thank you'}[/]\n{advice}", title="Enrolment")
