"""The looks of one passer-by at one access point, and the evidence they gave."""

from dataclasses import dataclass
from enum import StrEnum

from postern.core.evidence import Evidence
from postern.core.ids import AccessPointId, AttemptId
from postern.core.moment import Moment


class Liveness(StrEnum):
    """What is known about whether a live person stood there. A veto, never a weight."""

    NOT_CHECKED = "not_checked"
    LIVE = "live"
    NOT_LIVE = "not_live"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What `decide` sees of one passer-by.

    Attributes:
        id: Its name.
        access_point: Where.
        evidence: Every factor's case for every candidate that was compared, in any order.
        liveness: What the liveness check found.
        last_frame: When the newest frame behind it was captured.
    """

    id: AttemptId
    access_point: AccessPointId
    evidence: tuple[Evidence, ...]
    liveness: Liveness
    last_frame: Moment
