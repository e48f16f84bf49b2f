"""Who is inside, how many are, and who has to wait."""

from datetime import timedelta

import pytest

from postern.core.errors import PosternError
from postern.core.ids import AreaId
from postern.store.store import Store
from tests.people import ALICE, COUPE, DOOR, ERIN, NOW, VAN

YARD = AreaId("yard")


def test_a_vehicle_and_its_driver_are_one_passage(site: Store) -> None:
    """Both are inside, and one place is taken."""
    site.areas.entered(YARD, [COUPE, ERIN], NOW)

    assert {COUPE: NOW, ERIN: NOW} == site.areas.inside(YARD)
    assert 1 == site.areas.occupancy(YARD)


def test_leaving_gives_the_place_back(site: Store) -> None:
    """To the holder and to the count; other areas stay as they are."""
    site.areas.entered(YARD, [VAN], NOW)
    site.areas.entered(DOOR.area.id, [ALICE], NOW)
    site.areas.left(YARD, [VAN])

    assert ({}, 0) == (site.areas.inside(YARD), site.areas.occupancy(YARD))
    assert ({ALICE: NOW}, 1) == (
        site.areas.inside(DOOR.area.id),
        site.areas.occupancy(DOOR.area.id),
    )


def test_entering_again_without_having_left_counts_once(site: Store) -> None:
    """Who comes in twice has left unseen; the time is the later one."""
    later = NOW + timedelta(hours=1)
    site.areas.entered(YARD, [VAN], NOW)
    site.areas.entered(YARD, [VAN], later)

    assert ({VAN: later}, 1) == (site.areas.inside(YARD), site.areas.occupancy(YARD))


def test_somebody_unrecognised_leaving_frees_a_place(site: Store) -> None:
    """An exit opens for whoever it is; the count never falls below nobody."""
    site.areas.entered(YARD, [VAN], NOW)
    site.areas.left(YARD, [])
    site.areas.left(YARD, [])

    assert 0 == site.areas.occupancy(YARD)


def test_leaving_of_somebody_let_in_by_hand_frees_no_place(site: Store) -> None:
    """They were never counted."""
    site.areas.entered(YARD, [VAN], NOW)
    site.areas.left(YARD, [COUPE])

    assert 1 == site.areas.occupancy(YARD)


def test_reset_puts_the_count_right(site: Store) -> None:
    """After a count by eye; fewer than nobody is refused."""
    site.areas.entered(YARD, [VAN], NOW)
    site.areas.reset(YARD, 7)

    assert ({}, 7) == (site.areas.inside(YARD), site.areas.occupancy(YARD))
    with pytest.raises(PosternError):
        site.areas.reset(YARD, -1)


def test_five_failures_in_a_row_have_to_wait(site: Store) -> None:
    """Thirty seconds from the fifth on, at that access point only, until they get through."""
    for second in range(4):
        site.throttles.failed(DOOR.id, ALICE, NOW + timedelta(seconds=second))
    assert {} == site.state(DOOR)[1].throttled

    site.throttles.failed(DOOR.id, ALICE, NOW)
    assert {ALICE: NOW + timedelta(seconds=30)} == site.state(DOOR)[1].throttled
    site.throttles.failed(DOOR.id, ALICE, NOW + timedelta(seconds=31))
    assert {ALICE: NOW + timedelta(seconds=61)} == site.state(DOOR)[1].throttled

    site.throttles.cleared(DOOR.id, ALICE)
    assert {} == site.state(DOOR)[1].throttled
