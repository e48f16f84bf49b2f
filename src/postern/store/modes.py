"""Orders about access points in the store."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import delete, insert, select

from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, OrderId
from postern.core.mode import Mode, Order
from postern.store.database import Database
from postern.store.schema import mode_places, modes


class Modes:
    """The orders that nobody has ended.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, order: Order) -> None:
        """Keeps a new order.

        Raises:
            PosternError: `conflict` where the id is taken; `unavailable`.
        """
        row = {
            "id": order.id,
            "mode": order.mode.value,
            "by": order.by,
            "why": order.why,
            "since": order.since,
            "until": order.until,
        }
        places = [{"order": order.id, "access_point": p} for p in sorted(order.access_points)]
        with self._database.writing() as connection:
            connection.execute(insert(modes), row)
            if places:
                connection.execute(insert(mode_places), places)

    def all(self) -> tuple[Order, ...]:
        """Every order, in the order in which they were given; those included that have run out.

        Raises:
            PosternError: `unavailable`.
        """
        places: defaultdict[str, set[AccessPointId]] = defaultdict(set)
        with self._database.reading() as connection:
            for row in connection.execute(select(mode_places)):
                places[row.order].add(AccessPointId(row.access_point))
            return tuple(
                Order(
                    OrderId(row.id),
                    Mode(row.mode),
                    frozenset(places[row.id]),
                    row.by,
                    row.why,
                    row.since,
                    row.until,
                )
                for row in connection.execute(select(modes).order_by(modes.c.since, modes.c.id))
            )

    def end(self, order: OrderId) -> None:
        """Ends an order.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.writing() as connection:
            if connection.execute(delete(modes).where(modes.c.id == order)).rowcount == 0:
                raise PosternError(
                    Code.NOT_FOUND, f"There is no order called {order!r}.", "See: postern mode list"
                )

    def forget(self, before: datetime) -> int:
        """Forgets the orders that ran out before that time, and says how many those were.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.writing() as connection:
            return connection.execute(delete(modes).where(modes.c.until < before)).rowcount
