"""Events as text: canonical JSON of one version, which reads back to the very same text.

Keys are sorted, there are no blanks, characters stand for themselves, and times are in UTC with
microseconds. A text that is not what this program would have written is refused.
"""

import json
from datetime import datetime
from enum import StrEnum
from typing import TypeVar, assert_never

from postern.core.alarm import Alarm
from postern.core.decision import Reason
from postern.core.errors import PosternError, invalid
from postern.core.event import (
    Acted,
    Alarmed,
    By,
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
from postern.core.evidence import BANDS
from postern.core.ids import (
    AccessPointId,
    AttemptId,
    ConsentId,
    CredentialId,
    Holder,
    OrderId,
    PermitId,
    PersonId,
    VehicleId,
)
from postern.core.mode import Mode
from postern.core.moment import parse_time, time_text

VERSION = 1

Value = str | int | bool | None | list[str]
_WRITER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
Choice = TypeVar("Choice", bound=StrEnum)


def kind(event: Event) -> str:
    """The one word for what sort of event it is."""
    return type(event).__name__.lower()


def encode(event: Event) -> str:
    """The one text of an event.

    Raises:
        PosternError: `invalid` where a field holds what its type does not allow, so that the text
            would not read back to this event.
    """
    head: dict[str, Value] = {"v": VERSION, "kind": kind(event), "at": time_text(event.at)}
    text = _canonical(head | _fields(event))
    if decode(text) != event:
        raise invalid(f"An event of the kind {kind(event)!r} does not survive being written down.")
    return text


def decode(text: str) -> Event:
    """The event that a text stands for.

    Raises:
        PosternError: `invalid` where it is damaged, of another version, or not canonical.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged() from None
    if not isinstance(record, dict):
        raise _damaged()
    if record.get("v") != VERSION:
        raise invalid("An event was written by another version of Postern.", "Update this one.")
    event = _event(_Reader(record))
    head: dict[str, Value] = {"v": VERSION, "kind": kind(event), "at": time_text(event.at)}
    if _canonical(head | _fields(event)) != text:
        raise _damaged()
    return event


def _canonical(record: dict[str, Value]) -> str:
    try:
        text = _WRITER.encode(record)
        text.encode()
    except (TypeError, ValueError):
        raise invalid("An event holds something that cannot be written down.") from None
    return text


def _fields(event: Event) -> dict[str, Value]:
    match event:
        case Decided() | Released() | Acted() | Interrupted():
            return _fields_at_access_point(event)
        case Consented() | Withdrawn() | Erased() | Viewed():
            return _fields_of_person(event)
        case Enrolled(_, credential, holder) | Revoked(_, credential, holder):
            return {"credential": credential, "holder": holder}
        case Alarmed() | Ordered() | Lifted():
            return _fields_of_doors(event)
        case Rekeyed(_, epoch):
            return {"epoch": epoch}
        case Changed(_, what, subject, by):
            return {"what": what, "subject": subject, "by": by}
        case _:
            assert_never(event)


def _fields_of_doors(event: Alarmed | Ordered | Lifted) -> dict[str, Value]:
    match event:
        case Alarmed(_, place, alarm, over):
            return {"access_point": place, "alarm": alarm.value, "over": over}
        case Ordered(_, order, mode, places, by, why, until):
            where: list[str] = [str(place) for place in places]
            end = None if until is None else time_text(until)
            said: dict[str, Value] = {"order": order, "mode": mode.value, "access_points": where}
            return said | {"by": by, "why": why, "until": end}
        case Lifted(_, order, by):
            return {"order": order, "by": by}
        case _:
            assert_never(event)


def _fields_of_person(event: Consented | Withdrawn | Erased | Viewed) -> dict[str, Value]:
    person: dict[str, Value] = {"person": event.person}
    match event:
        case Consented(consent=consent, text_version=text_version):
            return person | {"consent": consent, "text_version": text_version}
        case Withdrawn(consent=consent, by=by):
            return person | {"consent": consent, "by": by.value}
        case Erased():
            return person
        case Viewed(by=who, why=why):
            return person | {"by": who, "why": why}
        case _:
            assert_never(event)


def _fields_at_access_point(
    event: Decided | Released | Acted | Interrupted,
) -> dict[str, Value]:
    place: dict[str, Value] = {"access_point": event.access_point, "attempt": event.attempt}
    match event:
        case Decided():
            return place | _decided(event)
        case Released(by=by, why=why):
            return place | {"by": by, "why": why}
        case Acted(done=done, detail=detail):
            return place | {"done": done, "detail": detail}
        case Interrupted():
            return place
        case _:
            assert_never(event)


def _decided(event: Decided) -> dict[str, Value]:
    # Nothing finer than `band` gives fits in here, neither written nor read.
    if event.band not in range(len(BANDS) + 1):
        raise invalid("An event keeps a chance as one of a few coarse steps.")
    return {
        "reason": event.reason.value,
        "permit": event.permit,
        "holders": [str(holder) for holder in event.holders],
        "band": event.band,
        "passback": event.passback,
    }


class _Reader:
    """One record, read field by field; a missing field or one of another type is damage."""

    def __init__(self, record: dict[str, object]) -> None:
        self._record = record

    def text(self, name: str) -> str:
        value = self._record.get(name)
        if not isinstance(value, str):
            raise _damaged()
        return value

    def time(self, name: str) -> datetime:
        return parse_time(self.text(name))

    def whole(self, name: str) -> int:
        value = self._record.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _damaged()
        return value

    def truth(self, name: str) -> bool:
        value = self._record.get(name)
        if not isinstance(value, bool):
            raise _damaged()
        return value

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        try:
            return kind(self.text(name))
        except ValueError:
            raise _damaged() from None

    def absent(self, name: str) -> bool:
        return name in self._record and self._record[name] is None

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._record.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _damaged()
        return tuple(value)

    def holders(self, name: str) -> tuple[Holder, ...]:
        return tuple(_holder(item) for item in self.texts(name))


def _event(record: _Reader) -> Event:
    at = record.time("at")
    match record.text("kind"):
        case "decided" | "released" | "acted" | "interrupted" as what:
            return _event_at_access_point(what, at, record)
        case "consented" | "withdrawn" | "erased" | "viewed" as what:
            return _event_of_person(what, at, record)
        case "enrolled" | "revoked" as what:
            made = Enrolled if what == "enrolled" else Revoked
            return made(at, CredentialId(record.text("credential")), _holder(record.text("holder")))
        case "alarmed" | "ordered" | "lifted" as what:
            return _event_of_doors(what, at, record)
        case "rekeyed":
            return Rekeyed(at, record.whole("epoch"))
        case "changed":
            return Changed(at, record.text("what"), record.text("subject"), record.text("by"))
        case _:
            raise _damaged()


def _event_of_doors(what: str, at: datetime, record: _Reader) -> Event:
    if what == "alarmed":
        place = AccessPointId(record.text("access_point"))
        return Alarmed(at, place, record.choice("alarm", Alarm), record.truth("over"))
    order, by = OrderId(record.text("order")), record.text("by")
    if what == "lifted":
        return Lifted(at, order, by)
    places = tuple(map(AccessPointId, record.texts("access_points")))
    until = None if record.absent("until") else record.time("until")
    return Ordered(
        at, order, record.choice("mode", Mode), places, by, record.text("why"), until
    )  # fmt: skip


def _event_of_person(what: str, at: datetime, record: _Reader) -> Event:
    if what == "viewed":
        looked_at = _holder(record.text("person"))
        return Viewed(at, looked_at, record.text("by"), record.text("why"))
    person = PersonId(record.text("person"))
    if what == "erased":
        return Erased(at, person)
    consent = ConsentId(record.text("consent"))
    if what == "consented":
        return Consented(at, consent, person, record.text("text_version"))
    return Withdrawn(at, consent, person, record.choice("by", By))


def _event_at_access_point(what: str, at: datetime, record: _Reader) -> Event:
    place, attempt = AccessPointId(record.text("access_point")), AttemptId(record.text("attempt"))
    if what == "acted":
        return Acted(at, place, attempt, record.truth("done"), record.text("detail"))
    if what == "interrupted":
        return Interrupted(at, place, attempt)
    if what == "released":
        return Released(at, place, attempt, record.text("by"), record.text("why"))
    reason = record.choice("reason", Reason)
    permit = None if record.absent("permit") else PermitId(record.text("permit"))
    return Decided(
        at, place, attempt, reason, permit, record.holders("holders"), record.whole("band"),
        record.truth("passback"),
    )  # fmt: skip


def _holder(name: str) -> Holder:
    return VehicleId(name) if name.startswith("v-") else PersonId(name)


def _damaged() -> PosternError:
    return invalid(
        "A kept event is damaged.", "Keep a copy of the folder ledger; see docs/ledger.md."
    )
