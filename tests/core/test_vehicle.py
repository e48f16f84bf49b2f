"""Vehicles, and their plates as they are compared."""

from string import ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import PosternError
from postern.core.ids import VehicleId
from postern.core.vehicle import Vehicle, plate_text
from tests.people import GARAGE


@pytest.mark.parametrize(
    ("written", "text"),
    [("B-AB 123", "BAB123"), ("b.ab·123", "BAB123"), ("  ab12cde ", "AB12CDE"), ("A1", "A1")],
)
def test_a_plate_is_compared_without_separators_in_capitals(written, text):
    """However somebody writes it, it is the same plate."""
    assert text == plate_text(written)


@pytest.mark.parametrize(
    "written", ["", "A", "AB*123", "AB?123", "AB%", "ABCDEFGHIJK", "B\nAB1", "АВ123", "ß1", "ı1",
                "ﬁ12", "١٢٣", "ſ12", "B_1"]
)  # fmt: skip
def test_a_plate_of_anything_else_is_refused(written):
    """No wildcard, no look-alike of another alphabet, and nothing with an odd capital."""
    with pytest.raises(PosternError) as refused:
        plate_text(written)

    assert "invalid" == refused.value.code
    assert len(written) < 2 or written not in refused.value.message


@given(st.text(max_size=14))
def test_a_plate_is_ten_capitals_and_digits_at_most_or_refused(written):
    """Whatever is written, nothing else comes out, and writing that again changes nothing."""
    try:
        text = plate_text(written)
    except PosternError:
        return
    assert 2 <= len(text) <= 10
    assert set(text) <= set(ascii_uppercase + digits)
    assert text == plate_text(text)


@pytest.mark.parametrize(
    ("name", "plate", "label"),
    [("p-van", "BVAN101", "van"), ("v-van", "B-VAN101", "van"), ("v-van", "bvan101", "van"),
     ("v-van", "BVAN101", ""), ("v-van", "BVAN101", "a\nb")],
)  # fmt: skip
def test_a_vehicle_that_is_none_is_refused(name, plate, label):
    """Its id, its plate and its label are as they are kept."""
    with pytest.raises(PosternError):
        Vehicle(VehicleId(name), plate, label)


def test_the_garage_has_three_plates():
    """The cast's vehicles differ in their plates."""
    assert 3 == len({vehicle.plate for vehicle in GARAGE})
