"""What a look at an installation finds: one thing, how it is, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is."""

    WELL = "well"
    HEED = "heed"
    MEND = "mend"
    UNTRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        verdict: How it is. `heed` works, and may not for long, or not against everybody; `mend`
            does not work, or keeps no promise.
        sentence: What was found, in plain words.
        remedy: What to do; empty where nothing has to be.
    """

    subject: str
    verdict: Verdict
    sentence: str
    remedy: str = ""
