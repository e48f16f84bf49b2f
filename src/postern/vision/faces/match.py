"""Face looks against references: how likely a stranger would have matched as well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from postern.core.evidence import Evidence, Factor
from postern.core.moment import Moment
from postern.frame import Reference, Template
from postern.vision.faces.calibration import PROBE_LOOKS, Calibration, Floats, fuse
from postern.vision.faces.cohort import Cohort, Neighbourhood, Vectors, distances, normalise


@dataclass(frozen=True, slots=True)
class _Gallery:
    """References made ready for comparison."""

    references: Sequence[Reference]
    vectors: Vectors
    neighbourhood: Neighbourhood


class FaceMatcher:
    """Implements `postern.frame.Matcher` for faces.

    Args:
        calibration: The tables of the embedder and detector in use.
        cohort: The cohort that the tables were made with.
    """

    def __init__(self, calibration: Calibration, cohort: Cohort) -> None:
        self._calibration = calibration
        self._cohort = cohort
        self._gallery: _Gallery | None = None

    def match(
        self, probes: Sequence[Template], references: Sequence[Reference], seen: Moment
    ) -> tuple[Evidence, ...]:
        """See `postern.frame.Matcher.match`. Looks beyond the third are not used: no table covers
        them. A template of another model gives NaN, which no permit accepts.
        """
        if not probes or not references:
            return ()
        used = probes[:PROBE_LOOKS]
        bounds = self._bounds(used, self._prepared(references))
        foreign = any(probe.model != self._calibration.embedder for probe in used)
        evidence = [
            Evidence(
                Factor.FACE,
                reference.holder,
                reference.credential,
                float("nan") if foreign or not self._ours(reference) else float(bound),
                len(references),
                len(used),
                seen,
            )
            for reference, bound in zip(references, bounds, strict=True)
        ]
        return tuple(sorted(evidence, key=lambda e: (not e.p >= 0.0, e.p, e.credential)))

    def _bounds(self, probes: Sequence[Template], gallery: _Gallery) -> Floats:
        fused = fuse(np.stack([np.asarray(probe.values, np.float32) for probe in probes]))
        apart = distances(gallery.vectors, fused)
        scores = normalise(apart, gallery.neighbourhood, self._cohort.neighbourhood(fused))
        return np.asarray(self._calibration.attempt_bounds(scores)[:, -1])

    def _prepared(self, references: Sequence[Reference]) -> _Gallery:
        """The references with their neighbourhoods, which stay as long as the sequence does."""
        if self._gallery is None or self._gallery.references is not references:
            vectors = np.stack([np.asarray(r.template.values, np.float32) for r in references])
            self._gallery = _Gallery(references, vectors, self._cohort.neighbourhood(vectors))
        return self._gallery

    def _ours(self, reference: Reference) -> bool:
        return reference.template.model == self._calibration.embedder
