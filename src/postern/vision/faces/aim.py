"""What a camera that sees faces shows of a face: its size, how it stands, light and focus.

It has the detector and the limits of the recogniser, and no embedder: nothing is made of a face
that could be compared. What the recogniser asks of a face's mirror image with dlib's detector needs
one, and is therefore not measured here.
"""

from postern.core.look import Flaw
from postern.frame import Image
from postern.vision.aim import Measure, Target, where
from postern.vision.faces.align import Aligned, Aligner
from postern.vision.faces.detect import Detector, Face, nearest, share_inside
from postern.vision.faces.quality import WHOLE, Limits, tones


class FaceAim:
    """Implements `postern.vision.aim.Aim` for faces.

    Args:
        detector: Finds them.
        aligner: Fits the detector.
        limits: What a look must reach.
    """

    def __init__(self, detector: Detector, aligner: Aligner, limits: Limits) -> None:
        self._detector = detector
        self._aligner = aligner
        self._limits = limits

    def targets(self, image: Image) -> tuple[Target, ...]:
        """See `postern.vision.aim.Aim.targets`."""
        near = nearest(self._detector.faces(image))
        return tuple(self._target(image, face, len(near)) for face in near)

    def _target(self, image: Image, face: Face, near: int) -> Target:
        aligned = self._aligner.align(image, face)
        inside = min(aligned.inside, share_inside(face.box, image))
        measures = (
            *_size(face, aligned, self._limits),
            Measure(
                "faces at once", near, most=1, flaw=Flaw.SEVERAL_FACES,
                remedy="Turn or zoom the camera so that it sees one person at a time",
            ),
            Measure(
                "of the face in the picture", 100 * inside, " %", least=100 * WHOLE,
                flaw=Flaw.CLIPPED, remedy="Turn the camera so that the whole face is in view",
            ),
            *_stand(face, aligned, self._limits),
            *_light(aligned, self._limits),
        )  # fmt: skip
        return Target(face.box, aligned.geometry.eyes_px, where(face.box, image), measures)


def _size(face: Face, aligned: Aligned, limits: Limits) -> tuple[Measure, ...]:
    return (
        Measure(
            "between the eyes", aligned.geometry.eyes_px, " pixels", least=limits.min_eyes_px,
            flaw=Flaw.TOO_SMALL, remedy="Move the camera closer, or zoom in",
        ),
        Measure("width of the face", face.box.width, " pixels"),
    )  # fmt: skip


def _stand(face: Face, aligned: Aligned, limits: Limits) -> tuple[Measure, ...]:
    stands = aligned.geometry
    from_above = stands.pitch > limits.max_pitch
    height = "Hang the camera lower" if from_above else "Hang the camera higher"
    measures = (
        Measure(
            "turned aside", abs(stands.yaw), digits=2, most=limits.max_yaw, flaw=Flaw.TURNED_AWAY,
            remedy="Put the camera where people look as they come, straight before them",
        ),
        Measure(
            "nose below the eyes", stands.pitch, digits=2, least=limits.min_pitch,
            most=limits.max_pitch, flaw=Flaw.TURNED_AWAY,
            remedy=f"{height}, at the height of the eyes",
        ),
    )  # fmt: skip
    if not limits.min_score > 0.0:
        return measures
    sure = Measure(
        "seen from the front", face.score, digits=2, least=limits.min_score, flaw=Flaw.TURNED_AWAY,
        remedy="Put the camera where people look as they come, with nothing before it",
    )  # fmt: skip
    return (*measures, sure)


def _light(aligned: Aligned, limits: Limits) -> tuple[Measure, ...]:
    lit = tones(aligned.chip)
    return (
        Measure(
            "brightness", lit.grey, least=limits.min_grey, most=limits.max_grey,
            flaw=Flaw.TOO_DARK if lit.grey < limits.min_grey else Flaw.TOO_BRIGHT,
            remedy="Put a lamp before the face, or expose for longer"
            if lit.grey < limits.min_grey
            else "Keep sun and lamps off the face, or expose for less long",
        ),
        Measure(
            "contrast", lit.contrast, least=limits.min_contrast, flaw=Flaw.TOO_DARK,
            remedy="Light the face from one side, and take no window behind it",
        ),
        Measure(
            "sharpness", lit.sharpness, digits=3, least=limits.min_sharpness, flaw=Flaw.BLURRED,
            remedy="Focus the camera there, clean its glass, or expose for less long",
        ),
        Measure("in glare", 100 * lit.saturated, " %"),
    )  # fmt: skip
