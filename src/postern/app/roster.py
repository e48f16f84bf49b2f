"""Rosters: references that the site can open by itself, and how many there may be."""

from collections.abc import Iterable
from datetime import datetime

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, PersonId
from postern.store.store import Store

#: People for one access point. Every one of them is compared with whoever comes, so that the chance
#: of taking one for another grows with each (docs/decisions.md).
CAP = 500


def roster(store: Store, place: AccessPointId, now: datetime) -> frozenset[PersonId]:
    """Everybody who agreed to be on the roster of an access point, and is.

    Raises:
        PosternError: `unavailable` where the store cannot be read now.
    """
    kept = store.credentials.people_with(StorageMode.ROSTER)
    agreed = store.consents.standing(kept, now)
    return frozenset(
        person
        for person, consents in agreed.items()
        if any(c.mode is StorageMode.ROSTER and c.holds(place, now) for c in consents)
    )


def check_room(
    store: Store, places: Iterable[AccessPointId], more: Iterable[PersonId], now: datetime
) -> None:
    """Refuses to put more people on a roster than it may hold.

    Args:
        store: The records.
        places: Whose rosters.
        more: Who would be on them, too.
        now: The present time.

    Raises:
        PosternError: `conflict` where a roster would be too large; `unavailable`.
    """
    added = frozenset(more)
    for place in sorted(places):
        count = len(roster(store, place, now) | added)
        if count > CAP:
            raise PosternError(
                Code.CONFLICT,
                f"The roster of {place} would hold {count} people; it may hold {CAP}.",
                "Give the others passes (postern enrol --mode pass), or remove people.",
            )
