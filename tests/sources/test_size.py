"""What the pictures of a camera may measure."""

from collections.abc import Iterator

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.frame import Frame
from postern.sources.size import Size
from tests.clocks import SteppedClock


def frames(width: int, height: int) -> Iterator[Frame]:
    """One picture of a camera."""
    image = np.zeros((height, width, 3), np.uint8)
    yield Frame(CameraId("lane"), image, SteppedClock().now(), 0)


@pytest.mark.parametrize(
    ("width", "height"), [(640, 360), (16, 16), (360, 640), (3840, 2160), (5120, 1440)]
)
def test_size_of_a_camera_at_a_gate_need_not_be_said(width: int, height: int) -> None:
    """Lying, standing on end, or two pictures side by side."""
    assert 1 == len(list(Size("The camera", None, None).checked(frames(width, height))))


@pytest.mark.parametrize(
    ("width", "height"), [(5000, 5000), (65500, 2), (2, 65500), (1, 1), (15, 15), (4000, 500)]
)
def test_attack_size_that_costs_much_to_look_at(width: int, height: int) -> None:
    """It is refused where nobody said that it is right, and taken where somebody did."""
    with pytest.raises(PosternError, match=f"{width} x {height} pixels") as caught:
        list(Size("The camera", None, None).checked(frames(width, height)))

    assert Code.UNAVAILABLE is caught.value.code
    assert "`width` and `height`" in caught.value.hint
    assert 1 == len(list(Size("The camera", width, height).checked(frames(width, height))))
