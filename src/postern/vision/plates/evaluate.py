"""How well plates are read on labelled photographs, and how long a frame takes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from postern.core.errors import invalid
from postern.frame import Image
from postern.picture import decode
from postern.vision.plates.recogniser import PlateRecogniser

_FOLD = str.maketrans("OI", "01")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photograph with one labelled plate.

    Attributes:
        file: The photograph.
        box: Of the plate: x, y, width, height, pixels.
        plate: The label as shipped.
        corrected: The label where the shipped one is wrong, else the same.
    """

    file: Path
    box: tuple[float, float, float, float]
    plate: str
    corrected: str

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in the plate's box."""
        left, top, width, height = self.box
        return left <= x <= left + width and top <= y <= top + height


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was read on one photograph.

    Attributes:
        labelled: The photograph.
        text: What was read where the plate is; empty where nothing was.
        compared: Whether that reading carries a template; a spoilt one does not.
        elsewhere: What was read in other places.
        seconds: From the decoded picture to the text.
    """

    labelled: Labelled
    text: str
    compared: bool
    elsewhere: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over a set of photographs.

    Attributes:
        n: Photographs.
        located: Of which something was read where the plate is.
        strict: The shipped label exactly, whether or not the reading is compared.
        compared: Of `strict`, those that are compared: the others were read right and refused.
        folded: The shipped label with O as 0 and I as 1, on both sides.
        corrected: The corrected label exactly.
        elsewhere: Texts read in other places; some are real plates without a label.
        seconds: Per photograph, in their order.
    """

    n: int
    located: int
    strict: int
    compared: int
    folded: int
    corrected: int
    elsewhere: int
    seconds: tuple[float, ...]


def labels(folder: Path, listing: Path) -> tuple[Labelled, ...]:
    """The photographs that a listing names, one JSON object per line.

    Args:
        folder: Holds the photographs.
        listing: Lines with ``file``, ``box_xywh``, ``plate`` and ``plate_corrected``.

    Raises:
        PosternError: `invalid` where the listing cannot be read.
    """
    try:
        rows = [json.loads(line) for line in listing.read_text("utf-8").splitlines() if line]
        return tuple(_labelled(folder, row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError):
        raise invalid(f"The listing {listing.name} cannot be read.") from None


def evaluate(
    recogniser: PlateRecogniser,
    photographs: Sequence[Labelled],
    step: Callable[[Outcome], None] = lambda outcome: None,
) -> Score:
    """Reads every photograph whole and counts what was right.

    Args:
        recogniser: Reads them; it is told nothing of where the plate is.
        photographs: At least one.
        step: Called after each, for a progress bar or a list of mistakes.
    """
    outcomes = []
    for labelled in photographs:
        outcomes.append(read(recogniser, labelled, picture(labelled)))
        step(outcomes[-1])
    return score(outcomes)


def picture(labelled: Labelled) -> Image:
    """The photograph, decoded; (H, W, 3), uint8, blue-green-red."""
    try:
        return decode(labelled.file.read_bytes())
    except OSError:
        raise invalid(f"The photograph {labelled.file.name} cannot be read.") from None


def read(recogniser: PlateRecogniser, labelled: Labelled, image: Image) -> Outcome:
    """What is read on one photograph."""
    start = perf_counter()
    plates = recogniser.plates(image)
    texts = [recogniser.text(plate.slots) for plate in plates]
    seconds = perf_counter() - start
    at = [labelled.holds(*plate.line.centre) for plate in plates]
    outside = tuple(text for text, here in zip(texts, at, strict=True) if not here)
    if True not in at:
        return Outcome(labelled, "", False, outside, seconds)
    first = at.index(True)
    return Outcome(labelled, texts[first], not plates[first].flaws, outside, seconds)


def score(outcomes: Sequence[Outcome]) -> Score:
    """The counts over some outcomes."""
    return Score(
        n=len(outcomes),
        located=sum(bool(o.text) for o in outcomes),
        strict=sum(o.text == o.labelled.plate for o in outcomes),
        compared=sum(o.compared and o.text == o.labelled.plate for o in outcomes),
        folded=sum(_folded(o.text) == _folded(o.labelled.plate) for o in outcomes),
        corrected=sum(o.text == o.labelled.corrected for o in outcomes),
        elsewhere=sum(len(o.elsewhere) for o in outcomes),
        seconds=tuple(o.seconds for o in outcomes),
    )


def _folded(text: str) -> str:
    return text.translate(_FOLD)


def _labelled(folder: Path, row: dict[str, Any]) -> Labelled:
    x, y, width, height = (float(n) for n in row["box_xywh"])
    plate = str(row["plate"])
    corrected = str(row.get("plate_corrected", plate))
    return Labelled(folder / str(row["file"]), (x, y, width, height), plate, corrected)
