"""What people and vehicles share in the store: a row that everything of theirs hangs on."""

from sqlalchemy import Connection, delete, insert, select, update

from postern.core.ids import Holder
from postern.store.schema import holders, permit_holders, permits, replies


def add(connection: Connection, holder: Holder) -> None:
    """Makes the row that everything of a holder's hangs on."""
    connection.execute(insert(holders), {"id": holder})


def exists(connection: Connection, holder: Holder) -> bool:
    """Whether that holder is kept."""
    return connection.scalar(select(holders.c.id).where(holders.c.id == holder)) is not None


def remove(connection: Connection, holder: Holder) -> None:
    """Forgets a holder with all that hangs on it, and permits that let nobody through any more."""
    connection.execute(delete(holders).where(holders.c.id == holder))
    left = select(permit_holders.c.permit).where(permit_holders.c.permit == permits.c.id)
    connection.execute(delete(permits).where(~left.exists()))
    connection.execute(update(replies).where(replies.c.subject == holder).values(subject=None))
