"""A camera that shows something else than what is before it."""

from collections.abc import Callable

import numpy as np
import pytest

from postern.core.ids import CameraId
from postern.frame import Frame, Image
from postern.vision.tamper import LONGEST_LOOP_S, TamperWatch
from tests.clocks import SteppedClock

FPS = 5
_RANDOM = np.random.default_rng(7)


def noisy(level: int = 120) -> Image:
    """What a sensor gives: never the same twice."""
    scene = np.full((90, 160, 3), level, np.int16)
    scene[:, 80:] += 40
    return np.clip(scene + _RANDOM.normal(0.0, 2.0, scene.shape), 0, 255).astype(np.uint8)


def first_fault(
    show: Callable[[int], Image], seconds: float, watch: TamperWatch, clock: SteppedClock
) -> tuple[float, str] | None:
    """When the first fault was told, in seconds, and what it was."""
    for number in range(int(seconds * FPS)):
        clock.advance(1.0 / FPS)
        fault = watch.fault(Frame(CameraId("lane"), show(number), clock.now(), number))
        if fault is not None:
            return number / FPS, fault
    return None


def watched(show: Callable[[int], Image], seconds: float) -> tuple[float, str] | None:
    """The same for a camera that begins."""
    return first_fault(show, seconds, TamperWatch(), SteppedClock())


def test_camera_that_shows_a_still_scene_is_sound() -> None:
    """Its noise is enough."""
    assert watched(lambda _: noisy(), 90.0) is None


def test_camera_whose_codec_skips_what_does_not_change_is_sound() -> None:
    """It gives one picture ten times, and then another."""
    pictures = [noisy() for _ in range(40)]

    assert watched(lambda n: pictures[n // 10], 60.0) is None


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((90, 160, 3), np.uint8), "black"),
        (np.full((90, 160, 3), 16, np.uint8), "black"),
        (np.full((90, 160, 3), (250, 250, 250), np.uint8), "single colour"),
        (noisy(), "frozen"),
    ],
)
def test_covered_dark_and_frozen_cameras_are_told_within_five_seconds(
    picture: Image, words: str
) -> None:
    """Each with its reason."""
    found = watched(lambda _: picture, 10.0)

    assert found is not None
    assert found[0] <= 5.0
    assert words in found[1]


def test_dark_camera_is_told_although_it_has_noise() -> None:
    """A sensor without light still gives some."""
    found = watched(lambda _: (noisy(0) // 4).astype(np.uint8), 10.0)

    assert found is not None
    assert "black" in found[1]


@pytest.mark.parametrize("pictures", [2, 7, 25, 200])
def test_attack_recording_played_over_and_over_is_told_within_five_seconds(pictures: int) -> None:
    """Five seconds after it comes to what was shown already."""
    loop = [noisy() for _ in range(pictures)]

    found = watched(lambda n: loop[n % pictures], pictures / FPS + 10.0)

    assert found is not None
    assert found[0] - pictures / FPS <= 5.0
    assert "looped" in found[1]


def test_attack_recording_of_which_pictures_are_passed_over_is_told() -> None:
    """A busy machine takes every second or third picture, and not the same at each turn."""
    loop = [noisy() for _ in range(40)]
    places = np.cumsum(_RANDOM.integers(1, 4, 1000)) % 40

    found = watched(lambda n: loop[places[n]], 60.0)

    assert found is not None
    assert "looped" in found[1]


def test_fault_ends_with_the_first_picture_that_does_not_have_it() -> None:
    """Whoever drives up to a camera that looked frozen is seen at once."""
    watch, clock, still = TamperWatch(), SteppedClock(), noisy()
    assert first_fault(lambda _: still, 200.0, watch, clock) is not None
    assert first_fault(lambda _: still, 1.0, watch, clock) is not None

    assert first_fault(lambda _: noisy(), 20.0, watch, clock) is None


def test_frozen_camera_stays_so_for_longer_than_anything_is_remembered() -> None:
    """It is not taken for sound again because the first of its pictures is forgotten."""
    watch, clock, still = TamperWatch(), SteppedClock(), noisy()
    first_fault(lambda _: still, 10.0, watch, clock)

    for _ in range(int(3 * LONGEST_LOOP_S * FPS)):
        clock.advance(1.0 / FPS)
        assert watch.fault(Frame(CameraId("lane"), still, clock.now(), 0)) is not None


def test_nothing_of_a_picture_is_kept() -> None:
    """A hash of a few points for each."""
    watch = TamperWatch()
    first_fault(lambda _: noisy(), 20.0, watch, SteppedClock())

    kept = [value for slot in vars(watch).values() for value in _leaves(slot)]
    assert kept
    assert all(not isinstance(value, np.ndarray) for value in kept)
    assert all(len(value) == 16 for value in kept if isinstance(value, bytes))


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for pair in value.items() for leaf in _leaves(pair)]
    if isinstance(value, (str, bytes, np.ndarray)) or not hasattr(value, "__iter__"):
        inner = [getattr(value, name) for name in getattr(type(value), "__slots__", ())]
        return [leaf for one in inner for leaf in _leaves(one)] or [value]
    return [leaf for one in value for leaf in _leaves(one)]
