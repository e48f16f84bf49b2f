"""From a frame to looks: what is embedded, what is not, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from postern.core.look import Box, Flaw, Kind
from postern.frame import Image, Sighting
from postern.vision.faces.align import Aligned
from postern.vision.faces.detect import Face
from postern.vision.faces.embed import DIMENSIONS, Embedder
from postern.vision.faces.quality import Geometry, Limits
from postern.vision.faces.recogniser import FaceRecogniser
from tests.vision.faces.pictures import (
    MOMENT,
    as_seen,
    astronaut,
    frame,
    hopper,
    people,
    portraits,
    read,
    scaled,
    strange_pictures,
)


@dataclass
class CountingSession:
    """Stands for the embedder's session: counts the chips that it is given and puts those that come
    together as far apart as it is told.
    """

    chips: int = 0
    apart: float = 0.0

    def run(
        self, names: None, feeds: dict[str, npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        vectors = np.full((len(feeds["chips"]), DIMENSIONS), 0.1, np.float32)
        vectors[:, 0] += self.apart * np.arange(len(vectors))
        self.chips += len(vectors)
        return [vectors]


@dataclass
class Told:
    """A detector and an aligner that give what they are told to."""

    found: list[Face] = field(default_factory=list)
    geometry: Geometry = field(default_factory=lambda: Geometry(60.0, 0.0, 0.6))
    inside: float = 1.0

    def faces(self, image: Image) -> tuple[Face, ...]:
        return tuple(self.found)

    def align(self, image: Image, face: Face) -> Aligned:
        levels = np.random.default_rng(0).normal(120, 30, (150, 150, 3)).clip(0, 255)
        return Aligned(levels.astype(np.uint8), self.geometry, self.inside)


def face(x0: float, width: float, score: float = 0.9) -> Face:
    return Face(Box(x0, 10, x0 + width, 10 + width), score, None)


def counted(
    told: Told, limits: Limits | None = None, apart: float = 0.0
) -> tuple[FaceRecogniser, CountingSession]:
    session = CountingSession(apart=apart)
    return FaceRecogniser(told, told, Embedder(session, "model"), limits or Limits()), session


def picture() -> Image:
    return np.zeros((400, 600, 3), np.uint8)


def blurred(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 6.0), np.uint8)


def brightness(image: Image, gain: float, shift: float = 0.0) -> Image:
    return (image * gain + shift).clip(0, 255).astype(np.uint8)


def beside_another(image: Image) -> Image:
    other = scaled(hopper(), 0.6)
    height = min(len(image), len(other))
    return np.hstack([image[:height], other[:height]])


_DOCTORED: dict[Flaw, Callable[[Image], Image]] = {
    Flaw.TOO_SMALL: lambda image: scaled(image, 0.4),
    Flaw.TOO_DARK: lambda image: brightness(image, 0.1),
    Flaw.TOO_BRIGHT: lambda image: brightness(image, 0.5, 160.0),
    Flaw.BLURRED: blurred,
    Flaw.SEVERAL_FACES: beside_another,
    Flaw.CLIPPED: lambda image: image[:, 208:].copy(),
}


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
@pytest.mark.parametrize("kind", ["by_yunet", "by_dlib"])
def test_sightings_of_a_portrait_are_one_good_look(
    request: pytest.FixtureRequest, kind: str, name: str
) -> None:
    """A clear face from the front has no flaw and one template of 128 numbers."""
    recogniser: FaceRecogniser = request.getfixturevalue(kind)

    [sighting] = recogniser.sightings(frame(portraits()[name]))

    assert Kind.FACE is sighting.look.kind
    assert () == sighting.look.flaws
    assert MOMENT == sighting.look.seen
    assert 0.0 <= sighting.look.score <= 1.0
    assert sighting.template is not None
    assert 1 == sighting.template.looks
    assert (DIMENSIONS,) == sighting.template.values.shape
    assert np.isfinite(sighting.template.values).all()


@pytest.mark.parametrize("flaw", _DOCTORED)
def test_sightings_name_the_flaw(by_yunet: FaceRecogniser, flaw: Flaw) -> None:
    """Every flaw is reached by a portrait that has it, and spoils the look for comparison."""
    sightings = by_yunet.sightings(frame(_DOCTORED[flaw](astronaut())))

    assert sightings
    for sighting in sightings:
        assert flaw in sighting.look.flaws
        assert sighting.template is None


@pytest.mark.parametrize("flaw", [Flaw.TOO_DARK, Flaw.BLURRED, Flaw.SEVERAL_FACES])
def test_sightings_name_the_flaw_with_the_built_in_detector(
    by_dlib: FaceRecogniser, flaw: Flaw
) -> None:
    """dlib's detector finds them too, and the same gate stands behind it."""
    sightings = by_dlib.sightings(frame(_DOCTORED[flaw](scaled(astronaut(), 1.2))))

    assert sightings
    for sighting in sightings:
        assert flaw in sighting.look.flaws
        assert sighting.template is None


