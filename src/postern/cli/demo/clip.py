"""Writing the demo's clips, and taking stills from clips."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid
from postern.frame import Image

WIDTH, HEIGHT, FPS = 640, 360, 10

Floats = npt.NDArray[np.float32]


def write(path: Path, frames: Iterator[Image], fps: int = FPS) -> None:
    """Writes pictures, each (360, 640, 3) uint8 blue-green-red, as a video of `fps` a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"crf": "20", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def still(path: Path, at_s: float) -> bytes:
    """The picture that a clip shows `at_s` seconds after its start, as a JPEG.

    Raises:
        PosternError: `invalid` where the clip is shorter.
    """
    with av.open(str(path)) as container:
        for at, frame in enumerate(container.decode(video=0)):
            if at >= at_s * FPS:
                image = frame.to_ndarray(format="bgr24")
                return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    raise invalid(f"The clip {path.name} ends before second {at_s:g}.")


class Camera:
    """Gives scenes as a camera does: slow light, sensor noise, rounding.

    Args:
        seed: Of its noise.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        # One field of noise, shifted anew for every picture, looks like fresh noise and costs less.
        self._noise = self._rng.normal(0.0, 2.5, (HEIGHT, WIDTH, 3)).astype(np.float32)

    def filmed(self, scene: Floats, second: float) -> Image:
        """The scene, (360, 640, 3) float32 0..255, `second` seconds after the start."""
        light = np.float32(1.0 + 0.03 * np.sin(second / 4.0))
        shift = tuple(self._rng.integers(0, (HEIGHT, WIDTH)).tolist())
        noisy = cv2.scaleAdd(scene, float(light), np.roll(self._noise, shift, (0, 1)))
        return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def eased(share: float) -> float:
    """From 0 to 1 with a gentle start and end."""
    clipped = min(max(share, 0.0), 1.0)
    return clipped * clipped * (3 - 2 * clipped)
