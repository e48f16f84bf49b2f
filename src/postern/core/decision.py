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
    LOCKDOWN = "lockdown"
    CLOCK_UNTRUSTED = "clock_untrusted"
    INTERRUPTED = "interrupted"
    NOT_RECORDED = "not_recorded"
    INVALID_PASS = "invalid_pass"  # noqa: S105 - a reason, not a password
    FOREIGN_PASS = "foreign_pass"  # noqa: S105
    NEEDS_NEW_LOOKS = "needs_new_looks"


GRANTS = frozenset({Reason.PERMITTED, Reason.EXIT})


#: What each reason says, for an operator and for the record.
MEANING: dict[Reason, str] = {
    Reason.PERMITTED: "a permit lets through",
    Reason.EXIT: "the way out is always open",
    Reason.UNAUTHORIZED: "no permit's factors were shown surely enough",
    Reason.NOT_PERMITTED_AT_THIS_TIME: "the permit does not count at this time",
    Reason.CREDENTIAL_NOT_ENABLED: "the credential is switched off",
    Reason.CREDENTIAL_NOT_ACTIVE: "the credential does not count yet",
    Reason.CREDENTIAL_EXPIRED: "the credential has expired",
    Reason.INVALID_PIN: "the PIN is wrong",
    Reason.OTHER: "another device decided, and gave no reason that is known here",
    Reason.STALE: "the last look is too long ago",
    Reason.AMBIGUOUS: "somebody else fits as well",
    Reason.NOT_LIVE: "no live person was established",
    Reason.NO_CONSENT: "the person has not agreed, or no longer does, to be recognised here",
    Reason.THROTTLED: "too many attempts failed; wait before the next",
    Reason.AREA_FULL: "there is no room left",
    Reason.PASSBACK: "entered before and not left since",
    Reason.LOCKDOWN: "the access point lets nobody in, by order",
    Reason.CLOCK_UNTRUSTED: "the clock cannot be relied on, or a look comes from the future",
    Reason.INTERRUPTED: "the machine stopped before the answer was seen",
    Reason.NOT_RECORDED: "the decision could not be recorded, so nothing was opened",
    Reason.INVALID_PASS: "the pass is damaged or was altered",
    Reason.FOREIGN_PASS: "the pass belongs to another site",
    Reason.NEEDS_NEW_LOOKS: "the reference was made by another model; new looks have to be taken",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one attempt.

    Attributes:
        attempt: Which attempt.
        reason: Why; it alone says whether access is granted.
        permit: The permit that decided; None where none came into question: an attempt that falls
            short of every permit's first factor belongs to none.
        holders: The permit holders that were recognised; empty unless granted or denied by a
            permit of theirs.
        factor: The factor that failed, where one did.
        bound: Upper bound on the chance that a random other would have been granted, in (0, 1]; 1
            unless granted by a permit. Shown in the demo and in reports only.
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
