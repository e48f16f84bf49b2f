"""Vehicles in the store."""

from sqlalchemy import Row, insert, select

from postern.core.errors import Code, PosternError
from postern.core.ids import VehicleId
from postern.core.vehicle import Vehicle, plate_text
from postern.store import holders
from postern.store.database import Database
from postern.store.schema import vehicles


class Vehicles:
    """Every vehicle that was registered.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, vehicle: Vehicle) -> None:
        """Keeps a new vehicle.

        Raises:
            PosternError: `conflict` where the id or the plate is taken; `unavailable`.
        """
        same_plate = select(vehicles.c.id).where(vehicles.c.plate == vehicle.plate)
        with self._database.writing() as connection:
            if connection.scalar(same_plate) is not None:
                raise PosternError(
                    Code.CONFLICT,
                    f"A vehicle with the plate {vehicle.plate} is registered already.",
                )
            if holders.exists(connection, vehicle.id):
                raise PosternError(Code.CONFLICT, "There is a vehicle of that id already.")
            holders.add(connection, vehicle.id)
            row = {"id": vehicle.id, "plate": vehicle.plate, "label": vehicle.label}
            connection.execute(insert(vehicles), row)

    def find(self, vehicle: VehicleId) -> Vehicle:
        """The vehicle of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(vehicles).where(vehicles.c.id == vehicle)).one_or_none()
        if row is None:
            raise PosternError(Code.NOT_FOUND, "There is no vehicle of that id.")
        return _vehicle(row)

    def with_plate(self, plate: str) -> Vehicle:
        """The vehicle with that plate, however it is written.

        Raises:
            PosternError: `not_found`; `invalid` where it is no plate; `unavailable`.
        """
        text = plate_text(plate)
        with self._database.reading() as connection:
            row = connection.execute(select(vehicles).where(vehicles.c.plate == text)).one_or_none()
        if row is None:
            raise PosternError(Code.NOT_FOUND, f"No vehicle with the plate {text} is registered.")
        return _vehicle(row)

    def all(self) -> tuple[Vehicle, ...]:
        """Every vehicle, by plate.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(vehicles).order_by(vehicles.c.plate)).all()
        return tuple(_vehicle(row) for row in rows)

    def page(
        self, *, containing: str = "", after: str | None = None, limit: int
    ) -> tuple[Vehicle, ...]:
        """Some of all vehicles, by plate.

        Args:
            containing: Only those whose plate has these capitals and digits in it.
            after: Only those after this plate.
            limit: At most so many.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(vehicles).order_by(vehicles.c.plate).limit(limit)
        if containing:
            query = query.where(vehicles.c.plate.contains(containing, autoescape=True))
        if after is not None:
            query = query.where(vehicles.c.plate > after)
        with self._database.reading() as connection:
            return tuple(_vehicle(row) for row in connection.execute(query))

    def remove(self, vehicle: VehicleId) -> None:
        """Forgets a vehicle with its credentials and part in permits.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        known = select(vehicles.c.id).where(vehicles.c.id == vehicle)
        with self._database.writing() as connection:
            if connection.scalar(known) is None:
                raise PosternError(Code.NOT_FOUND, "There is no vehicle of that id.")
            holders.remove(connection, vehicle)
        self._database.scrub()


def _vehicle(row: Row[tuple[object, ...]]) -> Vehicle:
    return Vehicle(VehicleId(row.id), row.plate, row.label)
