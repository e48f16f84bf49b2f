"""Drawn scenes and the counts taken from them."""

from itertools import count

import numpy as np
import pytest

from postern.bench.pass_reading import HD, SMALL, Study, durations, portraits, sample
from postern.bench.pass_scenes import Camera, Held, picture
from postern.bench.pass_words import carriers, levels, scene, sizes, times
from postern.core.errors import Code, PosternError
from postern.vision.passes.symbol import symbol
from tests.vision.passes.samples import crowd


def test_a_code_is_as_large_as_its_distance_makes_it() -> None:
    """A camera of 70 degrees sees 40 cm of width at 28.6 cm; here, a black sheet is measured."""
    sheet = np.ones((77, 77), bool)
    white = [np.full((190, 190, 3), 255, np.uint8)]
    seen = [
        picture(np.random.default_rng(seed), HD, sheet, Held(10.0, 40.0, beside=False), white)
        for seed in range(8)
    ]
    dark = [float((one[:, :, 1] < 150).sum()) for one in seen]
    flat = (10.0 * HD.focal / 40.0) ** 2

    assert 914.0 == pytest.approx(HD.focal, abs=0.1)
    # Leaning by up to 35 degrees takes up to a fifth of what is seen.
    assert all(0.75 * flat < area < 1.1 * flat for area in dark)


def test_counts_fall_with_distance_and_nothing_is_read_of_a_speck() -> None:
    """Six pixels to a module are always read, 1.4 hardly ever."""
    rates = Study(crowd(), 3).by_module()

    assert (6.0, 3, 3) == (rates[-1].size, rates[-1].read, rates[-1].pictures)
    assert 0 == rates[0].read


def test_the_pages_tables_hold_every_count() -> None:
    """A dash where a code does not fit into the picture."""
    study = Study(crowd(), 1)
    far = carriers(study.by_distance(SMALL))

    assert 5 == len(far.splitlines())
    assert "| A6 | - | - |" in far
    assert "| read | " in sizes(study.by_module())
    assert "40 drawn pictures" in scene(40)


def test_every_level_is_counted_with_its_modules() -> None:
    """Nine kinds of spot and level, four widths each."""
    rates = Study(crowd(), 1).by_level()

    assert 36 == len(rates)
    assert {"L, 65, 0 %", "M, 69, 10 %", "Q, 85, 15 %"} <= {rate.case for rate in rates}
    assert "| M | 69 | 10 % |" in levels(rates)


def test_times_are_by_the_clock_that_is_given() -> None:
    """Here every picture takes a second."""
    ticks = count()
    found = durations(crowd(), 2, lambda: float(next(ticks)))

    assert [1000.0] * 4 == [one.p50_ms for one in found]
    assert "| 640x360, a pass | 1000.0 ms |" in times(found)


def test_a_folder_without_pictures_is_named(tmp_path) -> None:
    """Before anything is drawn."""
    with pytest.raises(PosternError) as refused:
        portraits(tmp_path)

    assert Code.NOT_FOUND is refused.value.code


def test_the_sample_is_a_usual_pass() -> None:
    """474 letters, 69 modules; smaller cameras see it smaller."""
    assert (474, 77) == (len(sample()), len(symbol(sample()).modules))
    assert SMALL.focal * 2 == HD.focal == Camera(1280, 720).focal
