"""Plates in drawn scenes: found, read, and told from other writing."""

import cv2
import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.look import Flaw, Kind
from postern.vision.model import Entry, Models, read_manifest
from postern.vision.plates.recogniser import DETECTOR, READER, load
from tests.vision.plates import render
from tests.vision.plates.conftest import NOON, frame


def texts(recogniser, image):
    return [recogniser.text(plate.slots) for plate in recogniser.plates(image)]


def writing(words, width=420):
    rng = np.random.default_rng(3)
    sheet = render.line_of_text(words, 90, 0.8)
    image = cv2.cvtColor(np.asarray(sheet), cv2.COLOR_RGB2BGR)
    return render.scene(rng, cv2.copyMakeBorder(image, 30, 30, 40, 40, 1, None, (230,) * 3), width)[
        0
    ]


@pytest.mark.parametrize("pattern", ["LLLDDDD", "DLLLDDD", "LLDDLLL", "DDDLLL"])
def test_plate_is_read(recogniser, pattern):
    """A clean plate of a usual shape is read exactly."""
    rng = np.random.default_rng(11)
    number = render.plate_number(rng, pattern)
    image, box = render.scene(rng, render.plate(number), width=150)

    sighting = recogniser.sightings(frame(image))[0]

    assert [number] == texts(recogniser, image)
    assert sighting.look.kind is Kind.PLATE
    assert sighting.look.flaws == ()
    assert sighting.look.seen == NOON
    assert box[0] - 10 <= sighting.look.box.x0 < sighting.look.box.x1 <= box[2] + 10
    assert sighting.template is not None
    assert sighting.template.looks == 1
    assert sighting.template.model == read_manifest()[READER].sha256


def test_most_plates_are_read_when_spoilt(recogniser):
    """Of 12 tilted, soft, compressed plates among state names and slogans, 9 are read exactly."""
    read = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        number = render.plate_number(rng)
        sheet = render.plate(number, above="MISSOURI", below="Show-Me State", gap=" ")
        spoil = render.Spoiling(blur=0.015, noise=4.0, quality=45, gain=0.8)
        image, _ = render.scene(rng, sheet, 100, turn=rng.uniform(-0.1, 0.1), spoil=spoil)
        read += number in texts(recogniser, image)

    assert read >= 9


def test_slots_are_chances(recogniser):
    """A template's rows are distributions over nothing, 36 characters and anything else."""
    rng = np.random.default_rng(5)
    image, _ = render.scene(rng, render.plate("KHM4057"))

    template = recogniser.sightings(frame(image))[0].template

    assert (7, 38) == template.values.shape
    assert template.values.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert (template.values >= 0).all()


@pytest.mark.parametrize("gap", [" ", "   "])
def test_split_plate_is_joined(recogniser, gap):
    """The two halves of a plate with a wide gap are one plate."""
    rng = np.random.default_rng(8)
    image, _ = render.scene(rng, render.plate("RKT4963", gap=gap), width=240)

    assert ["RKT4963"] == texts(recogniser, image)


def test_two_plates_are_two(recogniser):
    """Two cars give two sightings, the larger first."""
    rng = np.random.default_rng(2)
    image, _ = render.scene(rng, render.plate("KMH5824"), width=220, where=(400, 450))
    image, _ = render.scene(
        rng, render.plate("4TRX907"), width=130, where=(950, 450), background=image
    )

    assert ["KMH5824", "4TRX907"] == texts(recogniser, image)


@pytest.mark.parametrize(
    "words",
    ["12.05.2024", "2024-05-12", "12:45", "555-0134", "+49 30 901820", "Hansen Motors", "MISSOURI"],
)
def test_other_writing_is_no_plate(recogniser, words):
    """Dates, times, phone numbers, dealers and state names are not taken for plates."""
    assert () == recogniser.plates(writing(words))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank_frame_gives_nothing(recogniser, grey):
    """A frame without anything on it has no plate."""
    assert () == recogniser.sightings(frame(np.full((360, 640, 3), grey, np.uint8)))


def test_tiny_frame_gives_nothing(recogniser):
    """A frame of a few pixels is no error."""
    assert () == recogniser.sightings(frame(np.zeros((2, 3, 3), np.uint8)))


def test_same_frame_gives_the_same(recogniser):
    """Reading a frame twice gives equal looks and equal templates."""
    rng = np.random.default_rng(21)
    image, _ = render.scene(rng, render.plate("BDG7391"), spoil=render.Spoiling(0.02, 6.0, 40))

    first, second = (recogniser.sightings(frame(image.copy())) for _ in range(2))

    assert [s.look for s in first] == [s.look for s in second]
    assert all(
        np.array_equal(a.template.values, b.template.values)
        for a, b in zip(first, second, strict=True)
    )


def test_blurred_plate_carries_no_template(recogniser):
    """A plate that moved too fast is never compared: it is flawed, or not seen at all."""
    rng = np.random.default_rng(4)
    image, _ = render.scene(rng, render.plate("HKL4823"), spoil=render.Spoiling(blur=0.16))

    assert all(s.template is None for s in recogniser.sightings(frame(image)))


@pytest.mark.parametrize("cut", [535, 545, 555, 565])
def test_plate_at_the_edge_is_clipped(recogniser, cut):
    """A plate that leaves the frame may lack a character, and carries no template."""
    rng = np.random.default_rng(6)
    image, _ = render.scene(rng, render.plate("PDN6402"), width=260)

    sightings = recogniser.sightings(frame(image[:, cut:]))

    assert all(Flaw.CLIPPED in s.look.flaws and s.template is None for s in sightings)


def test_wrong_hash_is_refused(tmp_path):
    """Models whose bytes are not the pinned ones are not loaded."""
    manifest = dict(read_manifest())
    (tmp_path / "other.onnx").write_bytes(b"something else")
    manifest[DETECTOR] = Entry(DETECTOR, "pack", "other.onnx", "0" * 64, "", "")

    with pytest.raises(PosternError) as error:
        load(Models(tmp_path, manifest))

    assert error.value.code is Code.INVALID
