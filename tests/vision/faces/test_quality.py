"""The gate: every flaw by its own limit."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from postern.core.look import Flaw
from postern.frame import Image
from postern.vision.faces.quality import Geometry, Limits, flaws, geometry, sharpness

_FRONT = Geometry(eyes_px=60.0, yaw=0.0, pitch=0.6)


def grain(mean: float = 120.0, spread: float = 30.0) -> Image:
    """A sharp grey chip of that mean and spread."""
    levels = np.random.default_rng(0).normal(mean, spread, (150, 150, 1)).clip(0, 255)
    return np.repeat(levels, 3, axis=2).astype(np.uint8)


def point(x: float, y: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array([x, y], np.float32)


def test_flaws_are_none_for_a_clear_face_from_the_front() -> None:
    """Nothing is wrong with it."""
    assert () == flaws(_FRONT, grain(), Limits())


@pytest.mark.parametrize(
    ("flaw", "face", "chip"),
    [
        (Flaw.TOO_SMALL, replace(_FRONT, eyes_px=19.9), grain()),
        (Flaw.TURNED_AWAY, replace(_FRONT, yaw=0.36), grain()),
        (Flaw.TURNED_AWAY, replace(_FRONT, yaw=-0.36), grain()),
        (Flaw.TURNED_AWAY, replace(_FRONT, pitch=0.29), grain()),
        (Flaw.TURNED_AWAY, replace(_FRONT, pitch=0.96), grain()),
        (Flaw.TOO_DARK, _FRONT, grain(mean=25.0, spread=12.0)),
        (Flaw.TOO_DARK, _FRONT, grain(spread=8.0)),
        (Flaw.TOO_BRIGHT, _FRONT, grain(mean=225.0, spread=15.0)),
    ],
)
def test_flaws_name_what_is_wrong(flaw: Flaw, face: Geometry, chip: Image) -> None:
    """One thing wrong gives one flaw, once."""
    assert (flaw,) == flaws(face, chip, Limits())


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_flaws_refuse_what_is_no_number(number: float) -> None:
    """A geometry that arithmetic has ruined never passes the gate."""
    assert flaws(Geometry(number, number, number), grain(), Limits()) != ()
    assert Flaw.TURNED_AWAY in flaws(replace(_FRONT, yaw=number), grain(), Limits())
    assert Flaw.TURNED_AWAY in flaws(replace(_FRONT, pitch=number), grain(), Limits())


def test_flaws_name_a_flat_chip_dark_and_blurred() -> None:
    """A covered lens has neither contrast nor edges."""
    assert (Flaw.TOO_DARK, Flaw.BLURRED) == flaws(_FRONT, np.zeros((150, 150, 3), np.uint8),
                                                  Limits())  # fmt: skip


def test_geometry_is_in_eye_distances_whatever_way_the_camera_is_turned() -> None:
    """A nose a quarter to the right and half an eye distance down, upright and lying."""
    upright = geometry(point(10, 50), point(50, 50), point(40, 70))
    lying = geometry(point(50, 10), point(50, 50), point(30, 40))

    for face in (upright, lying):
        assert (40.0, 0.25, 0.5) == pytest.approx((face.eyes_px, face.yaw, face.pitch))


def test_geometry_of_one_point_is_no_face() -> None:
    """Eyes in one place have no distance, and such a face is turned away."""
    face = geometry(point(5, 5), point(5, 5), point(9, 9))

    assert 0.0 == face.eyes_px
    assert {Flaw.TOO_SMALL, Flaw.TURNED_AWAY} <= set(flaws(face, grain(), Limits()))


def test_sharpness_does_not_depend_on_contrast() -> None:
    """Half the contrast is as sharp; a flat picture is not sharp at all."""
    grey = grain()[..., 0]

    assert sharpness(grey) == pytest.approx(sharpness(grey // 2 + 40), rel=0.05)
    assert 0.0 == sharpness(np.full((90, 90), 77, np.uint8))


@pytest.mark.parametrize("sigma", [6.0, 9.0])
def test_flaws_name_a_blurred_face_however_little_contrast_is_left(sigma: float) -> None:
    """Rounding to whole grey levels makes edges of its own, which must not pass for sharpness."""
    soft = cv2.GaussianBlur(grain(spread=40.0).astype(np.float32), (0, 0), sigma)
    chip = np.rint((soft - soft.mean()) * 12 / soft.std() + 120).astype(np.uint8)
    assert chip[30:120, 30:120].std() > Limits().min_contrast

    assert (Flaw.BLURRED,) == flaws(_FRONT, chip, Limits())
