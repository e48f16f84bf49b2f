"""Events: what was decided and done, and the proofs of it.

Whoever an event names stands there under a name of the month that leads to nobody. One person's or
vehicle's own are shown for a reason only; that somebody looked is recorded before they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol, get_args

from litestar import MediaType, Response, get
from litestar.params import PathParameter, QueryParameter

from postern.api.call import ONE, call
from postern.api.moments import Since, Until, moment
from postern.api.paging import Cursor, Limit, Page, paged, read
from postern.api.reason import Why, stated
from postern.api.version import IfNoneMatch, shown
from postern.core.decision import Reason
from postern.core.event import Event as KeptEvent
from postern.core.ids import EventId
from postern.core.moment import parse_time, time_text
from postern.core.role import Right
from postern.web.caller import Caller
from postern.web.given import Asked, Given
from postern.web.problem import Fault, FieldsError, field

#: What there are events of.
KINDS = tuple(sorted(one.__name__.lower() for one in get_args(KeptEvent)))
_Number = Annotated[int, PathParameter(ge=0, le=2**63 - 1)]
Plain = str | int | bool | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Event:
    """What was decided or done.

    Attributes:
        number: Its number in the log.
        at: When.
        kind: What sort of event it is.
        said: What it says, by field, as the log's own text has it.
    """

    number: int
    at: datetime
    kind: str
    said: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Query:
    """Which events are asked for: those to which all of this applies.

    Attributes:
        kind: What sort of event.
        access_point: Where.
        decision: Why it was granted or denied.
        attempt: Of which attempt.
        holder: Whom they name, by id.
        since: At or after this time.
        until: Before this time.
        before: Older than the event of this time and number.
    """

    kind: str | None
    access_point: str | None
    decision: Reason | None
    attempt: str | None
    holder: str | None
    since: datetime | None
    until: datetime | None
    before: tuple[datetime, int] | None


class Entry(Protocol):
    """An event as it is kept."""

    @property
    def id(self) -> EventId:
        """Its number."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def kind(self) -> str:
        """What sort of event it is."""
        ...

    @property
    def event(self) -> KeptEvent:
        """What it says."""
        ...


class Events(Protocol):
    """What happened. Its methods may be called from any thread."""

    def page(self, query: Query, limit: int) -> Sequence[Entry]:
        """Some of it, newest first; `unavailable`."""
        ...

    def viewed(self, holder: str, by: str, why: str) -> None:
        """Records that somebody looks at a holder's events, and why; `not_found`,
        `unavailable`."""
        ...

    def find(self, number: int) -> Entry:
        """One event; `not_found`, `unavailable`."""
        ...

    def proof(self, number: int) -> bytes:
        """The proof of one event, as a file; `not_found`, `unavailable`."""
        ...


@get("/events", **call("listEvents", "List what happened", Right.READ_LOG))
def list_events(
    request: Asked,
    events: Given[Events],
    caller: Given[Caller],
    kind: Annotated[
        str | None,
        QueryParameter(description="Only of this kind.", schema_extra={"enum": [*KINDS]}),
    ] = None,
    access_point: Annotated[
        str | None, QueryParameter(max_length=64, description="Only what happened here.")
    ] = None,
    decision: Annotated[
        Reason | None,
        QueryParameter(description="Only what was granted or denied for this reason."),
    ] = None,
    attempt: Annotated[
        str | None, QueryParameter(max_length=64, description="Only of this attempt.")
    ] = None,
    since: Since = None,
    until: Until = None,
    holder: Annotated[
        str | None,
        QueryParameter(
            max_length=64,
            description="Only what names this person or vehicle, by id; needs `reason`.",
        ),
    ] = None,
    reason: Why = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[Event]]:
    """Newest first. One holder's own need a reason, which is recorded with who looks, and which
    that person can read; each page is a look."""
    if kind is not None and kind not in KINDS:
        raise FieldsError((Fault("kind", "There are no such events.", f"One of {KINDS}."),))
    query = Query(
        kind, access_point, decision, attempt, holder, moment(since, "since"),
        moment(until, "until"), _before(cursor),
    )  # fmt: skip
    _record_look(events, caller, holder, reason)
    return paged(
        request,
        events.page(query, limit + 1),
        limit,
        lambda one: (time_text(one.at), int(one.id)),
        _event,
    )


@get("/events/{number:int}", **call("getEvent", "Show an event", Right.READ_LOG, refused=ONE))
def get_event(
    events: Given[Events], number: _Number, if_none_match: IfNoneMatch = None
) -> Response[Event]:
    """By its number in the log; whom it names stands under a name that leads to nobody."""
    return shown(_event(events.find(number)), if_none_match)


@get(
    "/events/{number:int}/proof",
    media_type=MediaType.TEXT,
    **call("getProofOfEvent", "Prove an event to others", Right.READ_LOG, refused=ONE),
)
def get_proof(events: Given[Events], number: _Number) -> Response[bytes]:
    """A file (C2SP tlog-proof) that anybody can check offline, with `postern prove --check` too.
    It is there also for an event of which the words have expired."""
    headers = {
        "Content-Disposition": f'attachment; filename="event-{number}.tlog-proof"',
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
    }
    return Response(events.proof(number), status_code=HTTPStatus.OK, headers=headers)


EVENTS = [list_events, get_event, get_proof]


def _before(cursor: str | None) -> tuple[datetime, int] | None:
    match read(cursor, str, int):
        case (str(at), int(number)):
            with field("cursor"):
                return parse_time(at), number
        case _:
            return None


def _record_look(events: Events, caller: Caller, holder: str | None, reason: str | None) -> None:
    if holder is None:
        if reason is not None:
            what = "A reason is for looking at one holder's events."
            raise FieldsError((Fault("reason", what, "Name them with `holder`, or leave it out."),))
        return
    why = stated(reason)
    with field("holder"):
        events.viewed(holder, caller.by, why)


def _event(entry: Entry) -> Event:
    said = {
        one.name: _plain(getattr(entry.event, one.name))
        for one in fields(entry.event)
        if one.name != "at"
    }
    return Event(int(entry.id), entry.at, entry.kind, said)


def _plain(value: object) -> Plain:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool | int) or value is None else str(value)
