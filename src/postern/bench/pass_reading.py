"""How well and how fast passes are read from a door camera's pictures, by drawn scenes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import segno

from postern.bench.pass_scenes import Camera, Held, backdrop, develop, picture
from postern.core.errors import Code, PosternError
from postern.frame import Image
from postern.vault.passes import Pass, Sort, claims, encode
from postern.vision.passes.card import A6_CODE, CARD_CODE
from postern.vision.passes.recogniser import PassRecogniser
from postern.vision.passes.symbol import QUIET, symbol

Modules = npt.NDArray[np.bool_]

HD, SMALL = Camera(1280, 720), Camera(640, 360)
#: Centimetres across, quiet zone included: what carries a code.
CARRIERS = {
    "phone, 6.5 cm wide": 6.5, "card": CARD_CODE / 10, "A6": A6_CODE / 10,
}  # fmt: skip
DISTANCES_CM = (15, 20, 25, 30, 35, 40, 45, 50, 60)
#: Pixels of the picture for each module of the code, held flat.
MODULE_PX = (1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0, 4.0, 6.0)
#: Pixels across a code, quiet zone left out, and how much of its width a spot of glare hides.
WIDTHS_PX, SPOTS = (110, 125, 140, 160), (0.0, 0.10, 0.15)
_PLAIN_CM = 40.0
#: Pictures used; the first so many of the folder.
_PORTRAITS = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """How many pictures of one kind were read.

    Attributes:
        case: Which kind.
        size: What was varied: centimetres, or pixels.
        read: In how many the pass was read.
        pictures: Of how many.
    """

    case: str
    size: float
    read: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a picture took, in milliseconds of whatever clock was given."""

    case: str
    p50_ms: float
    p99_ms: float


def portraits(folder: Path) -> tuple[Image, ...]:
    """Faces from a folder of folders.

    Raises:
        PosternError: `not_found` where there are none.
    """
    files = sorted(folder.glob("*/*.jpg"))[:_PORTRAITS]
    found = [cv2.imread(str(file), cv2.IMREAD_COLOR) for file in files]
    if not found:
        raise PosternError(Code.NOT_FOUND, f"There are no pictures in {folder}.")
    return tuple(np.asarray(one, np.uint8) for one in found if one is not None)


def sample() -> str:
    """The text of a pass that carries a reference of 128 numbers: 206 bytes, as noise."""
    noise = np.random.default_rng(1)
    issued = datetime(2026, 3, 4, tzinfo=UTC)
    one = Pass(
        Sort.REFERENCE, noise.bytes(16), noise.bytes(16), issued, issued + timedelta(365),
        noise.bytes(206),
    )  # fmt: skip
    return encode(one, noise.bytes(32))


@dataclass(frozen=True, slots=True)
class Study:
    """Counts in how many drawn pictures a pass is read.

    Attributes:
        faces: Whose portraits are drawn beside the pass.
        pictures: How many of each kind; the same people and slants for every kind.
    """

    faces: Sequence[Image]
    pictures: int

    def by_distance(self, camera: Camera) -> tuple[Rate, ...]:
        """Every carrier at every distance at which it fits into the picture."""
        modules = symbol(sample()).modules
        return tuple(
            self._rate(name, distance, camera, lambda _: modules, Held(width, distance))
            for name, width in CARRIERS.items()
            for distance in DISTANCES_CM
            if width * camera.focal / distance < 0.6 * camera.height
        )

    def by_module(self) -> tuple[Rate, ...]:
        """By how many pixels a module has, whatever carries it."""
        modules = symbol(sample()).modules
        return tuple(
            self._rate(
                "any", pixels, HD, lambda _: modules,
                Held(_cm(pixels * len(modules)), _PLAIN_CM, beside=pixels < 4.0),
            )
            for pixels in MODULE_PX
        )  # fmt: skip

    def by_level(self) -> tuple[Rate, ...]:
        """Each level of error correction, equally wide, with a spot of glare that hides modules."""
        return tuple(
            self._spotted(modules, f"{level}, {len(modules) - 2 * QUIET}", spot, wide)
            for level, modules in _levels()
            for spot in SPOTS
            for wide in WIDTHS_PX
        )

    def _spotted(self, modules: Modules, name: str, spot: float, wide: float) -> Rate:
        held = Held(_cm(wide * len(modules) / (len(modules) - 2 * QUIET)), _PLAIN_CM)
        case = f"{name}, {100 * spot:.0f} %"
        return self._rate(case, wide, HD, lambda seed: _spotted(modules, spot, seed), held)

    def _rate(
        self, case: str, size: float, camera: Camera, code: Callable[[int], Modules], held: Held
    ) -> Rate:
        recogniser, wanted, read = PassRecogniser(claims), [sample().encode()], 0
        for seed in range(self.pictures):
            image = picture(_random(seed), camera, code(seed), held, self.faces)
            read += [found.text for found in recogniser.codes(image)] == wanted
        return Rate(case, size, read, self.pictures)


def durations(
    faces: Sequence[Image], n: int, now_s: Callable[[], float]
) -> tuple[Duration, ...]:  # fmt: skip
    """Pictures with nothing to read and pictures with a pass, of both sizes."""
    modules, found = symbol(sample()).modules, []
    for camera in (HD, SMALL):
        size = f"{camera.width}x{camera.height}"
        empty = [_empty(seed, camera, faces) for seed in range(n)]
        near = Held(CARRIERS["A6"], 25.0)
        shown = [picture(_random(seed), camera, modules, near, faces) for seed in range(n)]
        found += [
            _duration(f"{size}, no pass", empty, now_s), _duration(f"{size}, a pass", shown, now_s),
        ]  # fmt: skip
    return tuple(found)


def _levels() -> list[tuple[str, Modules]]:
    codes = {
        level: segno.make(sample(), error=level, mode="alphanumeric", boost_error=False)
        for level in ("L", "M", "Q")
    }
    return [
        (level, np.array([list(row) for row in code.matrix_iter(border=QUIET)], bool))
        for level, code in codes.items()
    ]


def _duration(case: str, images: Sequence[Image], now_s: Callable[[], float]) -> Duration:
    recogniser, seconds = PassRecogniser(claims), []
    recogniser.codes(images[0])
    for image in images:
        begun = now_s()
        recogniser.codes(image)
        seconds.append(now_s() - begun)
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1e3
    return Duration(case, float(p50), float(p99))


def _empty(seed: int, camera: Camera, faces: Sequence[Image]) -> Image:
    random = _random(seed)
    return develop(random, backdrop(random, camera, faces))


def _spotted(modules: Modules, spot: float, seed: int) -> Modules:
    """A code of which a disc is light, so many of its widths in radius; where, the seed decides."""
    side = len(modules)
    y, x = np.random.default_rng(seed).uniform(QUIET, side - QUIET, 2)
    rows, columns = np.mgrid[:side, :side]
    hidden = np.hypot(rows - y, columns - x) < spot * (side - 2 * QUIET)
    return np.asarray(modules & ~hidden, bool)


def _cm(pixels: float) -> float:
    """How wide something is that has so many pixels at the plain distance."""
    return pixels * _PLAIN_CM / HD.focal


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng((20260304, seed))
