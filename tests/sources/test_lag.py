"""When pictures of a stream were taken."""

import numpy as np
import pytest

from postern.core.errors import PosternError
from postern.sources.lag import Lag
from postern.stream.taken import Taken
from tests.clocks import SteppedClock

IMAGE = np.zeros((2, 2, 3), np.uint8)


def lags(times: list[tuple[float | None, float]]) -> list[float]:
    """How old each picture is held to be, from its stated time and how late it came."""
    clock, lag, found = SteppedClock(), Lag("The camera"), []
    start = clock.now()
    for stated_s, late_s in times:
        arrived = start.plus((stated_s or 0.0) + late_s)
        taken = Taken(IMAGE, arrived.monotonic_s, None if stated_s is None else stated_s + 5000.0)
        found.append(arrived.since(lag.captured(taken, arrived)))
    return found


def test_pictures_that_come_evenly_are_as_new_as_they_look() -> None:
    """The network takes as long for each."""
    assert [0.0] * 5 == pytest.approx(lags([(n * 0.2, 0.03) for n in range(5)]))


def test_pictures_that_were_held_back_are_as_old_as_they_are() -> None:
    """A network that stalls for a second hands on what was taken before."""
    late = [0.0, 0.0, 1.0, 0.8, 0.6, 0.0]

    assert late == pytest.approx(lags([(n * 0.2, late_s) for n, late_s in enumerate(late)]))


def test_pictures_kept_by_the_camera_are_old_once_that_shows() -> None:
    """A camera that begins with what it had kept sends it faster than it was taken; what is as new
    as it can be comes last, and nothing is thought newer than it is from then on."""
    kept = [(n * 0.2, 2.0 - n * 0.2) for n in range(11)]

    assert lags([*kept, (2.2, 0.0), (2.4, 0.5)])[-2:] == pytest.approx([0.0, 0.5])


def test_pictures_without_a_time_are_as_new_as_they_look() -> None:
    """There is nothing to go by."""
    assert [0.0, 0.0] == lags([(None, 0.0), (None, 3.0)])


def test_slow_drift_of_the_cameras_clock_does_not_age_its_pictures() -> None:
    """A clock that loses 0.1 ms a second is followed over the last minute."""
    drifted = lags([(float(n), n * 1e-4) for n in range(7200)])

    assert max(drifted) < 0.01


@pytest.mark.parametrize("jump_s", [-5000.0, -30.0, 30.0, 1e6])
def test_stream_whose_times_jump_is_dated_anew(jump_s: float) -> None:
    """After a camera has set its clock, or counted over."""
    before = [(n * 0.2, 0.0) for n in range(5)]
    after = [(1.0 + n * 0.2 + jump_s, -jump_s) for n in range(5)]

    assert [0.0] * 10 == pytest.approx(lags([*before, *after]), abs=1e-6)


def test_attack_network_that_holds_pictures_back_ever_longer() -> None:
    """None of them passes for new: the stream ends before."""
    clock, lag = SteppedClock(), Lag("The camera")
    start = clock.now()

    def thought_newer_s(number: int) -> float:
        arrived = start.plus(number * 0.3)
        taken = Taken(IMAGE, arrived.monotonic_s, number * 0.2)
        return number * 0.1 - arrived.since(lag.captured(taken, arrived))

    newer_s = [thought_newer_s(number) for number in range(100)]
    with pytest.raises(PosternError, match="more than 10 s late") as caught:
        thought_newer_s(101)

    assert max(newer_s) < 0.001
    assert caught.value.retry_helps
