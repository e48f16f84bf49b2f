"""How it stands with a reference."""

from enum import StrEnum


class Standing(StrEnum):
    """Whether a reference can be used, and what it lacks where it cannot."""

    READY = "ready"
    NEEDS_NEW_LOOKS = "needs new looks"
    EPOCH_RETIRED = "epoch retired"
    KEY_MISSING = "key missing"
    ALTERED = "altered"


#: In words, with what to do.
MEANING = {
    Standing.READY: "It can be compared.",
    Standing.NEEDS_NEW_LOOKS: "Another model made it; take new looks: postern enrol.",
    Standing.EPOCH_RETIRED: "Its key epoch has ended; take new looks: postern enrol.",
    Standing.KEY_MISSING: "Its key was destroyed; enrol the person again if they want it.",
    Standing.ALTERED: "It was altered; enrol the person again.",
}
