"""A face reference: the mean of the looks of an enrolment."""

from collections.abc import Sequence

import numpy as np

from postern.core.errors import invalid
from postern.frame import Template
from postern.vision.faces.calibration import REFERENCE_LOOKS


def reference(looks: Sequence[Template]) -> Template:
    """The reference that these looks make.

    Exactly three are taken: the tables were made for three, and with more looks the distances of
    strangers shrink below what the tables know.

    Raises:
        PosternError: `invalid` with another number of looks, or looks of different models.
    """
    if len(looks) != REFERENCE_LOOKS:
        raise invalid(f"A face reference is made of {REFERENCE_LOOKS} looks, not {len(looks)}.")
    if len({look.model for look in looks}) != 1:
        raise invalid("The looks of a reference must come from one model.")
    mean = np.mean([np.asarray(look.values, np.float32) for look in looks], axis=0)
    return Template(mean.astype(np.float32), looks[0].model, REFERENCE_LOOKS)
