"""What a camera that sees plates shows of a plate: its size, how it lies, light and focus.

A plate is told from other writing by reading it, and how surely it is read is what matters in the
end. What was read is dropped at once: a target has no character of it.
"""

from math import degrees

from postern.core.look import Flaw
from postern.frame import Image
from postern.vision.aim import Measure, Target, where
from postern.vision.plates.join import LEANING
from postern.vision.plates.recogniser import (
    BRIGHT,
    DARK,
    EDGE,
    FLAT,
    GUESS,
    SHARP,
    SMALLEST,
    Plate,
    PlateRecogniser,
    Quality,
    box_of,
    quality,
)


class PlateAim:
    """Implements `postern.vision.aim.Aim` for plates.

    Args:
        recogniser: Finds and judges them.
    """

    def __init__(self, recogniser: PlateRecogniser) -> None:
        self._recogniser = recogniser

    def targets(self, image: Image) -> tuple[Target, ...]:
        """See `postern.vision.aim.Aim.targets`."""
        return tuple(_target(image, plate) for plate in self._recogniser.plates(image))


def _target(image: Image, plate: Plate) -> Target:
    seen, line = quality(image, plate), plate.line
    box = box_of(line, image)
    measures = (
        Measure(
            "height of characters", seen.character_px, " pixels", least=SMALLEST,
            flaw=Flaw.TOO_SMALL, remedy="Move the camera closer, or zoom in",
        ),
        Measure("width of the number", line.width, " pixels"),
        Measure(
            "from the picture's edge", seen.margin, " of its height", 1, least=EDGE,
            flaw=Flaw.CLIPPED, remedy="Turn the camera so that the whole plate is in view",
        ),
        Measure(
            "slant", abs(degrees(line.angle)), " degrees", most=degrees(LEANING),
            flaw=Flaw.UNREADABLE, remedy="Turn the camera so that the plate lies level",
        ),
        *_light(seen),
        Measure(
            "sureness of the worst character", 100 * max(seen.surest, 0.0), " %",
            least=100 * GUESS, flaw=Flaw.UNREADABLE,
            remedy="Look at size, focus and glare, and aim at the plate straight on",
        ),
    )  # fmt: skip
    return Target(box, seen.character_px, where(box, image), measures)


def _light(seen: Quality) -> tuple[Measure, ...]:
    dark = seen.grey < DARK
    return (
        Measure(
            "brightness", seen.grey, least=DARK, most=BRIGHT,
            flaw=Flaw.TOO_DARK if dark else Flaw.TOO_BRIGHT,
            remedy="Light the plate, or expose for longer"
            if dark
            else "Expose for less long, or dim the lamp that shines on the plate",
        ),
        Measure(
            "contrast", seen.contrast, least=FLAT, flaw=Flaw.TOO_BRIGHT,
            remedy="Keep the glare off the plate, or expose otherwise",
        ),
        # A soft plate that is read all the same is well.
        Measure(
            "sharpness", seen.sharpness, digits=3, least=SHARP if seen.guessed else None,
            flaw=Flaw.BLURRED,
            remedy="Focus the camera there, clean its glass, or expose for less long",
        ),
        Measure("in glare", 100 * seen.saturated, " %"),
    )  # fmt: skip
