"""Photographs: a fixed part of the labelled set, with floors well below what is measured."""

import pytest

from postern.core.errors import Code, PosternError
from postern.vision.plates.evaluate import Labelled, Outcome, evaluate, labels, score
from tests.needs import shared


@pytest.mark.parametrize(("subset", "step", "floor"), [("us", 8, 8), ("br", 8, 6)])
def test_plates_of_photographs_are_read(recogniser, subset, step, floor):
    """Whole photographs, nothing told of where the plate is: most are read exactly."""
    folder = shared("data/plates-openalpr")

    counted = evaluate(recogniser, labels(folder / subset, folder / f"{subset}.jsonl")[::step])

    assert counted.strict >= floor
    assert counted.folded >= counted.strict
    assert counted.n == len(counted.seconds)


def test_score_counts_each_way(tmp_path):
    """Strict, folded and corrected counts differ as they should."""
    labelled = Labelled(tmp_path / "x.jpg", (0, 0, 10, 5), "AB0I", "ABOI")
    outcomes = [
        Outcome(labelled, "AB0I", True, (), 0.1),
        Outcome(labelled, "ABO1", True, ("XYZ123",), 0.1),
        Outcome(labelled, "ABOI", True, (), 0.1),
        Outcome(labelled, "", False, (), 0.1),
    ]

    counted = score(outcomes)

    assert (4, 3, 1, 1, 3, 1, 1) == (
        *(counted.n, counted.located, counted.strict, counted.compared),
        *(counted.folded, counted.corrected, counted.elsewhere),
    )


@pytest.mark.parametrize(
    "text", ["{", '{"file": "a.jpg"}', '{"file": 1, "box_xywh": 3, "plate": 1}']
)
def test_damaged_listing_is_refused(tmp_path, text):
    """A listing that is damaged is one clear error."""
    listing = tmp_path / "us.jsonl"
    listing.write_text(text)

    with pytest.raises(PosternError) as error:
        labels(tmp_path, listing)

    assert error.value.code is Code.INVALID
