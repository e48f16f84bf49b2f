"""When somebody agrees to be recognised."""

from dataclasses import replace
from datetime import timedelta

import pytest

from postern.core.errors import PosternError
from postern.core.ids import AccessPointId
from tests.people import ALICE, BARRIER, DAY, DOOR, NOW, consent

SHORT = consent(ALICE, places=frozenset({DOOR.id}), given=NOW - DAY, expires=NOW + DAY)


@pytest.mark.parametrize(
    ("place", "when", "holds"),
    [
        (DOOR, NOW - DAY - timedelta.resolution, False),
        (DOOR, NOW - DAY, True),
        (DOOR, NOW, True),
        (DOOR, NOW + DAY - timedelta.resolution, True),
        (DOOR, NOW + DAY, False),
        (BARRIER, NOW, False),
    ],
)
def test_a_consent_holds_at_its_places_from_its_beginning_to_its_end(place, when, holds):
    """Nowhere else, not before, and no more from its end on."""
    assert holds == SHORT.holds(place.id, when)


@pytest.mark.parametrize("when", [NOW - DAY, NOW, NOW + timedelta(hours=1)])
def test_a_withdrawn_consent_never_holds_again_when_the_clock_is_set_back(when):
    """Withdrawal takes effect at once, and no clock undoes it."""
    withdrawn = replace(SHORT, withdrawn=NOW)

    assert SHORT.holds(DOOR.id, when)
    assert not withdrawn.holds(DOOR.id, when)


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": " "},
        {"text_version": ""},
        {"places": frozenset()},
        {"expires": NOW - DAY},
        {"given": NOW.replace(tzinfo=None)},
        {"expires": NOW.replace(tzinfo=None)},
        {"withdrawn": NOW.replace(tzinfo=None)},
    ],
    ids=str,
)
def test_a_consent_that_says_too_little_is_refused(changes):
    """Purpose, text, places and times belong to it."""
    with pytest.raises(PosternError) as refused:
        replace(SHORT, **changes)

    assert "invalid" == refused.value.code


def test_a_consent_is_for_the_places_it_names_alone():
    """There is no place that means all of them."""
    assert not SHORT.holds(AccessPointId("*"), NOW)
