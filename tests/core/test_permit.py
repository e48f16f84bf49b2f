"""What a permit may say."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from postern.core.errors import PosternError
from postern.core.evidence import Factor
from postern.core.permit import Ceiling
from tests.people import ALICE, CARD, DAY, ERIN, FACE, NOW, PASS, PIN, PLATE, permit


def test_a_permit_knows_what_it_requires():
    """Each of its factors, and no other."""
    both = permit(ALICE, factors=(PASS, FACE))

    assert {Factor.PASS, Factor.FACE} == {factor for factor in Factor if both.requires(factor)}


@pytest.mark.parametrize(
    "changes",
    [
        {"factors": ()},
        {"factors": (FACE, Ceiling(Factor.FACE, 0.5))},
        {"factors": (PASS,)},
        {"factors": (PASS, CARD)},
        {"max_false_accept": 0.0},
        {"max_false_accept": 1.0},
        {"max_false_accept": -1e-4},
        {"max_false_accept": float("nan")},
        {"max_false_accept": float("inf")},
        {"at": frozenset()},
        {"valid_until": NOW - 30 * DAY},
        {"valid_until": NOW - 31 * DAY},
        {"valid_from": NOW.replace(tzinfo=None)},
        {"valid_until": NOW.replace(tzinfo=None)},
        {"valid_until": NOW.astimezone(timezone(timedelta(hours=1)))},
    ],
    ids=str,
)
def test_a_permit_that_cannot_be_meant_is_refused(changes):
    """A claim alone, no bound, no place, no length of time, or a time that does not compare."""
    with pytest.raises(PosternError) as refused:
        permit(ALICE, **changes)

    assert "invalid" == refused.value.code


def test_a_permit_without_holders_is_refused():
    """There is no permit for everybody."""
    with pytest.raises(PosternError, match="holders"):
        permit()


@pytest.mark.parametrize("factors", [(FACE,), (PLATE,), (PIN,), (PASS, FACE), (CARD, PIN)])
def test_a_permit_may_ask_for_whatever_weighs(factors):
    """A face, a plate or a PIN, with or without a claim."""
    assert factors == permit(ALICE, ERIN, factors=factors).factors


@pytest.mark.parametrize("max_p", [0.0, -1e-3, 1.0001, float("nan"), float("inf")])
def test_a_ceiling_outside_of_its_range_is_refused(max_p):
    """A ceiling of zero would admit nobody, and one above 1 is none."""
    with pytest.raises(PosternError, match="ceiling"):
        Ceiling(Factor.FACE, max_p)


def test_a_permit_of_a_microsecond_is_one():
    """The shortest time is a time."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)

    assert permit(ALICE, valid_from=begin, valid_until=begin + timedelta.resolution).valid_until
