"""What a camera shows of a plate: the very flaws of the recogniser, and what to do."""

from math import degrees

import cv2
import numpy as np
import pytest

from postern.core.look import Flaw
from postern.vision.plates.aim import PlateAim
from postern.vision.plates.join import LEANING
from postern.vision.plates.recogniser import SMALLEST
from tests.vision.plates import render
from tests.vision.plates.conftest import frame


def drawn(width=160, **others):
    rng = np.random.default_rng(5)
    return render.scene(rng, render.plate("KMP4178"), width, **others)[0]


def pictures():
    """Plates large and small, soft, dark, bright, slanted, cut; and none."""
    clear = drawn()
    yield from (drawn(width) for width in (45, 60, 240))
    yield from (cv2.GaussianBlur(clear, (0, 0), soft) for soft in (1.5, 5))
    yield from (np.clip(clear * gain, 0, 255).astype(np.uint8) for gain in (0.1, 0.15, 3.0))
    yield from (drawn(turn=turn) for turn in (0.2, 0.5))
    yield np.zeros((360, 640, 3), np.uint8)


def test_good_is_what_the_recogniser_takes(recogniser):
    """Plate by plate and flaw by flaw."""
    seen = set()
    for image in pictures():
        sightings = recogniser.sightings(frame(image))
        targets = PlateAim(recogniser).targets(image)
        assert [one.look.box for one in sightings] == [one.box for one in targets]
        for sighting, target in zip(sightings, targets, strict=True):
            assert set(sighting.look.flaws) == set(target.flaws)
            assert target.good is (sighting.template is not None)
            seen |= {target.good, *target.flaws}

    assert {True, False, Flaw.TOO_SMALL} <= seen


def test_size_is_told_in_pixels_and_falls_with_the_plate(recogniser):
    """Across the characters, with what the recogniser needs."""
    aim = PlateAim(recogniser)
    sizes = [aim.targets(drawn(width))[0].size_px for width in (240, 160, 100)]

    assert sizes == sorted(sizes, reverse=True)
    first = aim.targets(drawn())[0].measures[0]
    assert ("height of characters", SMALLEST) == (first.name, first.least)


def test_slant_is_told_in_degrees(recogniser):
    """With the most at which text can still be a plate."""
    (target, *_) = PlateAim(recogniser).targets(drawn(turn=0.2))
    slant = next(m for m in target.measures if m.name == "slant")

    assert degrees(0.2) == pytest.approx(slant.value, abs=2.0)
    assert degrees(LEANING) == slant.most


def test_what_was_read_is_nowhere_in_what_is_told(recogniser):
    """Neither in words nor in numbers of any character."""
    (target,) = PlateAim(recogniser).targets(drawn())

    assert target.good
    assert "KMP4178" == recogniser.text(recogniser.plates(drawn())[0].slots)
    assert "4178" not in repr(target)
    assert "KMP" not in repr(target)
