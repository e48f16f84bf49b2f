"""Pictures out of containers."""

import re
from pathlib import Path

import av
import pytest

from postern.core.errors import Code, PosternError
from postern.frame import image_of
from postern.stream.video import frame_step_s, pictures
from tests.media import number_of, write_video

KINDS = [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.avi", "mjpeg")]


def damage(path: Path, packet: int, skip: int) -> None:
    """Writes noise over one packet, but for its first `skip` bytes."""
    with av.open(str(path)) as container:
        places = [p.pos for p in container.demux(container.streams.video[0]) if p.pos is not None]
    data = bytearray(path.read_bytes())
    start = places[packet] + skip
    data[start : start + 400] = bytes((i * 37 + 11) % 256 for i in range(400))
    path.write_bytes(data)


def read(path: Path, *, tolerant: bool = False) -> tuple[list[int], PosternError | None]:
    """The numbers of all pictures that come, and the error that ends them."""
    numbers: list[int] = []
    try:
        with av.open(str(path)) as container:
            for picture in pictures(container, "The video", tolerant=tolerant):
                numbers.append(number_of(image_of(picture.pixels)))
    except PosternError as error:
        return numbers, error
    return numbers, None


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_pictures_gives_every_picture_in_order(tmp_path: Path, name: str, codec: str) -> None:
    """Containers and codecs of recordings come through complete, reordered ones too."""
    path = write_video(tmp_path / name, range(20), codec=codec)

    assert (list(range(20)), None) == read(path)


def test_pictures_are_blue_green_red(tmp_path: Path) -> None:
    """A red band is red in the last channel."""
    path = write_video(tmp_path / "a.mp4", [1])

    with av.open(str(path)) as container:
        [picture] = pictures(container, "The video", tolerant=False)

    blue, green, red = image_of(picture.pixels)[24, 48]
    assert red > 200
    assert max(blue, green) < 60


def test_pictures_carry_their_presentation_times(tmp_path: Path) -> None:
    """Irregular times are those of the file."""
    path = write_video(tmp_path / "a.mp4", range(4), times=[0, 1, 5, 6])

    with av.open(str(path)) as container:
        times = [p.time_s for p in pictures(container, "The video", tolerant=False)]

    assert [0.0, 0.1, 0.5, 0.6] == pytest.approx(times)


@pytest.mark.parametrize(("rotation", "shape"), [(90, (96, 64, 3)), (180, (64, 96, 3))])
def test_pictures_are_turned_upright(tmp_path: Path, rotation: int, shape: tuple[int, ...]) -> None:
    """A recording that says it lies on its side is turned, counter-clockwise."""
    path = write_video(tmp_path / "a.mp4", [1], rotation=rotation)

    with av.open(str(path)) as container:
        [picture] = pictures(container, "The video", tolerant=False)

    assert shape == image_of(picture.pixels).shape
    # The bright block of number 1 is at the top left as recorded.
    corner = (-8, 8) if rotation == 90 else (-8, -8)
    assert image_of(picture.pixels)[corner].mean() > 160


@pytest.mark.parametrize(
    ("name", "skip", "least"), [("a.mp4", 0, 29), ("a.mkv", 20, 29), ("a.ts", 0, 25)]
)
def test_pictures_end_with_an_error_at_damage_after_what_came_before(
    tmp_path: Path, name: str, skip: int, least: int
) -> None:
    """Noise over picture 30: sound ones up to it, in order and none of them twice, then why."""
    path = write_video(tmp_path / name, range(60))
    damage(path, packet=30, skip=skip)

    numbers, error = read(path)

    assert error is not None
    assert error.code is Code.INVALID
    assert re.search(r"is damaged 2\.\d s after its beginning", error.message)
    assert list(range(len(numbers))) == numbers
    assert least <= len(numbers) <= 30


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.avi", "mjpeg")])
def test_pictures_end_with_an_error_when_the_file_is_cut_off(
    tmp_path: Path, name: str, codec: str
) -> None:
    """Where the header promises more than there is, the missing seconds are an error."""
    path = write_video(tmp_path / name, range(60), codec=codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])

    numbers, error = read(path)

    assert error is not None
    assert error.code is Code.INVALID
    assert "of 6.0 s" in error.message or "damaged" in error.message
    assert list(range(len(numbers))) == numbers
    assert 10 <= len(numbers) < 50


def test_pictures_leave_damage_out_when_tolerant(tmp_path: Path) -> None:
    """A live camera goes on after a damaged picture, which is not given."""
    path = write_video(tmp_path / "a.avi", range(40), codec="mjpeg")
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xd8", len(data) // 2)
    data[start : start + 600] = b"\xff" * 600
    path.write_bytes(data)

    numbers, error = read(path, tolerant=True)

    assert error is None
    assert 39 == numbers[-1]
    assert 37 <= len(numbers) < 40
    assert sorted(numbers) == numbers


def test_pictures_begin_at_the_first_sound_one(tmp_path: Path) -> None:
    """A clip cut out of a longer recording begins at its first key frame, without an error."""
    path = write_video(tmp_path / "a.ts", range(40), options={"bf": "0"})
    data = path.read_bytes()
    packet = 188  # bytes of a transport stream's packet
    path.write_bytes(data[len(data) // packet // 4 * packet :])

    numbers, error = read(path)

    assert error is None
    assert 39 == numbers[-1]
    assert list(range(numbers[0], 40)) == numbers
    assert 5 <= numbers[0] <= 15


def test_pictures_begin_after_damage_at_the_beginning(tmp_path: Path) -> None:
    """Damage before anything could be decoded only moves the beginning to the next key frame."""
    path = write_video(tmp_path / "a.mp4", range(40), options={"bf": "0"})
    damage(path, packet=0, skip=0)

    numbers, error = read(path)

    assert error is None
    assert 1 <= numbers[0] <= 15
    assert list(range(numbers[0], 40)) == numbers


def test_pictures_refuse_more_pixels_than_allowed(tmp_path: Path) -> None:
    """A video of 26 megapixels is refused from its header."""
    path = write_video(tmp_path / "a.mkv", [1], codec="mjpeg", size=(6500, 4000))

    numbers, error = read(path)

    assert [] == numbers
    assert error is not None
    assert error.code is Code.INVALID
    assert "6500 x 4000" in error.message


def test_pictures_refuse_a_container_without_video(tmp_path: Path) -> None:
    """A recording of sound alone is refused."""
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.rate = 8000
        container.mux(stream.encode(frame))

    numbers, error = read(path)

    assert [] == numbers
    assert error is not None
    assert "holds no video" in error.message


def test_frame_step_is_the_average(tmp_path: Path) -> None:
    """Ten pictures per second are a tenth of a second apart."""
    path = write_video(tmp_path / "a.mp4", range(5), fps=10)

    with av.open(str(path)) as container:
        assert pytest.approx(0.1) == frame_step_s(container, 9.0)
