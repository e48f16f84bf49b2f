"""Permits in the store."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, Holder, PermitId
from postern.core.permit import Ceiling, Permit
from postern.store import holders, schedule_text
from postern.store.credentials import to_holder
from postern.store.database import Database
from postern.store.schema import permit_factors, permit_holders, permit_places, permits


class Permits:
    """Who is let through where.

    Args:
        database: The open store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, permit: Permit) -> None:
        """Keeps a new permit.

        Raises:
            PosternError: `not_found` where a holder is not kept; `conflict` where the id is taken;
                `invalid` for a schedule without a named time zone; `unavailable`.
        """
        row = _row(permit)
        with self._database.writing() as connection:
            _check_holders(connection, permit)
            if connection.scalar(select(permits.c.id).where(permits.c.id == permit.id)):
                raise PosternError(Code.CONFLICT, f"There is a permit called {permit.id} already.")
            connection.execute(insert(permits), row)
            _add_parts(connection, permit)

    def find(self, permit: PermitId) -> Permit:
        """The permit of that id.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.reading() as connection:
            found = _read(connection, select(permits.c.id).where(permits.c.id == permit))
        if not found:
            raise _missing(permit)
        return found[0]

    def all(self) -> tuple[Permit, ...]:
        """Every permit, by id.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return _read(connection, select(permits.c.id))

    def at(self, access_point: AccessPointId) -> tuple[Permit, ...]:
        """Every permit that counts at an access point, by id.

        Raises:
            PosternError: `unavailable`.
        """
        with self._database.reading() as connection:
            return at(connection, access_point)

    def page(
        self,
        *,
        holder: Holder | None = None,
        access_point: AccessPointId | None = None,
        after: PermitId | None = None,
        limit: int,
    ) -> tuple[Permit, ...]:
        """Some of all permits, by id.

        Args:
            holder: Only those that let this one through.
            access_point: Only those that count here.
            after: Only those after this id.
            limit: At most so many.

        Raises:
            PosternError: `unavailable`.
        """
        # Where there is a place, the ids come from its index, in order; else from their own.
        id_ = permits.c.id if access_point is None else permit_places.c.permit
        query = select(id_).order_by(id_).limit(limit)
        if access_point is not None:
            query = query.where(permit_places.c.access_point == access_point)
        if holder is not None:
            theirs = select(permit_holders.c.permit).where(permit_holders.c.holder == holder)
            query = query.where(id_.in_(theirs))
        if after is not None:
            query = query.where(id_ > after)
        with self._database.reading() as connection:
            found = connection.scalars(query).all()
            return _read(connection, found) if found else ()

    def naming(self, holder: Holder) -> tuple[Permit, ...]:
        """Every permit that lets somebody through, by id.

        Raises:
            PosternError: `unavailable`.
        """
        theirs = select(permit_holders.c.permit).where(permit_holders.c.holder == holder)
        with self._database.reading() as connection:
            return _read(connection, theirs)

    def replace(self, permit: Permit) -> None:
        """Keeps a permit in place of the one of that id.

        Raises:
            PosternError: `not_found` where there is none of that id, or a holder is not kept;
                `invalid` for a schedule without a named time zone; `unavailable`.
        """
        change = update(permits).where(permits.c.id == permit.id).values(_row(permit))
        with self._database.writing() as connection:
            _check_holders(connection, permit)
            if connection.execute(change).rowcount == 0:
                raise _missing(permit.id)
            for part in (permit_holders, permit_places, permit_factors):
                connection.execute(delete(part).where(part.c.permit == permit.id))
            _add_parts(connection, permit)

    def remove(self, permit: PermitId) -> None:
        """Removes a permit.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        with self._database.writing() as connection:
            if connection.execute(delete(permits).where(permits.c.id == permit)).rowcount == 0:
                raise _missing(permit)


def at(connection: Connection, access_point: AccessPointId) -> tuple[Permit, ...]:
    """Every permit that counts at an access point, by id."""
    here = select(permit_places.c.permit).where(permit_places.c.access_point == access_point)
    return _read(connection, here)


def _check_holders(connection: Connection, permit: Permit) -> None:
    if not all(holders.exists(connection, holder) for holder in permit.holders):
        raise PosternError(
            Code.NOT_FOUND,
            "The permit names somebody who is not kept.",
            "Add the person or vehicle first.",
        )


def _add_parts(connection: Connection, permit: Permit) -> None:
    held = [{"permit": permit.id, "holder": holder} for holder in sorted(permit.holders)]
    connection.execute(insert(permit_holders), held)
    places = [
        {"permit": permit.id, "access_point": place} for place in sorted(permit.access_points)
    ]
    connection.execute(insert(permit_places), places)
    factors = [
        {"permit": permit.id, "place": place, "factor": c.factor.value, "max_p": c.max_p}
        for place, c in enumerate(permit.factors)
    ]
    connection.execute(insert(permit_factors), factors)


def _read(connection: Connection, wanted: Select[tuple[str]] | Sequence[str]) -> tuple[Permit, ...]:
    held: defaultdict[str, set[Holder]] = defaultdict(set)
    for row in connection.execute(
        select(permit_holders).where(permit_holders.c.permit.in_(wanted))
    ):
        held[row.permit].add(to_holder(row.holder))
    places: defaultdict[str, set[AccessPointId]] = defaultdict(set)
    for row in connection.execute(select(permit_places).where(permit_places.c.permit.in_(wanted))):
        places[row.permit].add(AccessPointId(row.access_point))
    factors: defaultdict[str, list[Ceiling]] = defaultdict(list)
    ordered = select(permit_factors).where(permit_factors.c.permit.in_(wanted))
    for row in connection.execute(ordered.order_by(permit_factors.c.place)):
        factors[row.permit].append(Ceiling(Factor(row.factor), row.max_p))
    return tuple(
        _permit(row, frozenset(held[row.id]), frozenset(places[row.id]), tuple(factors[row.id]))
        for row in connection.execute(
            select(permits).where(permits.c.id.in_(wanted)).order_by(permits.c.id)
        )
    )


def _row(permit: Permit) -> dict[str, object]:
    return {
        "id": permit.id,
        "max_false_accept": permit.max_false_accept,
        "liveness": permit.liveness,
        "schedule": None if permit.schedule is None else schedule_text.encode(permit.schedule),
        "valid_from": permit.valid_from,
        "valid_until": permit.valid_until,
    }


def _permit(
    row: Row[tuple[object, ...]],
    held: frozenset[Holder],
    places: frozenset[AccessPointId],
    factors: tuple[Ceiling, ...],
) -> Permit:
    schedule = None if row.schedule is None else schedule_text.decode(row.schedule)
    return Permit(
        PermitId(row.id), held, places, factors, row.max_false_accept, row.liveness, schedule,
        row.valid_from, row.valid_until,
    )  # fmt: skip


def _missing(permit: PermitId) -> PosternError:
    return PosternError(
        Code.NOT_FOUND, f"There is no permit called {permit!r}.", "See: postern permit list"
    )
