"""A camera's picture, what recognisers make of it, and the ports that carry both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid
from postern.core.evidence import Evidence
from postern.core.ids import CameraId, CredentialId, Holder
from postern.core.look import Box, Flaw, Look
from postern.core.moment import Moment
from postern.pixels import Pixels

Image = npt.NDArray[np.uint8]


def image_of(pixels: Pixels) -> Image:
    """Pixels as an array, (H, W, 3), uint8, blue-green-red; over the same memory."""
    return np.frombuffer(pixels.data, np.uint8).reshape(pixels.height, pixels.width, 3)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera.

    Attributes:
        camera: Which camera.
        image: (H, W, 3), uint8, blue-green-red, 0..255, row 0 at the top.
        captured: When it was taken, on both clocks.
        sequence: Counts the camera's frames from 0, so that gaps show.
    """

    camera: CameraId
    # Neither a picture nor what was made of it must show where either is printed by mistake.
    image: Image = field(repr=False)
    captured: Moment
    sequence: int

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise invalid("A frame must be an 8-bit colour picture of shape (H, W, 3).")


@dataclass(frozen=True, slots=True)
class Template:
    """What a model made of one or more looks; opaque to everyone but that model's own code.

    Attributes:
        values: The model's numbers; for a face (128,) float32.
        model: The sha256 of the model that made them, in hex.
        looks: How many different looks it holds, at least 1.
    """

    values: npt.NDArray[np.generic] = field(repr=False)
    model: str
    looks: int

    def __post_init__(self) -> None:
        if self.looks < 1:
            raise invalid("A template holds at least one look.")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A look and, where nothing spoils it, the template made of it."""

    look: Look
    template: Template | None


@dataclass(frozen=True, slots=True)
class Track:
    """One passer-by before one camera.

    Attributes:
        number: Counts the camera's tracks.
        first: When it was first seen.
        last: When it was last seen.
        box: Where it was last.
        flaws: What spoils the newest look; empty where it can be compared.
        probes: The looks that differ, in the order they came.
        frames: In how many frames it was seen.
    """

    number: int
    first: Moment
    last: Moment
    box: Box
    flaws: tuple[Flaw, ...]
    probes: tuple[Template, ...]
    frames: int


@dataclass(frozen=True, slots=True)
class Reference:
    """What a credential's holder looks like, opened for comparison."""

    credential: CredentialId
    holder: Holder
    template: Template


class Source(Protocol):
    """A camera, or what stands in for one."""

    @property
    def live(self) -> bool:
        """Whether its frames show what is in front of a camera now.

        Enrolment refuses a source that is not live: a recording proves nobody's presence.
        """
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, until the source ends or `close` is called.

        Raises:
            PosternError: `unavailable` where the source cannot be reached now, `invalid` where
                what it gives can never be decoded.
        """
        ...

    def close(self) -> None:
        """Ends `frames` within a second, from any thread; safe to call twice."""
        ...


class Recogniser(Protocol):
    """Turns pixels into looks."""

    def sightings(self, frame: Frame) -> tuple[Sighting, ...]:
        """Every face or plate in the frame, largest first; the same frame gives the same."""
        ...


class Continuity(Protocol):
    """Says what belongs together; each recogniser has its own."""

    def same(self, probes: Sequence[Template], new: Template) -> bool:
        """Whether a new look can be of whoever the earlier looks are of.

        Where it says no, somebody else has stepped into the place and a new track begins: what was
        recognised before never rides on who comes after.
        """
        ...

    def differs(self, probes: Sequence[Template], new: Template) -> bool:
        """Whether a new look adds anything to the earlier ones."""
        ...


class Tracker(Protocol):
    """Follows whoever is before one camera, from one frame to the next."""

    def update(self, sightings: Sequence[Sighting], now: Moment) -> tuple[Track, ...]:
        """The tracks that live after a frame; those seen in it come first.

        Args:
            sightings: What the frame showed.
            now: When it was captured.
        """
        ...


class Matcher(Protocol):
    """Says how likely somebody else would have matched at least this well."""

    def match(
        self, probes: Sequence[Template], references: Sequence[Reference], seen: Moment
    ) -> tuple[Evidence, ...]:
        """Evidence for every reference, best first.

        Args:
            probes: The looks of one attempt that differ, in the order they came; the bound
                accounts for the attempt having been tried after each one.
            references: The references that this access point's permits allow.
            seen: When the last look was captured.
        """
        ...
