"""The size that a camera's pictures should have.

A camera that was reset sends what it likes: its faces and plates are smaller than when the lane was
set up, and nobody would know why it recognises nobody. One that is hostile sends what costs most to
look at: 25 megapixels take the detector of faces half a minute and 5 GB, in the service itself.
"""

from collections.abc import Iterator

from postern.core.errors import Code, PosternError, invalid
from postern.frame import Frame
from postern.pixels import MAX_PIXELS

#: What pictures may have where nobody said how large they are: pixels of 4K, and the shortest side
#: and the most that the longer is of it (double cameras have 32:9, some stand on end).
MOST_UNSAID = 3840 * 2160
_SHORTEST, _MOST_LONGER = 16, 6
#: Pixels of the longest side; what reads codes takes no longer one than 32,767.
LONGEST = 16_384


def check_size(width: int | None, height: int | None) -> None:
    """Refuses a size that no picture has.

    Raises:
        PosternError: `invalid`.
    """
    if (width is None) != (height is None):
        raise invalid("A picture's width and height go together.", "Set both, or neither.")
    if (
        width is not None
        and height is not None
        and not (
            min(width, height) >= 1
            and width * height <= MAX_PIXELS
            and max(width, height) <= LONGEST
        )
    ):
        raise invalid(
            f"A camera's pictures have 1 to {MAX_PIXELS:,} pixels, and no side over {LONGEST:,}."
        )


class Size:
    """What the pictures of one camera have to measure.

    Args:
        name: What to call the camera in errors.
        width: Pixels; None for whatever the first picture has.
        height: Likewise.
    """

    def __init__(self, name: str, width: int | None, height: int | None) -> None:
        self._name = name
        self._set = None if width is None or height is None else (width, height)

    def checked(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The frames, as long as they measure what they should.

        Raises:
            PosternError: `unavailable` where one does not, or is of a size that has to be said.
        """
        size = self._set
        for frame in frames:
            height, width = frame.image.shape[:2]
            if size is None:
                self._check_unsaid(width, height)
            size = size or (width, height)
            if (width, height) != size:
                raise self._wrong(width, height, size)
            yield frame

    def _check_unsaid(self, width: int, height: int) -> None:
        short, long = sorted((width, height))
        sound = short >= _SHORTEST and long <= _MOST_LONGER * short
        if not (sound and width * height <= MOST_UNSAID):
            raise PosternError(
                Code.UNAVAILABLE,
                f"{self._name} gives pictures of {width} x {height} pixels, as cameras at a gate "
                "seldom do.",
                "Set it to 3840 x 2160 at most; or, if that is right, write `width` and `height`.",
            )

    def _wrong(self, width: int, height: int, size: tuple[int, int]) -> PosternError:
        should = f"{size[0]} x {size[1]}"
        hint = f"Set it to {should} again." if self._set else ""
        return PosternError(
            Code.UNAVAILABLE,
            f"{self._name} gives pictures of {width} x {height} pixels instead of {should}.",
            hint,
        )
