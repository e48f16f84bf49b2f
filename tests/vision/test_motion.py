"""The motion gate, on scenes made here."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from postern.core.errors import PosternError
from postern.core.ids import CameraId
from postern.frame import Frame, Image
from postern.vision.motion import MAX_HEIGHT, WIDTH, Config, MotionGate, State, shrink
from tests.clocks import SteppedClock

SIZE = (360, 640)  # Height and width in pixels.
STEP_S = 0.2  # 5 frames per second.
QUIET_S = 6.0  # Longer than the gate is held open.

Scene = npt.NDArray[np.float32]


@cache
def street(size: tuple[int, int] = SIZE) -> Scene:
    """A still scene with soft and sharp structure, grey levels about 40 to 180."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(60, 160, (9, 16, 3))
    soft = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    scene = np.asarray(soft, dtype=np.float32)
    scene[:, size[1] // 3 : size[1] // 3 + 6] = 40
    scene.flags.writeable = False  # All tests share it.
    return scene


def with_patch(scene: Scene, x: float, y: float, size: tuple[int, int], level: float) -> Scene:
    """The scene with an even patch of `size` (width, height) whose upper left corner is x, y."""
    changed = scene.copy()
    x0, y0 = max(0, int(x)), max(0, int(y))
    changed[y0 : max(0, int(y) + size[1]), x0 : max(0, int(x) + size[0])] = level
    return changed


class Camera:
    """Shows scenes to a gate, with sensor noise, five times a second."""

    def __init__(self, noise: float = 4.0, config: Config | None = None) -> None:
        self.gate = MotionGate(config)
        self._rng = np.random.default_rng(2)
        # Twice the size and cut out anew for each frame: drawing numbers would take most of the
        # time of these tests.
        size = (2 * SIZE[0], 2 * SIZE[1], 3)
        self._noise = noise * self._rng.standard_normal(size, dtype=np.float32)
        self._clock = SteppedClock()
        self._count = 0

    def sees(self, scene: Scene) -> bool:
        """Whether the gate is open for one more frame of the scene."""
        height, width = scene.shape[:2]
        y, x = self._rng.integers(0, (2 * SIZE[0] - height, 2 * SIZE[1] - width))
        noisy = scene + self._noise[y : y + height, x : x + width]
        image: Image = cv2.convertScaleAbs(np.maximum(noisy, 0.0)).astype(np.uint8, copy=False)
        frame = Frame(CameraId("gate"), image, self._clock.now(), self._count)
        self._clock.advance(STEP_S)
        self._count += 1
        return self.gate.moved(frame)

    def watches(self, scene_at: Callable[[float], Scene], seconds: float) -> list[bool]:
        """What the gate says of a scene that changes with the seconds."""
        return [self.sees(scene_at(n * STEP_S)) for n in range(round(seconds / STEP_S))]

    def settles(self, scene: Scene) -> None:
        """Looks at the still scene until the gate is shut."""
        assert not self.watches(lambda _: scene, QUIET_S)[-1]


def test_motion_opens_for_the_first_frame_and_shuts_after_a_while() -> None:
    """Somebody may already stand there; after `hold_s` without motion it is shut."""
    opened = Camera().watches(lambda _: street(), QUIET_S)

    held = round(Config().hold_s / STEP_S)
    assert all(opened[:held])
    assert not any(opened[held + 1 :])


@pytest.mark.parametrize("noise", [0.0, 4.0, 10.0, 25.0])
def test_motion_stays_shut_for_noise_alone(noise: float) -> None:
    """Sensor noise up to that of a camera at night, for a while."""
    camera = Camera(noise)
    camera.settles(street())

    assert not any(camera.watches(lambda _: street(), 40.0))


@pytest.mark.parametrize("change", [25.0, -25.0])
def test_motion_stays_shut_when_the_light_drifts(change: float) -> None:
    """A cloud: the whole scene gets brighter or darker by a quarter within half a minute."""
    camera = Camera()
    camera.settles(street())

    opened = camera.watches(
        lambda s: street() * np.float32(1 + change / 100 * min(s / 30, 1.0)), 40.0
    )

    assert not any(opened)


def test_motion_stays_shut_when_all_gets_brighter_at_once() -> None:
    """A step of exposure that adds the same everywhere is light."""
    camera = Camera()
    camera.settles(street())

    assert not any(camera.watches(lambda _: street() + np.float32(15), 3.0))


def test_motion_opens_for_a_face_that_appears() -> None:
    """An even patch of 60 pixels, 25 grey levels off the wall behind it, opens at once."""
    camera = Camera()
    wall = np.full((*SIZE, 3), 120, np.float32)
    camera.settles(wall)

    assert camera.sees(with_patch(wall, 300, 150, (60, 60), 145.0))


@pytest.mark.parametrize("noise", [4.0, 10.0])
def test_motion_opens_for_a_small_moving_blob(noise: float) -> None:
    """A face of 60 pixels that crosses the scene opens within two frames of coming into view."""
    camera = Camera(noise)
    camera.settles(street())

    opened = camera.watches(lambda s: with_patch(street(), 200 * s, 120, (60, 75), 175.0), 2.0)

    assert all(opened[2:])


def test_motion_opens_for_a_walking_person_in_a_dark_scene() -> None:
    """At night, ten levels of contrast and noise of eight still open."""
    camera = Camera(8.0)
    night = street() * np.float32(0.15)
    camera.settles(night)

    opened = camera.watches(lambda s: with_patch(night, 100 * s, 60, (90, 280), 28.0), 3.0)

    assert any(opened[:5])
    assert opened[-1]


def test_motion_opens_for_a_car_that_comes_closer() -> None:
    """A dark car that grows from 80 pixels to the whole width is motion all the way."""
    camera = Camera()
    camera.settles(street())

    def car(seconds: float) -> Scene:
        width = round(80 * 1.3 ** min(seconds, 7.9))
        return with_patch(street(), 320 - width / 2, 180 - width / 4, (width, width // 2), 30.0)

    assert all(camera.watches(car, 8.0)[1:])


def test_motion_opens_when_most_of_the_picture_changes() -> None:
    """A lorry that fills nine tenths of the view at once does not pass for light or noise."""
    camera = Camera()
    camera.settles(street())
    rng = np.random.default_rng(3)
    sides = np.kron(rng.uniform(20, 220, (18, 29)), np.ones((20, 20)))
    lorry = street().copy()
    lorry[:, : sides.shape[1]] = sides[:, :, None]

    assert camera.sees(lorry)


def test_motion_is_held_for_somebody_who_stands_still() -> None:
    """For `hold_s` after the last motion, somebody who stopped is still looked at."""
    config = replace(Config(), background_s=0.5, hold_s=3.0)
    camera = Camera(config=config)
    camera.settles(street())
    standing = with_patch(street(), 300, 100, (60, 75), 200.0)

    opened = camera.watches(lambda _: standing, 10.0)

    assert all(opened[: round(3.0 / STEP_S)])
    assert not opened[-1]


def test_motion_takes_a_parked_car_for_background() -> None:
    """What stands for a minute is part of the scene, and its leaving is motion again."""
    camera = Camera()
    camera.settles(street())
    parked = with_patch(street(), 200, 100, (250, 120), 30.0)

    assert not camera.watches(lambda _: parked, 60.0)[-1]
    assert camera.sees(street())


def test_motion_opens_when_the_picture_changes_its_size() -> None:
    """Another size is another scene: it counts as a first frame."""
    camera = Camera()
    camera.settles(street())

    assert camera.sees(street((480, 640)))


def test_motion_opens_when_the_clock_runs_backwards() -> None:
    """Frames out of order are looked at rather than skipped, and the scene is learned anew."""
    camera = Camera()
    camera.settles(street())
    camera._clock.advance(-100.0)  # The camera's own clock, not the gate's inside.

    assert camera.sees(street())
    camera.settles(street())


def test_motion_keeps_no_picture() -> None:
    """All that is kept is a blurred grey background of 160 pixels."""
    camera = Camera()
    for _ in range(3):
        camera.sees(street())
    state = camera.gate.state

    assert {"config", "state"} == vars(camera.gate).keys()
    assert {float, int} == {type(value) for value in vars_of(camera.gate.config)}
    assert state is not None
    assert (90, WIDTH) == state.background.shape
    # Two axes: it is grey.
    assert {float, np.ndarray} == {type(value) for value in vars_of(state)}
    assert 1 == sum(isinstance(value, np.ndarray) for value in vars_of(state))


def vars_of(value: Config | State) -> list[object]:
    """What it holds."""
    return [getattr(value, field.name) for field in fields(value)]


@pytest.mark.parametrize(
    ("shape", "height"),
    [
        ((360, 640, 3), 90),
        ((1080, 1920, 3), 90),
        ((1, 1, 3), 160),
        ((5000, 2, 3), MAX_HEIGHT),
        ((2, 5000, 3), 1),
    ],
)
def test_shrink_takes_any_shape(shape: tuple[int, ...], height: int) -> None:
    """Whatever a camera gives becomes 160 pixels wide and at most 640 high."""
    small = shrink(np.full(shape, 77, np.uint8))

    assert (height, WIDTH) == small.shape
    assert np.float32 == small.dtype
    assert 77.0 == pytest.approx(float(small.mean()))


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"threshold": 20.0},
        {"min_pixels": 0},
        {"background_s": 0.0},
        {"hold_s": float("nan")},
        {"noise_factor": -1.0},
    ],
)
def test_config_refuses_the_impossible(settings: dict[str, float]) -> None:
    """A gate that could never open, or never learn, is refused."""
    with pytest.raises(PosternError):
        Config(**settings)  # type: ignore[arg-type]
