"""What was decided, and why."""

from dataclasses import dataclass
from enum import StrEnum

from postern.core.evidence import Factor
from postern.core.ids import AttemptId, Holder, PermitId


class Reason(StrEnum):
    """Every reason there is. An auditor can read them all.

    The names with a remark are the deny reasons of the ONVIF Access Control Service Specification;
    the rest are Postern's own.
    """

    # Granted.
    PERMITTED = "permitted"
    EXIT = "exit"
    # Denied, ONVIF.
    UNAUTHORIZED = "unauthorized"  # Unauthorized
    NOT_PERMITTED_AT_THIS_TIME = "not_permitted_at_this_time"  # NotPermittedAtThisTime
    CREDENTIAL_NOT_ENABLED = "credential_not_enabled"  # CredentialNotEnabled
    CREDENTIAL_NOT_ACTIVE = "credential_not_active"  # CredentialNotActive
    CREDENTIAL_EXPIRED = "credential_expired"  # CredentialExpired
    INVALID_PIN = "invalid_pin"  # InvalidPIN
    OTHER = "other"  # Other
    # Denied, Postern.
    STALE = "stale"
    AMBIGUOUS = "ambiguous"
    NOT_LIVE = "not_live"
    NO_CONSENT = "no_consent"
    THROTTLED = "throttled"
    AREA_FULL = "area_full"
    PASSBACK = "passback"
    CLOCK_UNTRUSTED = "clock_untrusted"
    INTERRUPTED = "interrupted"


GRANTS = frozenset({Reason.PERMITTED, Reason.EXIT})


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one attempt.

    Attributes:
        attempt: Which attempt.
        reason: Why; it alone says whether access is granted.
        permit: The permit that decided; None where none came into question.
        holders: The permit holders that were recognised; empty unless granted or denied by a
            permit of theirs.
        factor: The factor that failed, where one did.
        bound: Upper bound on the chance that a random other would have been granted; 1 unless
            granted by a permit. Shown in the demo and in reports only.
        passback: Whether a soft anti-passback rule was broken by it.
    """

    attempt: AttemptId
    reason: Reason
    permit: PermitId | None = None
    holders: tuple[Holder, ...] = ()
    factor: Factor | None = None
    bound: float = 1.0
    passback: bool = False

    @property
    def granted(self) -> bool:
        """Whether access is granted."""
        return self.reason in GRANTS
