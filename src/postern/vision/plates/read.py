"""Characters and how sure the reader is of each, by the text recogniser of PP-OCR.

1. The network gives, for each step of 8 pixels, a distribution over its 18,708 characters, the
   space, and "nothing new here" (the blank of connectionist temporal classification, A. Graves et
   al., 2006).
2. Steps are gathered into slots, one per character seen. A slot keeps what the reader thought of
   all 36 plate characters, of anything else, and of there being no character at all.
3. All 18,710 classes are kept in the graph: what falls on a Chinese character or a lower-case
   letter must show as "anything else". Dropping those classes was tried; it saves a tenth of the
   reading time and lends their weight to wrong letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from postern.core.errors import Code, PosternError
from postern.core.vehicle import ALPHABET
from postern.frame import Image
from postern.vision.model import run
from postern.vision.plates.detect import network_input

if TYPE_CHECKING:
    import onnxruntime as ort

#: Columns of a slot: no character, the 36 of `ALPHABET` in order, anything else.
NOTHING, ELSE, COLUMNS = 0, 1 + len(ALPHABET), 2 + len(ALPHABET)
#: Small letters that differ from their capitals by size only, and a reader sees no size: the line
#: fills the chip. Full-width and Cyrillic twins likewise.
TWINS = {
    **dict(zip("ckopsuvwxz", "CKOPSUVWXZ", strict=True)),
    **dict(zip("АВЕКМНОРСТУХ", "ABEKMHOPCTYX", strict=True)),
    "Ø": "0",
}
#: What stands between the groups of a plate. It ends a slot and is otherwise not a character.
SEPARATORS = " -–—.·•:'"
#: A step belongs to a slot where the reader gives a character at least this much; half of it would
#: already cost a character more than it gains in the sum over all paths.
VISIBLE = 0.2
#: Neighbouring steps share a slot if their distributions have this much in common: a character
#: that wavers between O and 0 from one step to the next is still one character.
SHARED = 0.2

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one chip.

    Attributes:
        slots: (S, 38), float32, columns as above, rows sum to 1; S = 0 for an empty chip.
        written: The best characters with their separators and small letters as they stand.
    """

    slots: Floats
    written: str


class Reader:
    """Reads upright chips.

    Args:
        session: PP-OCR's text recogniser, input ``x`` (N, 3, 48, W).
    """

    def __init__(self, session: "ort.InferenceSession") -> None:
        self._session = session
        self._characters = _characters(session)
        self._fold = _fold(self._characters)

    def read(self, chips: Sequence[Image]) -> tuple[Reading, ...]:
        """What stands on each chip, in the chips' order.

        Args:
            chips: Each (48, W, 3), uint8, blue-green-red.
        """
        readings: dict[int, Reading] = {}
        for width in sorted({chip.shape[1] for chip in chips}):
            places = [i for i, chip in enumerate(chips) if chip.shape[1] == width]
            batch = np.stack([network_input(chips[i]) for i in places])
            steps = run(self._session, {"x": batch})[0]
            readings.update({i: self._reading(s) for i, s in zip(places, steps, strict=True)})
        return tuple(readings[i] for i in range(len(chips)))

    def _reading(self, steps: Floats) -> Reading:
        best = steps.argmax(axis=1)
        fresh = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)
        written = "".join(self._characters[k] for k in best[fresh]).strip()
        return Reading(slots(self._folded(steps)), written)

    def _folded(self, steps: Floats) -> Floats:
        folded = np.zeros((len(steps), COLUMNS), np.float32)
        for column, classes in enumerate(self._fold):
            folded[:, column] = steps[:, classes].sum(axis=1)
        folded[:, ELSE] = np.maximum(0.0, 1.0 - folded.sum(axis=1))
        return folded


def slots(steps: Floats) -> Floats:
    """Slots of the characters seen over the steps of a chip.

    Args:
        steps: (T, 38), float32, rows sum to 1.

    Returns:
        (S, 38), float32, rows sum to 1; (0, 38) where no step shows a character.
    """
    groups: list[list[Floats]] = []
    before: Floats | None = None
    for step in steps:
        if not step[NOTHING] <= 1.0 - VISIBLE:
            before = None
            continue
        if before is not None and np.minimum(_shown(before), _shown(step)).sum() >= SHARED:
            groups[-1].append(step)
        else:
            groups.append([step])
        before = step
    if not groups:
        return np.zeros((0, COLUMNS), np.float32)
    return np.stack([_slot(np.stack(group)) for group in groups])


def _shown(step: Floats) -> Floats:
    return step[1:] / max(float(step[1:].sum()), 1e-9)


def _slot(steps: Floats) -> Floats:
    nothing = float(np.prod(steps[:, NOTHING]))
    seen = steps[:, 1:].sum(axis=0)
    return np.concatenate([[nothing], seen / seen.sum() * (1.0 - nothing)]).astype(np.float32)


def _characters(session: "ort.InferenceSession") -> tuple[str, ...]:
    listed = session.get_modelmeta().custom_metadata_map.get("character", "").split("\n")
    classes = session.get_outputs()[0].shape[-1]
    # The converter writes neither the blank, which comes first, nor the space, which comes last.
    characters = ("", *listed, " ")
    if len(characters) != classes or not set(ALPHABET) <= set(characters):
        raise PosternError(Code.INVALID, "The plate reader's model does not list its characters.")
    return characters


def _fold(characters: Sequence[str]) -> tuple[list[int], ...]:
    columns: list[list[int]] = [[] for _ in range(ELSE)]
    for k, character in enumerate(characters):
        plain = TWINS.get(character, character)
        if k == 0 or plain in SEPARATORS:
            columns[NOTHING].append(k)
        elif plain in ALPHABET:
            columns[1 + ALPHABET.index(plain)].append(k)
    return tuple(columns)
