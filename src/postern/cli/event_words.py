"""What happened, in one sentence; whoever is not known by a name stands under their pseudonym."""

from collections.abc import Callable
from typing import assert_never

from postern.core.alarm import ALARMED
from postern.core.decision import GRANTS, MEANING
from postern.core.event import (
    Acted,
    Alarmed,
    Changed,
    Consented,
    Decided,
    Enrolled,
    Erased,
    Event,
    Interrupted,
    Lifted,
    Ordered,
    Rekeyed,
    Released,
    Revoked,
    Viewed,
    Withdrawn,
)

#: What an id is called on the screen.
Name = Callable[[str], str]


def sentence(event: Event, name: Name) -> str:
    """An event in words."""
    match event:
        case Decided() | Released() | Acted() | Interrupted():
            return _at_access_point(event, name)
        case Consented() | Withdrawn() | Erased() | Viewed():
            return _of_person(event, name)
        case Enrolled(_, credential, holder):
            return f"{name(holder)} has the credential {credential}"
        case Revoked(_, credential, holder):
            return f"the credential {credential} of {name(holder)} counts no more"
        case Alarmed() | Ordered() | Lifted():
            return _of_doors(event)
        case Rekeyed() | Changed():
            return _of_site(event, name)
        case _:
            assert_never(event)


def _of_doors(event: Alarmed | Ordered | Lifted) -> str:
    match event:
        case Alarmed(_, place, alarm, over):
            return f"{place}: {alarm} is over" if over else f"{place}: {alarm}, {ALARMED[alarm]}"
        case Ordered(_, order, mode, places, by, why, until):
            where = ", ".join(places) or "everywhere"
            end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
            return f"{where}: {mode} by {by}{end}: {why} ({order})"
        case Lifted(_, order, by):
            return f"the order {order} is ended by {by}"
        case _:
            assert_never(event)


def _of_site(event: Rekeyed | Changed, name: Name) -> str:
    match event:
        case Rekeyed(_, epoch):
            return f"key epoch {epoch} of the site begins"
        case Changed(_, what, subject, by):
            about = f": {name(subject)}" if subject else ""
            return f"{what}{about} ({by})"
        case _:
            assert_never(event)


def _at_access_point(event: Decided | Released | Acted | Interrupted, name: Name) -> str:
    match event:
        case Decided():
            return _decided(event, name)
        case Released(access_point=place, by=by, why=why):
            return f"{place}: opened by {by}{f': {why}' if why else ''}"
        case Acted(access_point=place, done=done, detail=detail):
            return f"{place}: {'moved' if done else 'did not move'} ({detail})"
        case Interrupted(access_point=place):
            return f"{place}: cut short, whether it moved is not known"
        case _:
            assert_never(event)


def _decided(event: Decided, name: Name) -> str:
    outcome = "granted" if event.reason in GRANTS else "denied"
    who = f" to {', '.join(map(name, event.holders))}" if event.holders else ""
    broken = "; against anti-passback" if event.passback else ""
    return f"{event.access_point}: {outcome}{who} ({MEANING[event.reason]}{broken})"


def _of_person(event: Consented | Withdrawn | Erased | Viewed, name: Name) -> str:
    who = name(event.person)
    match event:
        case Consented(consent=consent, text_version=version):
            return f"{who} agrees to the text {version} ({name(consent)})"
        case Withdrawn(consent=consent, by=by):
            return f"{who}: the consent {name(consent)} ends ({by})"
        case Erased():
            return f"everything about {who} is destroyed"
        case Viewed(by=by, why=why):
            return f"{by} looks at the events of {who}: {why}"
        case _:
            assert_never(event)
