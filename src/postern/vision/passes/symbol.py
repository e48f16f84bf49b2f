"""A pass's text as a QR code (ISO/IEC 18004)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import segno

from postern.core.errors import invalid

#: Modules around the code that stay light (ISO/IEC 18004, 5.3.8).
QUIET = 4
#: By measurement (docs/benchmarks/passes.md): of codes equally wide, those of level L are read a
#: little farther away but fail under glare, and those of level Q, a fifth less far.
_LEVEL = "M"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR code, ready to be drawn.

    Attributes:
        modules: (n, n), bool, row 0 at the top, the quiet zone included; true where it is dark.
        version: 1 to 40; there are 17 + 4 times so many modules on a side.
        level: How much of it may be spoilt: L, M, Q or H.
    """

    modules: npt.NDArray[np.bool_]
    version: int
    level: str


def symbol(text: str) -> Symbol:
    """The code of a text that is written in the 45 characters of the alphanumeric mode.

    Raises:
        PosternError: `invalid` where it holds any other character, nothing, or too many.
    """
    try:
        # Where a code of the same size bears it, the level is raised.
        code = segno.make(text, error=_LEVEL, mode="alphanumeric", micro=False, boost_error=True)
    except (ValueError, segno.DataOverflowError):
        raise invalid("This text does not fit a QR code in alphanumeric mode.") from None
    rows = [bytes(row) for row in code.matrix_iter(border=QUIET)]
    modules = np.array([list(row) for row in rows], bool)
    return Symbol(modules, int(code.version), str(code.error))
