"""Plates in a frame: found, read four times, and judged.

1. Lines of text are located in the whole frame, much reduced: a plate is found at a resolution at
   which it cannot be read. Only where that shows none is the frame searched more finely.
2. Every line of a plate's proportions is read from the full frame; neighbours are joined.
3. What may be a plate is located again, alone and at a standard size, and read three times more.
   Readings that agree on the number of characters are averaged.
4. A number that is spoilt, or of which a character is a mere guess, carries no template.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from postern.core.look import Box, Flaw, Kind, Look
from postern.frame import Frame, Image, Sighting, Template
from postern.vision.aim import saturated
from postern.vision.model import Models, open_session
from postern.vision.plates.detect import Detector, Line
from postern.vision.plates.grammar import PLAIN, Floats, Grammar, grammar, is_plate, plate_slots
from postern.vision.plates.join import LEANING, Number, Part, join
from postern.vision.plates.read import ELSE, Reader
from postern.vision.plates.rectify import rectify

DETECTOR, READER = "plate-detector-ppocr", "plate-reader-ppocr"
#: Pixels of the frame while locating, larger frames are reduced to it: first coarsely, and finely
#: only where no plate came of it that can be compared. On rendered scenes of 1280 x 720 pixels all
#: plates from 55 pixels are located coarsely; real ones are dimmer.
COARSE, FINE = 640 * 360, 960 * 540
#: Lines looked at per frame, numbers read again, patches searched: the most a busy street costs.
LINES, NUMBERS, PATCHES = 8, 2, 2
#: A line's grown box is taller than its characters need, and the reader prefers it tighter: share
#: of its height that is read in the overview, and in each reading up close. On rendered plates made
#: hard to read, 54 of 77 are right by the first reading and 58 by all four together.
TIGHT, TIGHT_CLOSE = 0.7, (0.6, 0.7, 0.85)
#: Up close the line is this wide in the picture that the detector sees, pixels, and the picture
#: this much wider and taller than the line.
CLOSE, WIDER, TALLER = 220, 1.8, 2.5
#: Width over height of a line on a plate; a part of one may be narrower than the whole.
NARROW, WIDE = 1.1, 6.5
#: A patch: text run together with what surrounds it, at least so wide in pixels of the frame and
#: no wider than this many times its height.
PATCH, SQUARE = 60.0, 2.0
#: Pixels of the frame across a line's characters; below, characters are guessed with confidence.
SMALLEST = 9.0
#: Chance of the best character below which a slot is a guess.
GUESS = 0.4
#: Grey levels: a mean below (above) which, and a spread below which, nothing can be told apart.
DARK, BRIGHT, FLAT = 28.0, 245.0, 6.0
#: Variance of the Laplacian over the variance of grey on a chip 48 pixels high; rendered plates
#: that are read lie above.
SHARP = 0.02
#: Of a line's height: how far a whole plate keeps from the frame's edge. A character beyond the
#: edge leaves the rest of the plate well readable, so nearness alone has to count.
EDGE = 0.1


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate that was found.

    Attributes:
        line: Around its number, pixels of the frame.
        slots: (S, 38), float32: its characters, as `read.Reading` has them.
        flaws: What spoils it.
    """

    line: Line
    slots: Floats
    flaws: tuple[Flaw, ...]


