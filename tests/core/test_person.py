"""People, of whom nothing but a name is kept."""

import pytest

from postern.core.errors import PosternError
from postern.core.ids import PersonId
from postern.core.person import Person, folded
from tests.people import PERSONS


def test_a_person_has_an_id_and_a_name_and_nothing_else():
    """There is no field for a trait and none for remarks."""
    assert {"id", "name"} == set(Person.__dataclass_fields__)
    assert ["Alice", "Bob", "Carol", "Dan", "Erin"] == [person.name for person in PERSONS]


@pytest.mark.parametrize(
    ("name", "called"),
    [("alice", "Alice"), ("v-alice", "Alice"), ("p-alice", ""), ("p-alice", " Alice"),
     ("p-alice", "Al\nice"), ("p-alice", "Al\x1b[31mice"), ("p-alice", "A" * 121)],
)  # fmt: skip
def test_a_person_who_cannot_be_named_on_one_line_is_refused(name, called):
    """Nor one whose id could be mistaken for a vehicle's."""
    with pytest.raises(PosternError):
        Person(PersonId(name), called)


@pytest.mark.parametrize("called", ["Ng", "Zoë Ångström", "李小龍", "A" * 120])
def test_a_name_may_be_any_persons(called):
    """In any script, up to 120 characters."""
    assert called == Person(PersonId("p-1"), called).name


@pytest.mark.parametrize(
    ("name", "looked_for"),
    [("Zoë", "zoe"), ("ÅSE", "ase"), ("Straße", "strasse"), ("Nguyễn", "nguyen"), ("Ｊｏ", "jo")],
)
def test_name_is_folded_for_those_who_look_for_it(name, looked_for):
    """Capitals, marks and wide letters make no difference; folding once more changes nothing."""
    assert looked_for == folded(name) == folded(folded(name))
