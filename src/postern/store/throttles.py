"""How often somebody's claim failed at an access point, and how long they have to wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from postern.core.ids import AccessPointId, Holder
from postern.store.credentials import to_holder
from postern.store.database import Database
from postern.store.schema import throttles

#: NIST SP 800-63B-4, section 3.2.3: at most five failures in a row, then at least 30 s before each.
MAX_FAILURES = 5
WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failures of one holder at one access point.

    Attributes:
        access_point: Where.
        failures: How many in a row.
        until: Until when they have to wait; None where they need not.
    """

    access_point: AccessPointId
    failures: int
    until: datetime | None


class Throttles:
    """Failures in a row, per access point and holder.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def failed(self, access_point: AccessPointId, holder: Holder, at: datetime) -> None:
        """Notes that a claim to be this holder failed; from the fifth on they have to wait.

        Raises:
            PosternError: `unavailable`; `conflict` where the holder is not kept.
        """
        key = (throttles.c.access_point == access_point) & (throttles.c.holder == holder)
        with self._database.writing() as connection:
            before = connection.scalar(select(throttles.c.failures).where(key)) or 0
            connection.execute(delete(throttles).where(key))
            row = {
                "access_point": access_point,
                "holder": holder,
                "failures": before + 1,
                "until": at + WAIT if before + 1 >= MAX_FAILURES else None,
            }
            connection.execute(insert(throttles), row)

    def cleared(self, access_point: AccessPointId, holder: Holder) -> None:
        """Notes that this holder was let through: counting starts again.

        Raises:
            PosternError: `unavailable`.
        """
        key = (throttles.c.access_point == access_point) & (throttles.c.holder == holder)
        with self._database.writing() as connection:
            connection.execute(delete(throttles).where(key))

    def of(self, holder: Holder) -> tuple[Throttle, ...]:
        """Where claims to be this holder failed.

        Raises:
            PosternError: `unavailable`.
        """
        theirs = select(throttles).where(throttles.c.holder == holder)
        with self._database.reading() as connection:
            rows = connection.execute(theirs.order_by(throttles.c.access_point)).all()
        return tuple(
            Throttle(AccessPointId(row.access_point), row.failures, row.until) for row in rows
        )


def throttled(connection: Connection, access_point: AccessPointId) -> dict[Holder, datetime]:
    """Until when each holder who failed too often has to wait there."""
    waits = select(throttles).where(throttles.c.until.is_not(None))
    rows = connection.execute(waits.where(throttles.c.access_point == access_point))
    return {to_holder(row.holder): row.until for row in rows}
