"""Whether anything moved, so that nothing else runs in front of an empty scene.

Rules of this file:
1. When in doubt, it is open: a gate that opens for nothing costs a little time, one that stays shut
   leaves somebody standing outside. The first picture, a changed size and a clock that ran
   backwards count as motion.
2. What changes everywhere alike is light, and what changes less than the noise is noise; what is
   left of the difference to the running background is motion.
3. Everything is learned from the pictures themselves; no picture is kept, only the background, at
   `WIDTH` pixels and blurred.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid
from postern.frame import Frame, Image

#: Pixels of the small picture; its height follows. A face of 60 pixels in a picture 640 wide is 15
#: here, and each of its pixels is the mean of eight or more, which takes sensor noise to a third.
WIDTH = 160
#: Pixels. Taller pictures are squeezed: a gigantic strip must not become a more gigantic one.
MAX_HEIGHT = 4 * WIDTH
#: Pictures wider than this are thinned out before they are averaged, to cost no more.
THINNED_WIDTH = 640
#: Pixels of the small picture's blur; one bright dead pixel or raindrop is no motion.
BLUR = (3, 3)
#: Of |difference| for normal noise of deviation 1, a quarter lies below this. The quarter is used
#: and not the half, so that somebody who fills half the picture does not pass for noise.
NORMAL_QUARTILE = 0.3186


@dataclass(frozen=True, slots=True)
class Config:
    """What counts as motion.

    Attributes:
        threshold: Grey levels of the small picture, 0..255; less is never motion.
        noise_factor: Deviations of the noise; less is never motion. Of 14,400 pixels of normal
            noise, one in 120 pictures exceeds five deviations at all.
        max_threshold: Grey levels; more is always a change, however noisy the picture looks.
        min_pixels: How many pixels of the small picture must have changed.
        background_s: Time constant of the background in seconds: what stands still fades into it.
        hold_s: Seconds that the gate stays open after the last motion.
    """

    threshold: float = 6.0
    noise_factor: float = 5.0
    max_threshold: float = 15.0
    min_pixels: int = 12
    background_s: float = 10.0
    hold_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= self.max_threshold or self.min_pixels < 1:
            raise invalid("Motion needs a positive threshold, no larger than the largest.")
        if not (self.noise_factor > 0.0 and self.background_s > 0.0 and self.hold_s >= 0.0):
            raise invalid("Motion needs positive times and a positive noise factor.")


@dataclass(frozen=True, slots=True)
class State:
    """What is known after a picture.

    Attributes:
        background: The running background, (H, W) of the small picture, float32, grey levels.
        seen_s: When the picture was captured, on the monotonic clock.
        moved_s: When something last moved, likewise.
    """

    background: npt.NDArray[np.float32]
    seen_s: float
    moved_s: float


class MotionGate:
    """Stands before one camera's recognisers. Frames must come in the order of capture.

    Args:
        config: What counts as motion.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.state: State | None = None

    def moved(self, frame: Frame) -> bool:
        """Whether something moves in the frame, or did within the last `hold_s`."""
        small = shrink(frame.image)
        self.state = follow(self.config, self.state, small, frame.captured.monotonic_s)
        return self.state.seen_s - self.state.moved_s <= self.config.hold_s


def follow(
    config: Config, state: State | None, small: npt.NDArray[np.float32], seen_s: float
) -> State:
    """The state after one more picture.

    Args:
        config: What counts as motion.
        state: The state before; None at the beginning.
        small: The picture as `shrink` gives it.
        seen_s: When it was captured, in seconds of the monotonic clock.
    """
    if state is None or state.background.shape != small.shape or seen_s < state.seen_s:
        return State(small, seen_s, seen_s)
    difference = small - state.background
    moved_s = seen_s if _changed(config, difference) else state.moved_s
    share = 1.0 - float(np.exp((state.seen_s - seen_s) / config.background_s))
    return State(state.background + np.float32(share) * difference, seen_s, moved_s)


def shrink(image: Image) -> npt.NDArray[np.float32]:
    """The small grey picture that motion is judged on.

    Args:
        image: (H, W, 3), uint8, blue-green-red.

    Returns:
        (h, WIDTH), float32, 0..255, blurred; h follows the shape, within 1..MAX_HEIGHT.
    """
    height = min(max(1, round(WIDTH * image.shape[0] / image.shape[1])), MAX_HEIGHT)
    thinned: cv2.typing.MatLike = image
    if image.shape[1] > THINNED_WIDTH:
        size = (THINNED_WIDTH, height * THINNED_WIDTH // WIDTH)
        thinned = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    if thinned.shape[0] >= 2 * height:
        thinned = thinned[::2]  # A view: averaging takes most of this file's time.
    small = cv2.resize(thinned, (WIDTH, height), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.blur(grey.astype(np.float32), BLUR), dtype=np.float32)


def _changed(config: Config, difference: npt.NDArray[np.float32]) -> bool:
    sample = difference[::2, ::2].ravel()
    light = np.partition(sample, sample.size // 2)[sample.size // 2]
    spread = np.partition(np.abs(sample - light), sample.size // 4)[sample.size // 4]
    noise = float(spread) / NORMAL_QUARTILE
    threshold = min(max(config.threshold, config.noise_factor * noise), config.max_threshold)
    changed = int(np.count_nonzero(np.abs(difference - light) > threshold))
    return changed >= config.min_pixels
