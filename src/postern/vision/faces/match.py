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
    """References made ready for comparison.

    Attributes:
        references: All of them.
        rows: Which of them our model made.
        vectors: Of these, (N, D) float32.
        neighbourhood: Of these.
    """

    references: Sequence[Reference]
    rows: list[int]
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
        them. A probe of another model gives NaN, which no permit accepts; a reference of another
        model gives nothing, so that one person who needs new looks keeps nobody else out.
        """
        if not probes or not references:
            return ()
        used = probes[:PROBE_LOOKS]
        gallery = self._prepared(references)
        bounds = np.full(len(gallery.rows), np.nan)
        if gallery.rows and all(self._ours(probe) for probe in used):
            bounds = self._bounds(used, gallery)
        evidence = [
            Evidence(
                Factor.FACE,
                references[row].holder,
                references[row].credential,
                float(bound),
                len(references),
                len(used),
                seen,
            )
            for row, bound in zip(gallery.rows, bounds, strict=True)
        ]
        return tuple(sorted(evidence, key=_best_first))

    def _bounds(self, probes: Sequence[Template], gallery: _Gallery) -> Floats:
        fused = fuse(np.stack([np.asarray(probe.values, np.float32) for probe in probes]))
        apart = distances(gallery.vectors, fused)
        scores = normalise(apart, gallery.neighbourhood, self._cohort.neighbourhood(fused))
        return np.asarray(self._calibration.attempt_bounds(scores)[:, -1])

    def _prepared(self, references: Sequence[Reference]) -> _Gallery:
        """The references with their neighbourhoods, which stay as long as the tuple does."""
        # Read once: another lane's thread may put its own gallery there at any time.
        gallery = self._gallery
        if gallery is None or gallery.references is not references:
            rows = [at for at, r in enumerate(references) if self._ours(r.template)]
            found = [np.asarray(references[at].template.values, np.float32) for at in rows]
            vectors = np.stack(found) if found else np.empty((0, 0), np.float32)
            nobody = Neighbourhood(np.empty(0), np.empty(0))
            near = self._cohort.neighbourhood(vectors) if found else nobody
            gallery = _Gallery(references, rows, vectors, near)
            # A list may change behind our back.
            self._gallery = gallery if isinstance(references, tuple) else None
        return gallery

    def _ours(self, template: Template) -> bool:
        return template.model == self._calibration.embedder


def _best_first(evidence: Evidence) -> tuple[bool, float, str]:
    comparable = evidence.p >= 0.0
    return not comparable, evidence.p if comparable else 0.0, evidence.credential
