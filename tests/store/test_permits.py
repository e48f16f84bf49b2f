"""Permits in the store, and their schedules as text."""

from dataclasses import replace
from datetime import UTC, date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.core.ids import AccessPointId, PermitId, PersonId
from postern.core.schedule import Schedule, Span
from postern.store import schedule_text
from postern.store.store import Store
from tests.people import ALICE, BARRIER, DOOR, NOW, PERMITS, permit

NIGHT = Span(time(22), time(6))
WORK = Span(time(8), time(12, 30))
SCHEDULE = Schedule(
    ZoneInfo("Europe/Bucharest"),
    ((WORK, NIGHT),) * 5 + ((), ()),
    ((date(2026, 12, 25), ()), (date(2026, 12, 31), (WORK,))),
)


def test_permit_is_found_again(site: Store) -> None:
    """Exactly as it was added, factors in their order."""
    assert {one.id: one for one in PERMITS} == {one.id: one for one in site.permits.all()}


def test_permit_keeps_its_schedule_and_validity(site: Store) -> None:
    """The time zone comes back by its name."""
    new = permit(
        ALICE, name="new", schedule=SCHEDULE, valid_until=NOW + timedelta(days=7, microseconds=1)
    )
    site.permits.add(new)

    assert new == site.permits.find(new.id)


def test_permits_at_an_access_point_are_those_that_name_it(site: Store) -> None:
    """And no others."""
    site.permits.add(permit(ALICE, name="barrier-only", at=frozenset({BARRIER.id})))

    assert len(PERMITS) == len(site.permits.at(DOOR.id))
    assert len(PERMITS) + 1 == len(site.permits.at(BARRIER.id))
    assert () == site.permits.at(AccessPointId("elsewhere"))


def test_permit_for_somebody_unknown_is_refused(site: Store) -> None:
    """A permit never waits for its holder to turn up."""
    with pytest.raises(PosternError) as refused:
        site.permits.add(permit(ALICE, PersonId("p-nobody"), name="new"))

    assert Code.NOT_FOUND is refused.value.code
    with pytest.raises(PosternError):
        site.permits.find(PermitId("new"))


def test_permit_is_added_and_removed_once(site: Store) -> None:
    """A taken id is a conflict, a missing one is not found."""
    with pytest.raises(PosternError) as taken:
        site.permits.add(permit(ALICE, name="alice"))
    site.permits.remove(PermitId("alice"))
    with pytest.raises(PosternError) as missing:
        site.permits.remove(PermitId("alice"))

    assert (Code.CONFLICT, Code.NOT_FOUND) == (taken.value.code, missing.value.code)
    assert "alice" not in [one.id for one in site.permits.all()]


def test_schedule_without_a_named_zone_is_refused(site: Store) -> None:
    """An offset is no time zone: it would be wrong by an hour after the next change."""
    with pytest.raises(PosternError, match="needs a name"):
        site.permits.add(permit(ALICE, name="new", schedule=replace(SCHEDULE, zone=UTC)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"v":1,"zone":"../../etc/passwd","weekly":[],"exceptions":[]}',
        '{"v":1,"zone":"America","weekly":[[],[],[],[],[],[],[]],"exceptions":[]}',
        schedule_text.encode(SCHEDULE).replace('"v":1', '"v":2'),
        schedule_text.encode(SCHEDULE).replace("08:00", "8:00"),
        schedule_text.encode(SCHEDULE) + " ",
        schedule_text.encode(SCHEDULE).replace("Europe/Bucharest", "Europe/Atlantis"),
    ],
)
def test_damaged_schedule_is_refused(text: str) -> None:
    """Only what this program would have written is read."""
    with pytest.raises(PosternError):
        schedule_text.decode(text)


@given(st.text())
def test_hostile_schedule_raises_only_our_error(text: str) -> None:
    """Whatever text comes, the answer is a refusal in one sentence."""
    with pytest.raises(PosternError):
        schedule_text.decode(text)
