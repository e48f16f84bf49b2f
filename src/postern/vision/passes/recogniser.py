"""Passes in a frame: QR codes found and read; all others are left alone.

1. The whole picture is searched as it is. This finds large codes, and of small ones those that lie
   flat and are sharp.
2. Only where that gives no pass, the picture is searched once more, sharpened and enlarged: the
   modules of a pass on a phone at arm's length are two pixels wide.
3. What a code says is judged by whoever knows passes. Whatever is not one leaves here as nothing,
   without a box or a count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from postern.core.look import Box, Kind, Look
from postern.frame import Frame, Image, Sighting, Template

#: What a template of a pass names as its model: there is none but the standard.
MODEL = sha256(b"QR code, ISO/IEC 18004").hexdigest()
#: Passes told of in one frame; nobody holds up more.
MOST = 4
#: Pixels of the enlarged picture, and how many times its sides may be enlarged: this bounds what
#: the second look takes. For 1280 x 720 it is twice (docs/benchmarks/passes.md has the time).
ENLARGED, LARGEST = 4 * 1280 * 720, 3.0
#: Below this the picture is large enough to be searched once.
WORTH = 1.2
#: Of an unsharp mask: its radius in pixels and its weight.
RADIUS, WEIGHT = 1.0, 1.5

_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code that was read.

    Attributes:
        text: The bytes it holds.
        box: Around it, in pixels of the frame.
    """

    text: bytes
    box: Box


class PassRecogniser:
    """Finds and reads passes. Implements `postern.frame.Recogniser`.

    A template holds the bytes of the pass's text, (n,) uint8.

    Args:
        is_pass: Whether a text means to be a pass.
    """

    def __init__(self, is_pass: Callable[[bytes], bool]) -> None:
        self._is_pass = is_pass

    def sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        """Every pass in the frame, largest first; the same frame gives the same."""
        return tuple(_sighting(code, frame) for code in self.codes(frame.image))

    def codes(self, image: Image) -> tuple[Code, ...]:
        """Every pass in the picture, largest first; one that is there twice counts once.

        Args:
            image: (H, W, 3), uint8, blue-green-red.
        """
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        found = self._passes(grey, 1.0) or self._closer(grey)
        found.sort(key=lambda code: (-code.box.width * code.box.height, code.text))
        different: dict[bytes, Code] = {}
        for code in found:
            different.setdefault(code.text, code)
        return tuple(different.values())[:MOST]

    def _closer(self, grey: Grey) -> list[Code]:
        factor = min(LARGEST, (ENLARGED / grey.size) ** 0.5)
        if factor < WORTH:
            return []
        soft = cv2.GaussianBlur(grey, (0, 0), RADIUS)
        sharp = cv2.addWeighted(grey, 1.0 + WEIGHT, soft, -WEIGHT, 0.0)
        large = cv2.resize(sharp, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        return self._passes(np.asarray(large, np.uint8), factor)

    def _passes(self, grey: Grey, factor: float) -> list[Code]:
        # Large codes are found where the picture is halved; those in the enlarged one are small. A
        # QR code is found at every angle without turning the picture, and none of ours is inverted.
        codes = zxingcpp.read_barcodes(
            grey, formats=_QR, try_rotate=False, try_invert=False, try_downscale=factor == 1.0
        )
        return [
            Code(code.bytes, _box(code.position, factor))
            for code in codes
            if self._is_pass(code.bytes)
        ]


def _sighting(code: Code, frame: Frame) -> Sighting:
    look = Look(Kind.PASS, code.box, 1.0, (), frame.captured)
    return Sighting(look, Template(np.frombuffer(code.text, np.uint8), MODEL, 1))


def _box(position: zxingcpp.Position, factor: float) -> Box:
    corners = (
        position.top_left, position.top_right, position.bottom_right, position.bottom_left
    )  # fmt: skip
    x, y = [corner.x / factor for corner in corners], [corner.y / factor for corner in corners]
    # Corners are whole pixels, and a code is not a line.
    return Box(min(x), min(y), max(*x, min(x) + 1.0), max(*y, min(y) + 1.0))
