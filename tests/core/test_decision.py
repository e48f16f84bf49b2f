"""What a decision says."""

import pytest

from postern.core.decision import GRANTS, Decision, Reason
from postern.core.ids import AttemptId


@pytest.mark.parametrize("reason", Reason)
def test_the_reason_alone_grants(reason):
    """Two reasons grant, and nothing else in a decision does."""
    decision = Decision(AttemptId("a"), reason)

    assert (reason in (Reason.PERMITTED, Reason.EXIT)) == decision.granted
    assert {Reason.PERMITTED, Reason.EXIT} == GRANTS


def test_a_decision_says_nothing_unless_told():
    """By default nobody is named and nothing is bounded."""
    decision = Decision(AttemptId("a"), Reason.UNAUTHORIZED)

    assert (None, (), None, 1.0, False) == (
        decision.permit, decision.holders, decision.factor, decision.bound, decision.passback
    )  # fmt: skip


def test_a_reason_is_kept_under_its_name():
    """What the record says is what the code says."""
    assert [reason.name.lower() for reason in Reason] == [reason.value for reason in Reason]


def test_the_reasons_of_onvif_keep_their_names():
    """The deny reasons of the ONVIF Access Control Service Specification, in our spelling."""
    onvif = ["CredentialNotEnabled", "CredentialNotActive", "CredentialExpired", "InvalidPIN",
             "NotPermittedAtThisTime", "Unauthorized", "Other"]  # fmt: skip

    def plain(word):
        return word.replace("_", "").lower()

    assert {plain(word) for word in onvif} <= {plain(reason) for reason in Reason}
