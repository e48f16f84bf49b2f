"""Which looks belong to one person: on numbers, and on forty people's pictures."""

import numpy as np
import pytest

from postern.core.look import Box, Kind, Look
from postern.frame import Sighting, Template
from postern.vision.faces.continuity import FaceContinuity
from postern.vision.faces.recogniser import FaceRecogniser
from postern.vision.track import Patience, Tracker
from tests.vision.faces.pictures import MOMENT, as_seen, frame, people, read

_PLACE = Box(100, 100, 200, 200)


def at(*numbers: float) -> Template:
    return Template(np.array(numbers, np.float32), "model", 1)


@pytest.fixture(scope="module")
def looks(by_yunet: FaceRecogniser) -> dict[str, list[Template]]:
    """Four looks of each of the forty people of faces-orl."""
    found: dict[str, list[Template]] = {}
    for person in people("faces-orl"):
        for path in sorted(person.iterdir())[:4]:
            for sighting in by_yunet.sightings(frame(as_seen(read(path)))):
                if sighting.template is not None:
                    found.setdefault(person.name, []).append(sighting.template)
    return {name: templates for name, templates in found.items() if len(templates) == 4}


def test_same_goes_by_the_nearest_look() -> None:
    """A look belongs where any earlier one is near; a number that is none belongs nowhere."""
    continuity = FaceContinuity(min_apart=0.1, max_apart=0.5)
    earlier = [at(0.0, 0.0), at(2.0, 0.0)]

    assert continuity.same(earlier, at(2.4, 0.0))
    assert not continuity.same(earlier, at(1.0, 0.0))
    assert not continuity.same(earlier, at(float("nan"), 0.0))


def test_differs_goes_by_the_nearest_look() -> None:
    """A look adds something where no earlier one is near; a number that is none adds nothing."""
    continuity = FaceContinuity(min_apart=0.1, max_apart=0.5)
    earlier = [at(0.0, 0.0), at(2.0, 0.0)]

    assert continuity.differs(earlier, at(0.3, 0.0))
    assert not continuity.differs(earlier, at(2.05, 0.0))
    assert not continuity.differs(earlier, at(float("nan"), 0.0))


def test_same_knows_one_person_again(looks: dict[str, list[Template]]) -> None:
    """Of forty people's fourth pictures, taken days later, nearly all join the first three."""
    continuity = FaceContinuity()

    joined = [continuity.same(templates[:3], templates[3]) for templates in looks.values()]

    assert len(joined) >= 30
    assert np.mean(joined) >= 0.95


def test_tracker_does_not_mix_two_people(looks: dict[str, list[Template]]) -> None:
    """Of all pairs of forty people, one stepping into the other's place, hardly any are taken for
    one: that pair resembles each other so much that a single look cannot tell them apart.
    """
    mixed = []
    for name, before in looks.items():
        for other, after in looks.items():
            if name == other:
                continue
            tracker = Tracker(FaceContinuity(), Patience())
            for step, template in enumerate((*before[:3], after[0])):
                now = MOMENT.plus(0.1 * step)
                sighting = Sighting(Look(Kind.FACE, _PLACE, 0.9, (), now), template)
                tracks = tracker.update([sighting], now)
            mixed.append(tracks[0].number == 0)

    assert len(mixed) >= 900
    assert np.mean(mixed) <= 0.01
