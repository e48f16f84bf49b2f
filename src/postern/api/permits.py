"""Permits: who may pass where and when, and how surely they must be recognised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from postern.api.call import CHANGE, NEW, ONE, call
from postern.api.idempotency import IdempotencyKey, Replies, done
from postern.api.moments import moment
from postern.api.paging import Cursor, Limit, Page, paged, read
from postern.api.schedules import Schedule, week
from postern.api.version import IfMatch, IfNoneMatch, Seen, shown, unchanged
from postern.core.evidence import Factor
from postern.core.ids import PermitId
from postern.core.permit import Permit as KeptPermit
from postern.core.role import Right
from postern.core.schedule import Schedule as KeptSchedule
from postern.web.caller import Caller
from postern.web.given import Asked, Given

#: People, vehicles or access points that one permit names, at most.
_MOST_NAMED = 2000
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Names = Annotated[Sequence[_Name], msgspec.Meta(max_length=_MOST_NAMED)]
_Moment = Annotated[str, msgspec.Meta(max_length=40, extra_json_schema={"format": "date-time"})]
_Time = _Moment | None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A factor that is asked for.

    Attributes:
        factor: Which one.
        max_false_accept: The largest chance of taking a stranger for a holder that is accepted
            from it.
    """

    factor: Factor
    max_false_accept: float


@dataclass(frozen=True, slots=True)
class Permit:
    """Who may pass where and when, and how surely they must be recognised.

    Attributes:
        id: Its id.
        people: Whom it lets through, by id.
        vehicles: Likewise.
        access_points: Where.
        factors: What it asks for.
        max_false_accept: The largest chance of taking a stranger for a holder, of all together.
        liveness: Whether it asks for a live person.
        schedule: When it counts; null for always.
        valid_from: When it begins.
        valid_until: When it ends; null for never.
    """

    id: str
    people: Sequence[str]
    vehicles: Sequence[str]
    access_points: Sequence[str]
    factors: Sequence[Ceiling]
    max_false_accept: float
    liveness: bool
    schedule: Schedule | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class PermitAndWarnings:
    """A permit, and what keeps it from letting through whom it names.

    Attributes:
        permit: The permit.
        warnings: Sentences; none where nothing does.
    """

    permit: Permit
    warnings: Sequence[str]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a permit is to say. One that names people asks for their face, and for their pass where
    they carry one; one that names vehicles asks for their plate, and one that names both for both.

    Attributes:
        access_points: Where.
        people: Whom it lets through, by id.
        vehicles: Likewise.
        schedule: The name of a schedule of `site.toml`; always if absent.
        one_in: At most one stranger in so many may pass.
        liveness: Whether it asks for a live person.
        valid_from: When it begins; at once if absent.
        valid_until: When it ends; never if absent.
    """

    access_points: Annotated[
        Sequence[_Name],
        msgspec.Meta(min_length=1, max_length=_MOST_NAMED, examples=[["door"]]),
    ]
    people: _Names = ()
    vehicles: _Names = ()
    schedule: Annotated[str, msgspec.Meta(max_length=120, examples=["office"])] | None = None
    one_in: Annotated[int, msgspec.Meta(ge=2, le=10**9)] | None = None
    liveness: bool = False
    valid_from: _Time = None
    valid_until: _Time = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a permit is to say, with its times read; see `Terms`."""

    access_points: Sequence[str]
    people: Sequence[str]
    vehicles: Sequence[str]
    schedule: str | None
    one_in: int | None
    liveness: bool
    valid_from: datetime | None
    valid_until: datetime | None


class Permits(Protocol):
    """Every permit. Its methods may be called from any thread."""

    @property
    def schedules(self) -> Mapping[str, KeptSchedule]:
        """The schedules of the site, by name."""
        ...

    def page(
        self, holder: str | None, access_point: str | None, after: PermitId | None, limit: int
    ) -> Sequence[KeptPermit]:
        """Some of them, by id; `unavailable`."""
        ...

    def find(self, permit: PermitId) -> KeptPermit:
        """One of them; `not_found`, `unavailable`."""
        ...

    def warnings(self, permit: KeptPermit) -> Sequence[str]:
        """What keeps one from letting through whom it names; `unavailable`."""
        ...

    def add(self, wish: Wish, by: str) -> KeptPermit:
        """Makes one; `FieldsError`, `invalid`, `conflict` for a roster that is full,
        `unavailable`."""
        ...

    def replace(self, permit: PermitId, wish: Wish, by: str, seen: Seen[KeptPermit]) -> KeptPermit:
        """Puts one in the place of another; `not_found`, as `add` and `seen`."""
        ...

    def remove(self, permit: PermitId, by: str, seen: Seen[KeptPermit]) -> None:
        """Takes one away; `not_found`, `unavailable`, as `seen`."""
        ...