class PlateRecogniser:
    """Finds and reads plates. Implements `Recogniser`.

    Args:
        detector: Finds lines.
        reader: Reads them.
        shapes: How plates are written where it works.
        model: The reader model's sha256, in hex.
    """

    def __init__(self, detector: Detector, reader: Reader, shapes: Grammar, model: str) -> None:
        self._detector = detector
        self._reader = reader
        self._shapes = shapes
        self._model = model

    def sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        """Every plate in the frame, largest first; the same frame gives the same."""
        return tuple(self._sighting(plate, frame) for plate in self.plates(frame.image))

    def plates(self, image: Image) -> tuple[Plate, ...]:
        """Every plate in the picture, largest first.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
        """
        coarse = self._found(image, COARSE)
        if any(not plate.flaws for plate in coarse) or image.shape[0] * image.shape[1] <= COARSE:
            return coarse
        return self._found(image, FINE) or coarse

    def text(self, slots: Floats) -> str:
        """The likeliest plate behind the slots, in capitals and digits."""
        return self._shapes.spell(slots)

    def _sighting(self, plate: Plate, frame: Frame) -> Sighting:
        look = Look(
            Kind.PLATE,
            box_of(plate.line, frame.image),
            plate.line.score,
            plate.flaws,
            frame.captured,
        )
        template = None if plate.flaws else Template(plate.slots, self._model, 1)
        return Sighting(look, template)

    def _found(self, image: Image, pixels: int) -> tuple[Plate, ...]:
        numbers = self._overview(image, pixels)
        likely = sorted((n for n in numbers if self._is_plate(n)), key=_size, reverse=True)
        return tuple(self._plate(image, self._again(image, n)) for n in likely[:NUMBERS])

    def _overview(self, image: Image, pixels: int) -> tuple[Number, ...]:
        scale = min(1.0, (pixels / (image.shape[0] * image.shape[1])) ** 0.5)
        seen = self._detector.lines(image, scale)
        lines = [line for line in seen if _proportioned(line, image)][:LINES]
        parts = self._read(image, lines, TIGHT)
        shown = {id(part.line) for part in parts if len(plate_slots(part.reading.slots)) > 1}
        patches = [line for line in seen if _is_patch(line, image) and id(line) not in shown]
        for patch in patches[:PATCHES]:
            inside = [line for line in self._up_close(image, patch) if _proportioned(line, image)]
            parts += self._read(image, inside[:NUMBERS], TIGHT)
        return join(parts)

    def _up_close(self, image: Image, line: Line) -> list[Line]:
        """The lines in and around a line, found at a standard size."""
        window, x, y = _window(image, line)
        return [_moved(found, x, y) for found in self._detector.lines(window, CLOSE / line.width)]

    def _read(self, image: Image, lines: Sequence[Line], tight: float) -> list[Part]:
        if not lines:
            return []
        readings = self._reader.read([rectify(image, _tightened(line, tight)) for line in lines])
        return [Part(line, reading) for line, reading in zip(lines, readings, strict=True)]

    def _is_plate(self, number: Number) -> bool:
        text = _plain(number.slots)
        return is_plate(text, number.written, number.foreign)

    def _again(self, image: Image, first: Number) -> list[Number]:
        """The number and what it reads up close; alone where it is not found again."""
        lines = [line for line in self._up_close(image, first.line) if _same_row(first.line, line)]
        closer = [join(self._read(image, lines, tight)) for tight in TIGHT_CLOSE if lines]
        return [first, *(max(numbers, key=lambda n: n.line.width) for numbers in closer)]

    def _plate(self, image: Image, readings: Sequence[Number]) -> Plate:
        agreed, last = fuse([plate_slots(n.slots) for n in readings]), readings[-1]
        if is_plate(_plain(agreed), last.written, 0.0):
            return Plate(last.line, agreed, _flaws(image, last.line, agreed))
        first = readings[0]
        slots = plate_slots(first.slots)
        return Plate(first.line, slots, _flaws(image, first.line, slots))


def load(models: Models, shapes: Grammar | None = None) -> PlateRecogniser:
    """The recogniser on PP-OCR's models.

    Raises:
        PosternError: `not_found` where a model is not installed, `invalid` where it is damaged.
    """
    detector = Detector(open_session(models.read(DETECTOR), DETECTOR))
    reader = Reader(open_session(models.read(READER), READER))
    model = models.entry(READER).sha256
    return PlateRecogniser(detector, reader, shapes or grammar(), model)


def fuse(readings: Sequence[Floats]) -> Floats:
    """One reading of several of the same characters: their geometric mean, renormalised.

    Readings that disagree on how many characters there are cannot be averaged: the number that
    most of them show is taken, and in a tie that of the one whose worst character is surest.

    Args:
        readings: At least one, each (S, 38).
    """
    votes = Counter(len(slots) for slots in readings)
    chosen = max(readings, key=lambda slots: (votes[len(slots)], _worst(slots)))
    alike = [slots for slots in readings if len(slots) == len(chosen)]
    mean = np.exp(np.mean([np.log(np.maximum(slots, 1e-7)) for slots in alike], axis=0))
    return np.asarray(mean / mean.sum(axis=1, keepdims=True), np.float32)


def _worst(slots: Floats) -> float:
    return float(slots[:, 1:ELSE].max(axis=1).min()) if len(slots) else -1.0


