"""Vehicles: what is registered by its plate, and forgetting it."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Protocol

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from postern.api.call import CHANGE, NEW, ONE, call
from postern.api.idempotency import IdempotencyKey, Replies, done
from postern.api.paging import Cursor, Limit, Page, paged, read
from postern.api.version import IfMatch, IfNoneMatch, Seen, shown, unchanged
from postern.core.ids import VehicleId
from postern.core.person import MAX_NAME, check_name
from postern.core.role import Right
from postern.core.vehicle import Vehicle as KeptVehicle
from postern.core.vehicle import plate_part, plate_text
from postern.web.caller import Caller
from postern.web.given import Asked, Given
from postern.web.problem import field

#: Characters of a plate as somebody writes it, with blanks and dashes.
_MOST_WRITTEN = 32


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that is registered.

    Attributes:
        id: Its id.
        plate: Its plate, capitals and digits.
        label: What its owner calls it.
    """

    id: str
    plate: str
    label: str


class NewVehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vehicle that is to be registered."""

    plate: Annotated[
        str,
        msgspec.Meta(
            max_length=_MOST_WRITTEN, examples=["B 123 ABC"],
            description="As on the vehicle; blanks, dashes and small letters are allowed.",
        ),
    ]  # fmt: skip
    label: Annotated[
        str,
        msgspec.Meta(
            max_length=MAX_NAME, examples=["the green van"],
            description="What its owner calls it; its plate if absent.",
        ),
    ] = ""  # fmt: skip


class Vehicles(Protocol):
    """Every vehicle that is registered. Its methods may be called from any thread."""

    def page(self, containing: str, after: str | None, limit: int) -> Sequence[KeptVehicle]:
        """Some of them, by their plates; `unavailable`."""
        ...

    def find(self, vehicle: VehicleId) -> KeptVehicle:
        """One of them; `not_found`, `unavailable`."""
        ...

    def add(self, plate: str, label: str, by: str) -> KeptVehicle:
        """Registers one; `invalid`, `conflict` where its plate is, `unavailable`."""
        ...

    def remove(self, vehicle: VehicleId, by: str, seen: Seen[KeptVehicle]) -> None:
        """Forgets one; `not_found`, `unavailable`, as `seen`."""
        ...


@get("/vehicles", **call("listVehicles", "List vehicles, or find some by plate", Right.READ))
def list_vehicles(
    request: Asked,
    known_vehicles: Given[Vehicles],
    plate: Annotated[
        str,
        QueryParameter(max_length=_MOST_WRITTEN, description="A part of the plate."),
    ] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[Vehicle]]:
    """By plate."""
    with field("plate"):
        part = plate_part(plate)
    key = read(cursor, str)
    found = known_vehicles.page(part, None if key is None else str(key[0]), limit + 1)
    return paged(request, found, limit, lambda one: (one.plate,), _vehicle)


@get("/vehicles/{vehicle:str}", **call("getVehicle", "Show a vehicle", Right.READ, refused=ONE))
def get_vehicle(
    known_vehicles: Given[Vehicles], vehicle: FromPath[str], if_none_match: IfNoneMatch = None
) -> Response[Vehicle]:
    """With the version to remove it by."""
    return shown(_vehicle(known_vehicles.find(VehicleId(vehicle))), if_none_match)


@post("/vehicles", **call("addVehicle", "Register a vehicle", Right.ENROL, refused=NEW))
def add_vehicle(
    request: Asked,
    known_vehicles: Given[Vehicles],
    replies: Given[Replies],
    caller: Given[Caller],
    data: JSONBody[NewVehicle],
    key: IdempotencyKey = None,
) -> Response[Vehicle]:
    """By its plate, which is its credential. What lets it through is a permit."""
    with field("plate"):
        plate = plate_text(data.plate)
    label = data.label.strip() or plate
    with field("label"):
        check_name(label)
    made = done(
        replies, request, caller, key, data, lambda: known_vehicles.add(plate, label, caller.by).id
    )
    vehicle = _vehicle(known_vehicles.find(VehicleId(made)))
    location = f"{request.url.path}/{vehicle.id}"
    return shown(vehicle, status=HTTPStatus.CREATED, location=location)


@delete(
    "/vehicles/{vehicle:str}",
    **call("removeVehicle", "Forget a vehicle", Right.ERASE, refused=CHANGE),
)
def remove_vehicle(
    known_vehicles: Given[Vehicles],
    caller: Given[Caller],
    vehicle: FromPath[str],
    if_match: IfMatch = None,
) -> None:
    """With its plate and its part in permits."""
    known_vehicles.remove(VehicleId(vehicle), caller.by, unchanged(if_match, _vehicle))


VEHICLES = [list_vehicles, get_vehicle, add_vehicle, remove_vehicle]


def _vehicle(kept: KeptVehicle) -> Vehicle:
    return Vehicle(kept.id, kept.plate, kept.label)