def test_sightings_refuse_heads_that_are_turned_away(by_yunet: FaceRecogniser) -> None:
    """Of the profiles of ten people none is compared; of their frontal pictures most are."""
    profiles: list[Sighting] = []
    fronts: list[Sighting] = []
    for person in people("faces-turning"):
        pictures = sorted(person.iterdir())
        for path, into in ((pictures[0], profiles), (pictures[-1], fronts)):
            into.extend(by_yunet.sightings(frame(as_seen(read(path)))))

    assert len(profiles) >= 5
    assert all(sighting.template is None for sighting in profiles)
    assert any(Flaw.TURNED_AWAY in sighting.look.flaws for sighting in profiles)
    assert sum(sighting.template is not None for sighting in fronts) >= 6


def test_sightings_of_two_people_embed_neither() -> None:
    """Whoever stands beside spoils the look for both: not one chip reaches the embedder."""
    recogniser, session = counted(Told([face(10, 100), face(200, 51)]))

    sightings = recogniser.sightings(frame(picture()))

    assert [(Flaw.SEVERAL_FACES,)] * 2 == [sighting.look.flaws for sighting in sightings]
    assert [100, 51] == [sighting.look.box.width for sighting in sightings]
    assert 0 == session.chips


def test_sightings_leave_the_background_alone() -> None:
    """Somebody far behind is neither embedded nor reported, and spoils nothing."""
    recogniser, session = counted(Told([face(200, 49), face(10, 100), face(300, 30)]))

    [sighting] = recogniser.sightings(frame(picture()))

    assert 100 == sighting.look.box.width
    assert sighting.template is not None
    assert 1 == session.chips


def test_sightings_embed_nothing_that_is_flawed() -> None:
    """A face that is turned away or cut, by its box or by its middle, never becomes a vector."""
    for flaw, told in (
        (Flaw.TURNED_AWAY, Told([face(10, 100)], Geometry(60.0, 0.9, 0.6))),
        (Flaw.CLIPPED, Told([face(-11, 100)])),
        (Flaw.CLIPPED, Told([face(511, 100)])),
        (Flaw.CLIPPED, Told([face(10, 100)], inside=0.89)),
        (Flaw.CLIPPED, Told([face(10, 100)], inside=float("nan"))),
    ):
        recogniser, session = counted(told)

        [sighting] = recogniser.sightings(frame(picture()))

        assert (flaw,) == sighting.look.flaws
        assert sighting.template is None
        assert 0 == session.chips


@pytest.mark.parametrize(("apart", "good"), [(0.4, True), (0.6, False), (float("nan"), False)])
def test_sightings_refuse_a_face_unlike_its_mirror_image(apart: float, good: bool) -> None:
    """Where the limits ask for it, a face whose mirror image is another face is turned away."""
    limits = replace(Limits(), max_mirror=0.5)
    recogniser, session = counted(Told([face(10, 100)]), limits, apart)

    [sighting] = recogniser.sightings(frame(picture()))

    assert good == (sighting.template is not None)
    assert (() if good else (Flaw.TURNED_AWAY,)) == sighting.look.flaws
    assert 2 == session.chips


@pytest.mark.parametrize("score", [0.49, float("nan")])
def test_sightings_refuse_a_face_that_the_detector_is_not_sure_of(score: float) -> None:
    """Where the limits ask for it, it counts as turned away, and is not embedded."""
    told = Told([face(10, 100, score)])
    recogniser, session = counted(told, replace(Limits(), min_score=0.5))

    [sighting] = recogniser.sightings(frame(picture()))

    assert (Flaw.TURNED_AWAY,) == sighting.look.flaws
    assert 0 == session.chips


def test_sightings_keep_the_score_within_bounds() -> None:
    """dlib's scores go below 0 and above 1; a look's do not."""
    for score, expected in ((1.7, 1.0), (-0.2, 0.0)):
        recogniser, _ = counted(Told([face(10, 100, score)]))

        assert expected == recogniser.sightings(frame(picture()))[0].look.score


def test_sightings_are_the_same_for_the_same_frame(by_yunet: FaceRecogniser) -> None:
    """A frame gives the same looks and the same numbers every time."""
    first, second = (by_yunet.sightings(frame(hopper()))[0] for _ in range(2))

    assert first.look == second.look
    assert first.template is not None
    assert second.template is not None
    assert np.array_equal(first.template.values, second.template.values)


def test_sightings_tell_two_people_apart(by_yunet: FaceRecogniser) -> None:
    """The same person in other light lies nearer than the other person."""

    def vector(image: Image) -> Any:
        [sighting] = by_yunet.sightings(frame(image))
        assert sighting.template is not None
        return sighting.template.values

    clear, dim, other = (vector(i) for i in (astronaut(), brightness(astronaut(), 0.7), hopper()))

    assert np.linalg.norm(clear - dim) < 0.3
    assert np.linalg.norm(clear - other) > 0.6


@pytest.mark.parametrize(("name", "image"), list(strange_pictures()))
def test_sightings_are_none_where_nobody_is(
    by_yunet: FaceRecogniser, name: str, image: Image
) -> None:
    """An empty lane, a covered lens or a broken camera shows nobody."""
    assert () == by_yunet.sightings(frame(image)), name