def _plain(slots: Floats) -> str:
    # No shape is assumed while judging whether it is a plate: a word must not become one.
    return PLAIN.spell(slots)


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a plate can be seen.

    Attributes:
        character_px: Pixels of the frame across its characters.
        surest: Chance of the best character where it is least, in [0, 1]; -1 without a character.
        grey: Mean grey level of the line, 0..255.
        contrast: Standard deviation of its grey levels.
        sharpness: Variance of the Laplacian over the variance of grey, on a chip 48 pixels high; 0
            for a flat one.
        saturated: Share of pixels that are as bright as a pixel can be, or nearly, in [0, 1].
        margin: How far it keeps from the frame's edge, in heights of the line; below 0 beyond it.
    """

    character_px: float
    surest: float
    grey: float
    contrast: float
    sharpness: float
    saturated: float
    margin: float

    @property
    def guessed(self) -> bool:
        """Whether a character is a mere guess."""
        return not self.surest >= GUESS


def quality(image: Image, plate: Plate) -> Quality:
    """How well a plate can be seen in a picture."""
    return _quality(image, plate.line, plate.slots)


def _quality(image: Image, line: Line, slots: Floats) -> Quality:
    chip = np.asarray(cv2.cvtColor(rectify(image, line), cv2.COLOR_BGR2GRAY), np.uint8)
    grey = chip.astype(np.float32)
    spread = float(grey.var())
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return Quality(
        line.height * TIGHT,
        _worst(slots),
        float(grey.mean()),
        float(grey.std()),
        edges / spread if spread > 0.0 else 0.0,
        saturated(chip),
        _margin(line, image),
    )


def _flaws(image: Image, line: Line, slots: Floats) -> tuple[Flaw, ...]:
    seen = _quality(image, line, slots)
    found = {
        Flaw.TOO_SMALL: not seen.character_px >= SMALLEST,
        Flaw.TOO_DARK: not seen.grey >= DARK,
        Flaw.TOO_BRIGHT: not (seen.grey <= BRIGHT and seen.contrast >= FLAT),
        Flaw.CLIPPED: not seen.margin >= EDGE,
        Flaw.BLURRED: seen.guessed and not seen.sharpness >= SHARP,
        Flaw.UNREADABLE: seen.guessed,
    }
    return tuple(flaw for flaw, present in found.items() if present)


def _proportioned(line: Line, image: Image) -> bool:
    height, width = image.shape[:2]
    return bool(
        NARROW <= line.width / line.height <= WIDE
        and abs(line.angle) <= LEANING
        and line.height >= SMALLEST
        and line.width <= 0.9 * width
        and line.height <= 0.5 * height
    )


def _margin(line: Line, image: Image) -> float:
    height, width = image.shape[:2]
    corners = line.corners()
    return float(min(corners.min(), ((width, height) - corners).min())) / line.height


def _is_patch(line: Line, image: Image) -> bool:
    return PATCH <= line.width <= SQUARE * line.height and line.width <= 0.5 * image.shape[1]


def _tightened(line: Line, tight: float) -> Line:
    return replace(
        line, width=line.width - (1 - tight) / 2 * line.height, height=line.height * tight
    )


def _window(image: Image, line: Line) -> tuple[Image, int, int]:
    height, width = image.shape[:2]
    reach = np.array([line.width * WIDER, line.height * TALLER]) / 2
    x0, y0 = np.clip((np.array(line.centre) - reach).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip((np.array(line.centre) + reach).astype(int), (x0 + 1, y0 + 1), (width, height))
    return image[y0:y1, x0:x1], int(x0), int(y0)


def _moved(line: Line, x: int, y: int) -> Line:
    return replace(line, centre=(line.centre[0] + x, line.centre[1] + y))


def _same_row(line: Line, other: Line) -> bool:
    away = np.array(other.centre) - np.array(line.centre)
    return bool(
        abs(away @ line.across) <= 0.3 * line.height
        and abs(away @ line.along) <= 0.6 * line.width
        and other.height >= 0.4 * line.height
    )


def _size(number: Number) -> float:
    return number.line.width * number.line.height


def box_of(line: Line, image: Image) -> Box:
    """The upright box around a line, within the picture."""
    height, width = image.shape[:2]
    corners = line.corners()
    x0, y0 = np.clip(corners.min(0), 0, (width - 1, height - 1))
    x1, y1 = np.clip(corners.max(0), (x0 + 1, y0 + 1), (width, height))
    return Box(float(x0), float(y0), float(x1), float(y1))
