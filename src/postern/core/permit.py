"""A rule that lets somebody through."""

from dataclasses import dataclass
from datetime import datetime

from postern.core.errors import invalid
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, Holder, PermitId
from postern.core.moment import check_utc
from postern.core.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A factor that a permit requires, and how likely to be wrong it may be.

    Attributes:
        factor: Which factor.
        max_p: The largest bound accepted from it, after the search; in (0, 1].
    """

    factor: Factor
    max_p: float

    def __post_init__(self) -> None:
        if not 0.0 < self.max_p <= 1.0:
            raise invalid(f"The ceiling of the factor {self.factor} must lie in (0, 1].")


@dataclass(frozen=True, slots=True)
class Permit:
    """Who, through which access points, when, with which factors, at most how likely to be wrong.

    Attributes:
        id: Its name.
        holders: The people and vehicles it lets through. A permit that asks for a plate and a face
            holds both the vehicle and its drivers.
        access_points: Where it counts.
        factors: Every factor it requires, each with its ceiling.
        max_false_accept: The largest bound on the whole; in (0, 1).
        liveness: Whether a live person must have been established.
        schedule: When it counts; None for always.
        valid_from: When it begins; aware UTC.
        valid_until: When it ends; None for never.
    """

    id: PermitId
    holders: frozenset[Holder]
    access_points: frozenset[AccessPointId]
    factors: tuple[Ceiling, ...]
    max_false_accept: float
    liveness: bool
    schedule: Schedule | None
    valid_from: datetime
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        required = [ceiling.factor for ceiling in self.factors]
        if not required or len(set(required)) != len(required):
            raise invalid("A permit requires at least one factor, and each only once.")
        if all(factor.claims for factor in required):
            raise invalid(
                "A permit requires a face, a plate or a PIN; a claim alone weighs nothing."
            )
        if not 0.0 < self.max_false_accept < 1.0:
            raise invalid("A permit's chance of being wrong must lie between 0 and 1.")
        if not self.holders or not self.access_points:
            raise invalid("A permit names its holders and its access points.")
        check_utc(self.valid_from, self.valid_until)
        if self.valid_until is not None and not self.valid_from < self.valid_until:
            raise invalid("A permit ends after it begins.")

    def requires(self, factor: Factor) -> bool:
        """Whether `factor` is one of those it asks for."""
        return any(ceiling.factor is factor for ceiling in self.factors)
