"""Face comparison in the site's own axes, where references live."""

from collections.abc import Sequence

from postern.core.evidence import Evidence
from postern.core.moment import Moment
from postern.frame import Reference, Template
from postern.vault.vault import Vault
from postern.vision.faces.calibration import Calibration
from postern.vision.faces.cohort import Cohort, Vectors
from postern.vision.faces.match import FaceMatcher


class SiteFaceMatcher:
    """Implements `postern.frame.Matcher`: turns probes as the vault turned the references.

    Args:
        vault: Knows the site's axes.
        calibration: The tables.
        cohort: The cohort, (C, 128) float32, in the embedder's axes.
    """

    def __init__(self, vault: Vault, calibration: Calibration, cohort: Vectors) -> None:
        turned = vault.rotate_rows(cohort, calibration.embedder)
        self._vault = vault
        self._matcher = FaceMatcher(calibration, Cohort(turned))

    def match(
        self, probes: Sequence[Template], references: Sequence[Reference], seen: Moment
    ) -> tuple[Evidence, ...]:
        """See `Matcher.match`."""
        turned = [self._vault.rotate(probe) for probe in probes]
        return self._matcher.match(turned, references, seen)
