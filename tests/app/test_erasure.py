"""Forgetting a person: keys first, all of it, and again where it was cut short."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.app.erasure import Erasure, erase
from postern.core.access_point import AccessPoint
from postern.core.errors import Code, PosternError
from postern.core.event import Erased, Event
from postern.core.ids import EventId, PersonId
from tests.app.notebook import Notebook
from tests.app.sealed_site import MODES, SealedSite, make_site
from tests.people import ALICE, DAN, DOOR, NOW, PERSONS


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SealedSite]:
    made = make_site(tmp_path / "site")
    yield made
    made.close()


@pytest.mark.parametrize("person", MODES)
def test_erasure_counts_what_there_was_and_leaves_none_of_it(
    site: SealedSite, person: PersonId
) -> None:
    """In whatever way the reference was kept; everybody else stays as they were."""
    point: AccessPoint = DOOR
    site.store.areas.entered(point.area.id, [person], NOW)
    site.store.throttles.failed(point.id, person, NOW)
    notebook = Notebook()
    done = erase(site.store, site.vault, notebook, person, NOW)

    known = next(one for one in PERSONS if one.id == person)
    wanted = Erasure(known, NOW, EventId("0"), keys=1, references=1, passes=0, others=0, consents=1,
                     permits=1, presence=2)  # fmt: skip
    assert wanted == done
    assert [Erased(NOW, person)] == notebook.events
    assert person not in set(site.store.ids())
    assert site.vault.is_erased(person)
    assert {other for other in MODES if other != person} == {
        owner for owner, _ in site.vault.keyed()
    }
    assert all(site.recognised(other) for other in MODES if other != person)


def test_erasure_whose_event_fails_has_destroyed_the_keys_and_is_finished_by_the_next(
    site: SealedSite,
) -> None:
    """What is left cannot be opened meanwhile."""

    class Full(Notebook):
        def append(self, event: Event) -> EventId:
            raise PosternError(Code.UNAVAILABLE, "The disk is full.")

    with pytest.raises(PosternError, match="full"):
        erase(site.store, site.vault, Full(), DAN, NOW)
    assert site.vault.is_erased(DAN)
    assert DAN in {person.id for person in site.store.people.all()}
    with pytest.raises(PosternError, match="destroyed"):
        site.recognised(DAN)

    notebook = Notebook()
    done = erase(site.store, site.vault, notebook, DAN, NOW)
    assert (0, 1, 1) == (done.keys, done.references, done.consents)
    assert [Erased(NOW, DAN)] == notebook.events
    assert DAN not in {person.id for person in site.store.people.all()}


def test_keys_that_cannot_be_destroyed_leave_everything_as_it_was(site: SealedSite) -> None:
    """Nothing says that somebody was erased who was not."""
    notebook = Notebook()
    site.vault.close()
    with pytest.raises(PosternError) as failed:
        erase(site.store, site.vault, notebook, ALICE, NOW)

    assert failed.value.retry_helps or failed.value.code is Code.INTERNAL
    assert [] == notebook.events
    assert ALICE in {person.id for person in site.store.people.all()}


def test_erasing_twice_says_so(site: SealedSite) -> None:
    """And somebody who never was is told from somebody who was."""
    erase(site.store, site.vault, Notebook(), ALICE, NOW)
    notebook = Notebook()
    with pytest.raises(PosternError, match="erased before"):
        erase(site.store, site.vault, notebook, ALICE, NOW)
    with pytest.raises(PosternError, match="no person of that id"):
        erase(site.store, site.vault, notebook, PersonId("p-nobody"), NOW)
    assert [] == notebook.events
