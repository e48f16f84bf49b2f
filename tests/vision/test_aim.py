"""What is needed, in words, and for how long it has been well."""

from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import pytest

from postern.core.look import Box, Flaw
from postern.core.moment import Moment
from postern.vision.aim import GOOD_S, Measure, Target, Verdict, saturated, where

START = Moment(datetime(2026, 3, 1, 12, tzinfo=UTC), 1000.0)


def target(size: float, *, good: bool = True) -> Target:
    """A target of that size that is good, or lacks what is needed."""
    measure = Measure("size", size, least=size if good else size + 1, flaw=Flaw.TOO_SMALL)
    return Target(Box(0, 0, 10, 10), size, "middle", (measure,))


def judged(*shown: tuple[float, Target | None]) -> Verdict:
    """The verdict after targets at seconds after the start."""
    verdict = Verdict()
    for at, one in shown:
        verdict = verdict.after((one,) if one else (), START.plus(at))
    return verdict


@pytest.mark.parametrize(
    ("value", "well", "now"),
    [(19.99, False, "19 pixels"), (20.0, True, "20 pixels"), (30.01, False, "31 pixels")],
)
def test_value_is_never_rounded_to_what_would_do(value: float, well: bool, now: str) -> None:
    """Nobody is told that 20 pixels are too few where 20 are needed."""
    measure = Measure("size", value, " pixels", least=20.0, most=30.0, remedy="Come closer")

    assert (well, now) == (measure.well, measure.now)
    assert "20 to 30 pixels" == measure.needed
    said = "" if well else f"Come closer: size {now}, 20 to 30 pixels needed."
    assert said == measure.advice


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_well(value: float) -> None:
    """And can be said all the same."""
    measure = Measure("size", value, least=1.0, most=2.0)

    assert not measure.well
    assert str(value) == measure.now


def test_what_has_no_limit_is_well() -> None:
    """It is told and not judged."""
    measure = Measure("width", 5.0)

    assert measure.well
    assert ("", "") == (measure.needed, measure.advice)


def test_advice_is_the_first_thing_to_do() -> None:
    """One sentence, however much is wrong; the flaws are each there once."""
    wrong = [
        Measure(name, 0.0, least=1.0, flaw=Flaw.BLURRED, remedy=name)
        for name in ("first", "second")
    ]
    found = Target(Box(0, 0, 1, 1), 1.0, "middle", tuple(wrong))

    assert found.advice.startswith("first:")
    assert (Flaw.BLURRED,) == found.flaws


def test_a_target_holds_no_picture_no_vector_and_no_character() -> None:
    """Whoever it is: numbers, and words about where it is."""
    assert {"box", "size_px", "where", "measures"} == {field.name for field in fields(Target)}
    assert {"name", "value", "unit", "digits", "least", "most", "flaw", "remedy"} == {
        field.name for field in fields(Measure)
    }


def test_good_takes_all_of_the_last_seconds_in_view() -> None:
    """One that was not good begins the count anew; what was before the first does not count."""
    steps = [at / 2 for at in range(int(GOOD_S * 2) + 1)]

    assert judged(*((at, target(30)) for at in steps)).good
    assert not judged(*((at, target(30)) for at in steps[:-1])).good
    spoilt = [(at, target(30, good=at != steps[-2])) for at in steps]
    assert not judged(*spoilt).good
    assert 0.5 == judged(*spoilt).good_s


def test_seconds_without_a_target_do_not_count() -> None:
    """Neither for nor against; nor does a gap in which nobody looked."""
    away = judged((0, target(30)), (1, target(30)), (1.5, None), (50, None), (51, target(30)))
    assert (1.0, True) == (away.good_s, away.in_view)

    assert 1.0 == judged((0, target(30)), (100, target(30))).good_s
    assert 0.0 == judged((5, target(30)), (3, target(30))).good_s


def test_smallest_is_remembered_and_so_is_the_smallest_good_one() -> None:
    """Of the targets that count."""
    verdict = judged((0, target(40)), (1, target(20, good=False)), (2, target(30)))

    assert (20, 30) == (verdict.smallest_px, verdict.smallest_good_px)
    assert (None, None) == (Verdict().smallest_px, Verdict().smallest_good_px)


def test_saturated_counts_what_is_as_bright_as_can_be() -> None:
    """An empty picture has nothing of it."""
    grey = np.full((10, 10), 249, np.uint8)
    grey[:3] = 255

    assert 0.3 == pytest.approx(saturated(grey))
    assert 0.0 == saturated(grey[:0])


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (Box(0, 0, 30, 30), "top left"),
        (Box(130, 35, 170, 65), "middle"),
        (Box(280, 40, 300, 60), "right"),
        (Box(140, 90, 160, 100), "bottom"),
    ],
)
def test_where_is_told_by_thirds(box: Box, said: str) -> None:
    """In words that somebody on a ladder can act on."""
    assert said == where(box, np.zeros((100, 300, 3), np.uint8))
