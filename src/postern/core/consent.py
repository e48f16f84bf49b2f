"""What a person agreed to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from postern.core.errors import invalid
from postern.core.ids import AccessPointId, ConsentId, PersonId
from postern.core.moment import check_utc


class StorageMode(StrEnum):
    """Where a face reference is kept, and who can open it: CNIL's types 1, 2 and 3."""

    PASS = "pass"  # noqa: S105 - the word of the trade, not a password
    SHARED = "shared"
    ROSTER = "roster"


@dataclass(frozen=True, slots=True)
class Consent:
    """One person's recorded agreement to be recognised by their face.

    Attributes:
        id: Its name.
        person: Who agreed.
        purpose: What for, in the words that the person saw.
        places: The access points it covers.
        text_version: Which version of the site's consent text the person saw.
        mode: How their reference is kept; a reference kept in any other way is not covered.
        given: When; aware UTC, like the other times.
        expires: When it ends by itself.
        withdrawn: When it ended: when the person took it back, or somebody noticed that it had run
            out; None before. Once it is set the consent never holds again, whatever the clock
            shows: a clock that is stepped back does not undo a withdrawal.
    """

    id: ConsentId
    person: PersonId
    purpose: str
    places: frozenset[AccessPointId]
    text_version: str
    mode: StorageMode
    given: datetime
    expires: datetime
    withdrawn: datetime | None = None

    def __post_init__(self) -> None:
        if not self.purpose.strip() or not self.text_version.strip():
            raise invalid("A consent names its purpose and the version of its text.")
        if not self.places:
            raise invalid("A consent names the access points it covers.")
        check_utc(self.given, self.expires, self.withdrawn)
        if not self.given < self.expires:
            raise invalid("A consent ends after it was given.")

    def holds(self, place: AccessPointId, now: datetime) -> bool:
        """Whether the person agrees to be recognised at `place` now."""
        stands = self.withdrawn is None
        return stands and place in self.places and self.given <= now < self.expires

    def expired(self, now: datetime) -> bool:
        """Whether it ran out by itself, rather than that the person took it back."""
        ended = now if self.withdrawn is None else self.withdrawn
        return ended >= self.expires
