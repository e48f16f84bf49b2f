"""What a credential may say."""

from datetime import timedelta

import pytest

from postern.core.errors import PosternError
from postern.core.evidence import Factor
from tests.people import ALICE, DAY, NOW, credential


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_until": NOW - 30 * DAY},
        {"valid_until": NOW - 31 * DAY},
        {"valid_from": NOW.replace(tzinfo=None)},
        {"valid_until": NOW.replace(tzinfo=None)},
    ],
    ids=str,
)
def test_a_credential_that_never_counts_or_does_not_compare_is_refused(changes):
    """It ends after it begins, both in UTC."""
    with pytest.raises(PosternError) as refused:
        credential(Factor.FACE, ALICE, **changes)

    assert "invalid" == refused.value.code


def test_a_credential_holds_no_secret_part():
    """Neither a vector nor a number of a card is in it."""
    fields = {"id", "factor", "holder", "enabled", "valid_from", "valid_until", "mode", "model"}

    assert fields == set(type(credential(Factor.FACE, ALICE)).__dataclass_fields__)


def test_a_credential_may_be_as_short_as_time_goes():
    """The shortest time is a time."""
    end = NOW + timedelta.resolution

    assert end == credential(Factor.PASS, ALICE, valid_from=NOW, valid_until=end).valid_until