@get("/permits", **call("listPermits", "List permits", Right.READ))
def list_permits(
    request: Asked,
    permits: Given[Permits],
    holder: Annotated[
        str | None,
        QueryParameter(max_length=64, description="Only those for this person or vehicle."),
    ] = None,
    access_point: Annotated[
        str | None, QueryParameter(max_length=64, description="Only those that count here.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[Permit]]:
    """By id: everybody's and everywhere, or those of one holder or one access point."""
    key = read(cursor, str)
    after = None if key is None else PermitId(str(key[0]))
    found = permits.page(holder, access_point, after, limit + 1)
    return paged(request, found, limit, lambda one: (one.id,), lambda one: _permit(one, permits))


@get("/permits/{permit:str}", **call("getPermit", "Show a permit", Right.READ, refused=ONE))
def get_permit(
    permits: Given[Permits], permit: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[PermitAndWarnings]:
    """With what keeps it from letting through whom it names, and the version to change it by."""
    return shown(_warned(permits.find(PermitId(permit)), permits), if_none_match)


@post("/permits", **call("addPermit", "Make a permit", Right.PERMIT, refused=NEW))
def add_permit(
    request: Asked,
    permits: Given[Permits],
    replies: Given[Replies],
    caller: Given[Caller],
    data: JSONBody[Terms],
    key: IdempotencyKey = None,
) -> Response[PermitAndWarnings]:
    """It counts from the next attempt on."""
    wish = _wish(data)
    made = done(replies, request, caller, key, data, lambda: permits.add(wish, caller.by).id)
    location = f"{request.url.path}/{made}"
    kept = _warned(permits.find(PermitId(made)), permits)
    return shown(kept, status=HTTPStatus.CREATED, location=location)


@put(
    "/permits/{permit:str}",
    **call("replacePermit", "Change a permit", Right.PERMIT, refused=CHANGE),
)
def replace_permit(
    permits: Given[Permits],
    caller: Given[Caller],
    permit: FromPath[str],
    data: JSONBody[Terms],
    if_match: IfMatch = None,
) -> Response[PermitAndWarnings]:
    """To what is sent, whole; it counts from the next attempt on."""
    seen: Seen[KeptPermit] = unchanged(if_match, lambda one: _warned(one, permits))
    kept = permits.replace(PermitId(permit), _wish(data), caller.by, seen)
    return shown(_warned(kept, permits))


@delete(
    "/permits/{permit:str}",
    **call("removePermit", "Take a permit away", Right.PERMIT, refused=CHANGE),
)
def remove_permit(
    permits: Given[Permits],
    caller: Given[Caller],
    permit: FromPath[str],
    if_match: IfMatch = None,
) -> None:
    """It counts no more from the next attempt on."""
    seen: Seen[KeptPermit] = unchanged(if_match, lambda one: _warned(one, permits))
    permits.remove(PermitId(permit), caller.by, seen)


PERMITS = [list_permits, get_permit, add_permit, replace_permit, remove_permit]


def _wish(terms: Terms) -> Wish:
    return Wish(
        terms.access_points, terms.people, terms.vehicles, terms.schedule, terms.one_in,
        terms.liveness, moment(terms.valid_from, "valid_from"),
        moment(terms.valid_until, "valid_until"),
    )  # fmt: skip


def _warned(kept: KeptPermit, permits: Permits) -> PermitAndWarnings:
    return PermitAndWarnings(_permit(kept, permits), permits.warnings(kept))


def _permit(kept: KeptPermit, permits: Permits) -> Permit:
    names = (name for name, one in permits.schedules.items() if one == kept.schedule)
    people = sorted(one for one in kept.holders if one.startswith("p-"))
    return Permit(
        kept.id,
        people,
        sorted(kept.holders.difference(people)),
        sorted(kept.access_points),
        [Ceiling(one.factor, one.max_p) for one in kept.factors],
        kept.max_false_accept,
        kept.liveness,
        None if kept.schedule is None else week(kept.schedule, next(names, None)),
        kept.valid_from,
        kept.valid_until,
    )
