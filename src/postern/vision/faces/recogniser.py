"""From a frame to face looks: detect, align, judge, embed."""

from math import isinf

import numpy as np

from postern.core.look import Flaw, Kind, Look
from postern.frame import Frame, Sighting, Template
from postern.vision.faces.align import Aligner, Chip
from postern.vision.faces.detect import Detector, Face, nearest, share_inside
from postern.vision.faces.embed import Embedder, Vectors
from postern.vision.faces.quality import WHOLE, Limits, flaws


class FaceRecogniser:
    """Implements `postern.frame.Recogniser` for faces.

    Only one face is ever embedded: where two people stand before the camera the attempt is spoilt
    for both, and who is smaller than half of the nearest is taken for background and left alone.

    Args:
        detector: Finds faces.
        aligner: Fits the detector.
        embedder: Makes templates.
        limits: What a look must reach.
    """

    def __init__(
        self, detector: Detector, aligner: Aligner, embedder: Embedder, limits: Limits
    ) -> None:
        self._detector = detector
        self._aligner = aligner
        self._embedder = embedder
        self._limits = limits

    def sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        """See `postern.frame.Recogniser.sightings`."""
        near = nearest(self._detector.faces(frame.image))
        crowd = (Flaw.SEVERAL_FACES,) if len(near) > 1 else ()
        return tuple(self._sighting(frame, face, crowd) for face in near)

    def _sighting(self, frame: Frame, face: Face, crowd: tuple[Flaw, ...]) -> Sighting:
        aligned = self._aligner.align(frame.image, face)
        spoilt = crowd + flaws(aligned.geometry, aligned.chip, self._limits)
        if not min(aligned.inside, share_inside(face.box, frame.image)) >= WHOLE:
            spoilt = (*spoilt, Flaw.CLIPPED)
        if not face.score >= self._limits.min_score and Flaw.TURNED_AWAY not in spoilt:
            spoilt = (*spoilt, Flaw.TURNED_AWAY)
        vector = None if spoilt else self._vector(aligned.chip)
        if vector is None and not spoilt:
            spoilt = (Flaw.TURNED_AWAY,)
        look = Look(Kind.FACE, face.box, min(1.0, max(0.0, face.score)), spoilt, frame.captured)
        return Sighting(look, None if vector is None else Template(vector, self._embedder.model, 1))

    def _vector(self, chip: Chip) -> Vectors | None:
        """The chip's vector; None where it is too unlike its mirror image to be from the front."""
        if isinf(self._limits.max_mirror):
            return np.asarray(self._embedder.vectors(chip[None])[0])
        vector, mirrored = self._embedder.vectors(np.stack([chip, chip[:, ::-1]]))
        alike = float(np.linalg.norm(vector - mirrored)) <= self._limits.max_mirror
        return np.asarray(vector) if alike else None
