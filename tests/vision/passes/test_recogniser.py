"""Passes in pictures: found, read to the letter, and told from every other code."""

import cv2
import numpy as np
import pytest
import segno

from postern.core.look import Kind
from postern.frame import Image, Template
from postern.vault.passes import claims
from postern.vision.passes.continuity import PassContinuity
from postern.vision.passes.recogniser import MODEL, MOST, PassRecogniser
from postern.vision.track import Patience, Tracker
from tests.people import moment
from tests.vision.passes.samples import OTHER, TEXT, crowd, drawn, frame, shown

RECOGNISER = PassRecogniser(claims)


def texts(image: Image) -> list[str]:
    return [code.text.decode() for code in RECOGNISER.codes(image)]


def template(text: str) -> Template:
    return Template(np.frombuffer(text.encode(), np.uint8), MODEL, 1)


def foreign(content: str, module: int = 4) -> Image:
    """Somebody else's QR code."""
    code = segno.make(content, micro=False)
    rows = np.array([list(row) for row in code.matrix_iter(scale=module)], np.uint8)
    return np.asarray(cv2.cvtColor(255 * (1 - rows), cv2.COLOR_GRAY2BGR), np.uint8)


def pasted(*images: Image) -> Image:
    """Codes side by side on grey."""
    scene = np.full((720, 1280, 3), 128, np.uint8)
    x = 10
    for image in images:
        scene[20 : 20 + image.shape[0], x : x + image.shape[1]] = image
        x += image.shape[1] + 10
    return scene


def test_a_pass_is_seen_where_it_is_and_read_to_the_letter() -> None:
    """The template holds the text's own bytes; nothing spoils the look."""
    (sighting,) = RECOGNISER.sightings(frame(pasted(drawn(TEXT))))
    look, read = sighting.look, sighting.template

    assert read is not None
    assert (TEXT.encode(), MODEL) == (read.values.tobytes(), read.model)
    assert np.dtype(np.uint8) == read.values.dtype
    assert (Kind.PASS, (), moment(3.0)) == (look.kind, look.flaws, look.seen)
    # The box is around the modules, inside the quiet zone of 16 pixels.
    edges = (look.box.x0, look.box.y0, look.box.x1, look.box.y1)
    assert (26, 36, 302, 312) == pytest.approx(edges, abs=3)


def test_most_passes_held_up_are_read() -> None:
    """Slanted, soft, in glare, noisy and compressed: at 35 cm every paper pass, and of those on a
    phone, whose modules are two pixels, half at least."""
    assert [TEXT] * 10 == [text for seed in range(10) for text in texts(shown(seed=seed))]
    assert sum(texts(shown(seed=seed, cm=6.0)) == [TEXT] for seed in range(10)) >= 5


def test_small_passes_need_the_second_look() -> None:
    """The one that is sharpened and enlarged; and its box is in the frame's own pixels."""
    image = shown(seed=2, cm=6.5, away_cm=38.0)
    alone = PassRecogniser(claims)
    alone._closer = lambda grey: []  # type: ignore[method-assign]

    assert () == alone.codes(image)
    (code,) = RECOGNISER.codes(image)
    assert TEXT.encode() == code.text
    assert 850 < (code.box.x0 + code.box.x1) / 2 < 890
    assert 340 < (code.box.y0 + code.box.y1) / 2 < 380


@pytest.mark.parametrize("turns", range(8))
def test_a_pass_is_read_at_every_angle(turns: int) -> None:
    """A phone is held as it comes."""
    image = cv2.copyMakeBorder(
        drawn(TEXT), 200, 200, 200, 200, cv2.BORDER_CONSTANT, None, (255,) * 3
    )
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    turn = cv2.getRotationMatrix2D(middle, 45.0 * turns + 10, 1.0)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], borderValue=(255, 255, 255))

    assert [TEXT] == texts(np.asarray(turned, np.uint8))


@pytest.mark.parametrize(
    "content", ["https://example.org/menu", "HC1:NCFOXN", "PSTN", "xPSTN1:ABC", "WIFI:S:guest;;"]
)
def test_other_codes_are_left_alone(content: str) -> None:
    """They leave no sighting; the reader itself does read them."""
    image = pasted(foreign(content))
    everything = PassRecogniser(lambda text: True)

    assert [content.encode()] == [code.text for code in everything.codes(image)]
    assert () == RECOGNISER.sightings(frame(image))


def test_several_passes_are_all_seen_and_the_nearest_is_first() -> None:
    """Beside a code that is none; and one that is there twice counts once."""
    image = pasted(drawn(OTHER, 3), foreign("https://example.org"), drawn(TEXT), drawn(OTHER, 3))

    assert [TEXT, OTHER] == texts(image)


def test_a_wall_of_passes_is_not_all_told() -> None:
    """What one frame can cost is bounded."""
    wall = pasted(*(drawn(f"PSTN1:{number}", 4) for number in range(MOST + 2)))

    assert MOST + 2 == len(PassRecogniser(claims)._passes(wall[:, :, 0], 1.0))
    assert MOST == len(RECOGNISER.codes(wall))


def test_the_same_picture_gives_the_same() -> None:
    """As every recogniser promises."""
    image = shown()

    assert RECOGNISER.codes(image) == RECOGNISER.codes(image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (17, 23), (2160, 3840)])
def test_pictures_of_any_shape_are_searched(shape: tuple[int, int]) -> None:
    """And nothing is found where nothing is."""
    assert () == RECOGNISER.codes(np.full((*shape, 3), 90, np.uint8))


def test_faces_and_noise_are_no_passes() -> None:
    """A picture with nothing to read gives nothing."""
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), dtype=np.uint8)

    assert [(), ()] == [RECOGNISER.codes(noise), RECOGNISER.codes(crowd()[0])]


def test_one_pass_is_one_track_and_another_begins_a_new_one() -> None:
    """Whoever holds up the next pass in the same place does not inherit the first."""
    tracker = Tracker(PassContinuity(), Patience(reach=2.0))

    for at in range(3):
        tracks = tracker.update(RECOGNISER.sightings(frame(pasted(drawn(TEXT)))), moment(at * 0.1))
    assert [(0, 3, 1)] == [(one.number, one.frames, len(one.probes)) for one in tracks]

    tracks = tracker.update(RECOGNISER.sightings(frame(pasted(drawn(OTHER, 6)))), moment(0.3))
    assert [1, 0] == [one.number for one in tracks]
    assert OTHER.encode() == tracks[0].probes[0].values.tobytes()


def test_a_pass_is_its_text() -> None:
    """One letter more or less, or another, is another pass; the same again adds nothing."""
    kept = PassContinuity()

    assert kept.same([template(TEXT)], template(TEXT))
    assert not kept.differs([template(TEXT)], template(TEXT))
    assert not kept.same([template(TEXT)], template(TEXT[:-1]))
    assert not kept.same([template(TEXT)], template(TEXT[:-1] + "0"))
