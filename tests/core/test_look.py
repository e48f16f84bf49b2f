"""What one frame showed."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import PosternError
from postern.core.look import ADVICE, Box, Flaw, Look

edges = st.integers(-50, 50)


@st.composite
def boxes(draw):
    """Boxes on whole pixels."""
    x0, y0 = draw(edges), draw(edges)
    return Box(x0, y0, x0 + draw(st.integers(1, 30)), y0 + draw(st.integers(1, 30)))


@given(boxes(), boxes())
def test_iou_counts_pixels(one, other):
    """The formula gives what counting the pixels of both boxes gives."""

    def pixels(box):
        return {(x, y) for x in range(int(box.x0), int(box.x1))
                for y in range(int(box.y0), int(box.y1))}  # fmt: skip

    both, either = pixels(one) & pixels(other), pixels(one) | pixels(other)

    assert len(both) / len(either) == pytest.approx(one.iou(other))
    assert one.iou(other) == other.iou(one)


@pytest.mark.parametrize(
    "corners", [(0, 0, 0, 1), (0, 0, 1, 0), (1, 0, 0, 1), (float("nan"), 0, 1, 1)]
)
def test_a_box_without_an_inside_is_refused(corners):
    """Width and height are positive."""
    with pytest.raises(PosternError, match="positive"):
        Box(*corners)


def test_a_box_has_its_sizes():
    """From edge to edge."""
    assert (3.0, 5.0) == (Box(1, 2, 4, 7).width, Box(1, 2, 4, 7).height)


def test_every_flaw_comes_with_advice():
    """Whatever spoils a look, the person hears what to do."""
    assert set(Flaw) == set(ADVICE)
    assert len(Flaw) == len(set(ADVICE.values()))


def test_a_look_holds_no_picture_and_no_vector():
    """Its fields are words, numbers and times."""
    assert ["kind", "box", "score", "flaws", "seen"] == [field.name for field in fields(Look)]
