"""Who is inside which area, and how many are."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from postern.core.errors import invalid
from postern.core.ids import AreaId, Holder
from postern.store.credentials import to_holder
from postern.store.database import Database
from postern.store.schema import areas, inside


class Areas:
    """The state of every area.

    One passage counts once, however many holders it names: a vehicle and its driver are one.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def entered(self, area: AreaId, holders: Collection[Holder], at: datetime) -> None:
        """Notes that these holders went in together.

        Where one of them was inside already, they left unseen, so that there is not one more.

        Raises:
            PosternError: `unavailable`; `conflict` where one is not kept.
        """
        with self._database.writing() as connection:
            known = _take_out(connection, area, holders)
            rows = [{"area": area, "holder": holder, "since": at} for holder in sorted(holders)]
            if rows:
                connection.execute(insert(inside), rows)
            _count(connection, area, 0 if known else 1)

    def left(self, area: AreaId, holders: Collection[Holder]) -> None:
        """Notes that these holders, or one whom nobody recognised, went out.

        Holders who were not inside were let in by hand and never counted.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            known = _take_out(connection, area, holders)
            _count(connection, area, -1 if known or not holders else 0)

    def inside(self, area: AreaId) -> dict[Holder, datetime]:
        """Who has entered and not left, and when.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return inside_of(connection, area)

    def of(self, holder: Holder) -> dict[AreaId, datetime]:
        """Which areas a holder has entered and not left, and when.

        Raises:
            PosternError: `unavailable`.
        """
        query = select(inside).where(inside.c.holder == holder).order_by(inside.c.area)
        with self._database.reading() as connection:
            return {AreaId(row.area): row.since for row in connection.execute(query)}

    def occupancy(self, area: AreaId) -> int:
        """How many are inside; 0 for an area that nobody has entered yet.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return occupancy_of(connection, area)

    def reset(self, area: AreaId, occupancy: int = 0) -> None:
        """Puts right what was missed: forgets who is inside, and sets how many are.

        Raises:
            PosternError: `invalid` for fewer than nobody; `unavailable`.
        """
        if occupancy < 0:
            raise invalid("An area cannot hold fewer than nobody.")
        with self._database.writing() as connection:
            connection.execute(delete(inside).where(inside.c.area == area))
            _count(connection, area, occupancy - occupancy_of(connection, area))


def inside_of(connection: Connection, area: AreaId) -> dict[Holder, datetime]:
    """Who has entered and not left, and when."""
    rows = connection.execute(select(inside).where(inside.c.area == area))
    return {to_holder(row.holder): row.since for row in rows}


def occupancy_of(connection: Connection, area: AreaId) -> int:
    """How many are inside."""
    return connection.scalar(select(areas.c.occupancy).where(areas.c.id == area)) or 0


def _take_out(connection: Connection, area: AreaId, holders: Collection[Holder]) -> bool:
    theirs = (inside.c.area == area) & inside.c.holder.in_(sorted(holders))
    return connection.execute(delete(inside).where(theirs)).rowcount > 0


def _count(connection: Connection, area: AreaId, change: int) -> None:
    now = max(0, occupancy_of(connection, area) + change)
    kept = connection.execute(update(areas).where(areas.c.id == area).values(occupancy=now))
    if kept.rowcount == 0:
        connection.execute(insert(areas), {"id": area, "occupancy": now})
