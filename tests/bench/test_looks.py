"""What can be compared is sorted out, and what cannot is counted."""

from dataclasses import replace

import numpy as np
import pytest

from postern.bench import looks as module
from postern.bench.looks import Capture, Cause, acquire
from postern.core.errors import Code, PosternError
from postern.core.look import Flaw
from tests.bench.strangers import made_up, spoiled, turned_about


def test_acquire_counts_failures_and_their_causes() -> None:
    """Flawed pictures and pictures without a face fail, by their first reason."""
    people = made_up(4, 5)
    people["person-0000"] += [spoiled(Flaw.BLURRED), spoiled(Flaw.BLURRED), spoiled(None)]

    found, _ = acquire(people, 1)

    assert (found.failure_to_acquire.hits, found.failure_to_acquire.trials) == (3, 23)
    assert found.causes == (Cause("blurred", 2), Cause("no_face", 1))


def test_acquire_cannot_enrol_people_with_fewer_than_three_usable_looks() -> None:
    """Two good looks and a bad one are not a reference."""
    people = made_up(4, 3)
    people["person-0000"] = [*people["person-0000"][:2], spoiled()]

    found, enrolled = acquire(people, 1)

    assert (found.failure_to_enrol.hits, found.failure_to_enrol.trials) == (1, 4)
    assert (found.enrolled, found.pairs, len(enrolled)) == (3, 3, 3)


@pytest.mark.parametrize(
    "vector",
    [
        np.full(128, np.nan, np.float32),
        np.append(np.zeros(127, np.float32), np.float32(np.inf)),
        np.zeros(64, np.float32),
    ],
)
def test_acquire_fails_vectors_that_are_no_numbers(vector) -> None:
    """NaN, infinity or a wrong length never reach a comparison."""
    people = made_up(3, 4)
    people["person-0001"][0] = replace(people["person-0001"][0], vector=vector)

    found, enrolled = acquire(people, 1)

    assert found.causes == (Cause("not_a_number", 1),)
    assert [len(person.vectors) for person in enrolled] == [4, 3, 4]


def test_acquire_passes_over_repeated_pictures_of_a_person() -> None:
    """A picture that lies there twice is one look, so it cannot match itself."""
    people = made_up(3, 3)
    people["person-0002"].append(replace(people["person-0002"][0], file="again.jpg"))

    found, enrolled = acquire(people, 1)

    assert (found.copies, found.shared) == (1, 0)
    assert len(enrolled[2].vectors) == 3


def test_acquire_counts_pictures_that_two_people_have() -> None:
    """The same picture in two folders is an error in the data, and is told."""
    people = made_up(3, 3)
    people["person-0002"].append(replace(people["person-0000"][0], file="other.jpg"))

    assert acquire(people, 1)[0].shared == 1


def test_acquire_treats_a_missing_quality_as_the_worst() -> None:
    """NaN does not sort; the worst does."""
    people = made_up(2, 3)
    people["person-0000"][1] = replace(people["person-0000"][1], quality=float("nan"))

    assert sorted(acquire(people, 1)[1][0].quality)[0] == -np.inf


@pytest.mark.parametrize("people", [{}, {"a": []}, {"a": [], "b": []}])
def test_acquire_refuses_an_empty_folder(people) -> None:
    """The message says what belongs into the folder."""

    with pytest.raises(PosternError, match="no pictures of people") as refused:
        acquire(people, 1)

    assert refused.value.code is Code.INVALID
    assert "one folder per person" in refused.value.hint


@pytest.mark.parametrize(("people", "looks", "can"), [(1, 9, "1 of 1"), (5, 2, "0 of 5")])
def test_acquire_refuses_fewer_than_two_people_who_can_enrol(people, looks, can) -> None:
    """One person has no strangers."""

    with pytest.raises(PosternError, match=f"at least two people.*{can} can enrol"):
        acquire(made_up(people, looks), 1)


def test_acquire_draws_people_when_there_are_too_many(monkeypatch) -> None:
    """Beyond the limit a seeded draw is compared, and the counts tell both numbers."""
    monkeypatch.setattr(module, "MAX_PEOPLE", 5)

    found, enrolled = acquire(made_up(8, 3), 1)

    assert (found.enrolled, found.compared, found.pairs, len(enrolled)) == (8, 5, 10, 5)


def test_acquire_goes_by_names_and_not_by_order() -> None:
    """People and pictures in another order are the same data."""
    people = made_up(4, 4)

    (found, enrolled), (other, others) = acquire(people, 1), acquire(turned_about(people), 1)

    assert found == other
    assert all(np.array_equal(a.vectors, b.vectors) for a, b in zip(enrolled, others, strict=True))


def test_acquire_keeps_captures_as_they_are() -> None:
    """What is enrolled are the usable vectors themselves."""
    vector = np.arange(128, dtype=np.float32)
    people = {
        name: [Capture(f"{at}.jpg", vector + at + offset, (), 1.0) for at in range(3)]
        for name, offset in (("a", 0), ("b", 9))
    }

    assert np.array_equal(acquire(people, 1)[1][1].vectors[0], vector + 9)
