"""The page on passes: figures in tables, and how to read them."""

from collections.abc import Sequence

from postern.bench import pass_scenes as scenes
from postern.bench.pass_reading import CARRIERS, DISTANCES_CM, Duration, Rate


def carriers(rates: Sequence[Rate]) -> str:
    """Who holds what at which distance, a row each."""
    head = ["held", *(f"{distance} cm" for distance in DISTANCES_CM)]
    rows = [
        [name, *(_share(rates, name, distance) for distance in DISTANCES_CM)] for name in CARRIERS
    ]
    return _table(head, rows)


def sizes(rates: Sequence[Rate]) -> str:
    """One row over what was varied."""
    return _table(
        ["pixels to a module", *(f"{rate.size}" for rate in rates)],
        [["read", *(_percent(rate) for rate in rates)]],
    )


def levels(rates: Sequence[Rate]) -> str:
    """A row for each level and spot of glare."""
    widths = sorted({rate.size for rate in rates})
    names = dict.fromkeys(rate.case for rate in rates)
    rows = [
        [*name.split(", "), *(_share(rates, name, width) for width in widths)] for name in names
    ]
    return _table(
        ["level", "modules", "radius of the spot", *(f"{width:.0f} px" for width in widths)], rows
    )


def times(durations: Sequence[Duration]) -> str:
    """A row for each kind of picture."""
    rows = [[one.case, f"{one.p50_ms:.1f} ms", f"{one.p99_ms:.1f} ms"] for one in durations]
    return _table(["picture", "p50", "p99"], rows)


def scene(pictures: int) -> str:
    """What was drawn, in figures that are the code's own."""
    low, high = scenes.BLUR
    return (
        f"Each figure is from {pictures} drawn pictures: a portrait of faces-lfw before a busy "
        f"background, and a pass (206 bytes of content, version 13, 69 modules) held beside it. "
        f"The camera sees {scenes.VIEW_DEG:.0f} degrees across. Every picture differs: leaning up "
        f"to {scenes.MAX_TILT:.0f} degrees about any axis, turned up to {scenes.MAX_TURN:.0f}, "
        f"blurred by {low} to {high} pixels (deviation), dark modules at "
        f"{scenes.DARK[0]:.0f}-{scenes.DARK[1]:.0f} and light ones at "
        f"{scenes.LIGHT[0]:.0f}-{scenes.LIGHT[1]:.0f} of 255, a patch of glare that adds "
        f"{scenes.GLARE[0]:.0f}-{scenes.GLARE[1]:.0f}, noise of {scenes.NOISE:.0f}, JPEG of "
        f"quality {scenes.QUALITY}. These are drawings: no real camera, screen or printer was "
        f"measured, and the pattern of a screen's own pixels is not in them. A passer-by gives "
        f"several pictures; one that is read is enough.\n"
    )


def _share(rates: Sequence[Rate], case: str, size: float) -> str:
    found = [rate for rate in rates if rate.case == case and rate.size == size]
    return _percent(found[0]) if found else "-"


def _percent(rate: Rate) -> str:
    return f"{100 * rate.read / rate.pictures:.0f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
