"""Access points and areas."""

from dataclasses import replace
from datetime import timedelta

import pytest

from postern.core.errors import PosternError
from tests.people import DOOR, OFFICE


@pytest.mark.parametrize("hold_s", [0.0, -1.0, 60.1, float("nan"), float("inf")])
def test_an_actuator_is_never_driven_for_ever(hold_s):
    """A pulse ends, and there is one."""
    with pytest.raises(PosternError, match="60 seconds"):
        replace(DOOR, hold_s=hold_s)


@pytest.mark.parametrize(
    "changes",
    [{"capacity": 0}, {"capacity": -1}, {"passback_resets": timedelta(0)},
     {"passback_resets": -timedelta(hours=1)}],
    ids=str,
)  # fmt: skip
def test_an_area_that_nobody_could_enter_or_leave_is_refused(changes):
    """At least one fits, and time only goes forward."""
    with pytest.raises(PosternError):
        replace(OFFICE, **changes)


def test_an_area_may_have_no_limit():
    """Without a capacity there is always room."""
    assert replace(OFFICE, capacity=None).capacity is None
    assert 1 == replace(OFFICE, capacity=1).capacity
