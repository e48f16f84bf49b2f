"""How an attempt ended, in words that name nobody."""

from postern.core.decision import MEANING, Reason
from postern.core.look import ADVICE
from postern.engine.ports import Outcome


def known(outcome: Outcome) -> bool:
    """Whether it was of somebody whom the site knows, or opened for whoever it was."""
    return outcome.decision.granted or bool(outcome.decision.holders)


def why(outcome: Outcome) -> str:
    """Why it ended as it did."""
    if outcome.flaws:
        return ", ".join(ADVICE[flaw] for flaw in outcome.flaws)
    decision = outcome.decision
    if decision.reason is Reason.UNAUTHORIZED and decision.permit is None:
        return "not recognised"
    meaning = MEANING[decision.reason]
    return f"{meaning}: {outcome.detail}" if _adds(outcome) else meaning


def _adds(outcome: Outcome) -> bool:
    """Whether the detail says why a grant was not carried out."""
    return bool(outcome.detail) and not outcome.decision.granted
