"""A picture's pixels as plain bytes, for processes that are too small for arrays."""

from dataclasses import dataclass, field

#: Pixels. 25 megapixels take 75 MB once decoded; no camera at a gate gives more.
MAX_PIXELS = 25_000_000


@dataclass(frozen=True, slots=True)
class Pixels:
    """One picture.

    Attributes:
        width: Pixels in a row.
        height: Rows.
        data: Blue, green and red of each pixel, 0..255, row by row from the top, without gaps.
    """

    width: int
    height: int
    data: bytearray = field(repr=False)
