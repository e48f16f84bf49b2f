"""People in the store."""

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import PersonId
from postern.core.person import Person
from postern.store.store import Store
from tests.people import ALICE, DOOR, ERIN, NOW, PERSONS


def test_person_is_found_again(site: Store) -> None:
    """Everybody who was added is there, in order of their names."""
    assert PERSONS[0] == site.people.find(ALICE)
    assert PERSONS == site.people.all()


def test_person_is_added_once(site: Store) -> None:
    """A taken id is a conflict and changes nothing."""
    with pytest.raises(PosternError) as refused:
        site.people.add(Person(ALICE, "Another Alice"))

    assert Code.CONFLICT is refused.value.code
    assert "Alice" == site.people.find(ALICE).name


def test_person_is_renamed(site: Store) -> None:
    """People may change what they want to be called."""
    site.people.rename(Person(ALICE, "Alice B."))

    assert "Alice B." == site.people.find(ALICE).name


def test_removing_a_person_forgets_all_of_theirs(site: Store) -> None:
    """Consents, credentials, permits for them alone and their state go with them."""
    site.areas.entered(DOOR.area.id, [ALICE], NOW)
    destroyed: list[PersonId] = []
    site.people.remove(ALICE, destroyed.append)

    assert [ALICE] == destroyed
    with pytest.raises(PosternError):
        site.people.find(ALICE)
    assert () == site.consents.of(ALICE)
    assert () == site.credentials.of(ALICE)
    assert {} == site.areas.inside(DOOR.area.id)
    assert "alice" not in [permit.id for permit in site.permits.all()]


def test_removing_a_person_leaves_permits_that_others_share(site: Store) -> None:
    """A permit of a vehicle and its driver stays for the vehicle, and lets no driver through."""
    site.people.remove(ERIN, lambda person: None)
    permits = {str(permit.id): permit for permit in site.permits.all()}

    assert "erin" not in permits
    assert {"v-coupe"} == permits["coupe"].holders


def test_keys_go_before_anything_else(site: Store) -> None:
    """Where the keys cannot be destroyed, nothing is forgotten, so that it is tried again."""

    def fail(person: str) -> None:
        raise PosternError(Code.UNAVAILABLE, "The disk failed.")

    with pytest.raises(PosternError):
        site.people.remove(ALICE, fail)
    assert site.people.find(ALICE)
    assert site.credentials.of(ALICE)


@pytest.mark.parametrize("call", ["find", "rename", "remove"])
def test_missing_person_is_not_found(store: Store, call: str) -> None:
    """And no key is touched."""
    destroyed: list[str] = []
    calls = {
        "find": lambda: store.people.find(ALICE),
        "rename": lambda: store.people.rename(PERSONS[0]),
        "remove": lambda: store.people.remove(ALICE, destroyed.append),
    }
    with pytest.raises(PosternError) as refused:
        calls[call]()

    assert Code.NOT_FOUND is refused.value.code
    assert [] == destroyed
