"""Recordings and pictures on disk."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.sources.file.config import Config
from postern.sources.file.source import MAX_GAP_S, FileSource, Timeline
from tests.clocks import MachineClock, SteppedClock
from tests.media import number_of, picture, write_picture, write_video

CAMERA = CameraId("gate")


def source(path: Path, **settings: object) -> FileSource:
    """A file played as fast as its frames are taken."""
    config = replace(Config(path, realtime=False), **settings)  # type: ignore[arg-type]
    return FileSource(config, CAMERA, MachineClock())


def numbers(path: Path, **settings: object) -> list[int]:
    """What the pictures of the whole file tell."""
    return [number_of(frame.image) for frame in source(path, **settings).frames()]


def refusal(path: Path) -> PosternError:
    """The error that playing the file gives."""
    with pytest.raises(PosternError) as caught:
        numbers(path)
    return caught.value


def test_file_plays_a_video(tmp_path: Path) -> None:
    """Every picture of a video becomes a frame."""
    path = write_video(tmp_path / "a.mp4", range(12))

    assert list(range(12)) == numbers(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.ppm"])
def test_file_plays_a_picture_whatever_its_name(tmp_path: Path, name: str) -> None:
    """A picture is one frame; what a file is, its first bytes say."""
    path = write_picture(tmp_path / name, 5).rename(tmp_path / "clip.mp4")

    assert [5] == numbers(path)


def test_file_plays_a_bare_motion_jpeg_stream_by_its_name(tmp_path: Path) -> None:
    """The one kind of video that begins like a picture is told apart by its name."""
    path = write_video(tmp_path / "a.mjpeg", range(6), codec="mjpeg")

    assert list(range(6)) == numbers(path)


def test_file_plays_a_folder_in_the_order_of_names(tmp_path: Path) -> None:
    """Pictures of any format, sorted; hidden files and folders are left out."""
    for name, number in (("b.png", 2), ("a.jpg", 1), ("c.ppm", 3)):
        write_picture(tmp_path / name, number)
    (tmp_path / ".hidden").write_bytes(b"not a picture")
    (tmp_path / "folder").mkdir()

    assert [1, 2, 3] == numbers(tmp_path)


@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_file_begins_again_when_looping(tmp_path: Path, name: str) -> None:
    """A loop goes on counting its frames and never ends by itself."""
    if name == "a.mp4":
        path = write_video(tmp_path / name, range(3))
    else:
        path = write_picture(tmp_path / name, 0)
    looping = source(path, loop=True)

    seen = []
    for frame in looping.frames():
        seen.append((frame.sequence, number_of(frame.image)))
        if len(seen) == 7:
            looping.close()

    length = 3 if name == "a.mp4" else 1
    assert [(i, i % length) for i in range(7)] == seen


def test_file_paces_a_video_by_its_own_times(tmp_path: Path) -> None:
    """In real time, no frame comes before it is due, and the last not long after."""
    path = write_video(tmp_path / "a.mp4", range(4), times=[0, 1, 4, 5])

    moments = [frame.captured for frame in source(path, realtime=True).frames()]

    after = [moment.since(moments[0]) for moment in moments]
    for due, came in zip([0.0, 0.1, 0.4, 0.5], after, strict=True):
        assert due - 0.05 <= came <= due + 0.5  # The first may come late and the others in time.


def test_file_paces_every_pass_of_a_loop(tmp_path: Path) -> None:
    """The first picture of the next pass comes one step after the last of this one."""
    looping = source(write_video(tmp_path / "a.mp4", range(2)), realtime=True, loop=True)

    moments = []
    for frame in looping.frames():
        moments.append(frame.captured)
        if len(moments) == 5:
            looping.close()

    assert moments[-1].since(moments[0]) >= 0.35


def test_file_paces_pictures_by_its_setting(tmp_path: Path) -> None:
    """Pictures come `fps` times a second."""
    for number in range(4):
        write_picture(tmp_path / f"{number}.png", number)

    moments = [frame.captured for frame in source(tmp_path, realtime=True, fps=10.0).frames()]

    assert 0.2 <= moments[-1].since(moments[0]) <= 0.8


def test_file_ends_at_once_when_closed_while_it_waits(tmp_path: Path) -> None:
    """A pause between two pictures is cut short by `close` from another thread."""
    for number in range(2):
        write_picture(tmp_path / f"{number}.png", number)
    clock = MachineClock()
    slow = source(tmp_path, realtime=True, fps=0.1)
    Timer(0.2, slow.close).start()

    start = clock.now()
    count = sum(1 for _ in slow.frames())

    assert 1 == count
    assert clock.now().since(start) < 1.0


def test_file_stamps_frames_with_the_moment_they_are_given(tmp_path: Path) -> None:
    """Both times come from the clock that was passed in."""
    clock = SteppedClock()
    path = write_video(tmp_path / "a.mp4", range(2))
    frames = FileSource(Config(path, realtime=False), CAMERA, clock).frames()

    first = next(frames)
    clock.advance(3.0)
    second = next(frames)

    assert 3.0 == second.captured.since(first.captured)
    assert clock.now() == second.captured


def test_file_is_not_live(tmp_path: Path) -> None:
    """Nobody is enrolled from a recording."""
    assert not source(tmp_path).live


def test_file_refuses_a_missing_file(tmp_path: Path) -> None:
    """A path without a file is named in the error."""
    error = refusal(tmp_path / "gone.mp4")

    assert Code.NOT_FOUND is error.code
    assert "gone.mp4" in error.message


def test_file_refuses_an_empty_folder(tmp_path: Path) -> None:
    """A folder without pictures is a mistake, not an empty recording."""
    assert Code.INVALID is refusal(tmp_path).code


def test_file_names_the_corrupt_picture_of_a_folder(tmp_path: Path) -> None:
    """One damaged picture is an error that says which; those before it are given."""
    write_picture(tmp_path / "a.png", 1)
    data = write_picture(tmp_path / "b.png", 2).read_bytes()
    (tmp_path / "b.png").write_bytes(data[:40])
    playing = source(tmp_path).frames()

    assert 1 == number_of(next(playing).image)
    with pytest.raises(PosternError, match=r"b\.png") as caught:
        next(playing)
    assert Code.INVALID is caught.value.code


def test_file_refuses_a_picture_of_too_many_bytes(tmp_path: Path) -> None:
    """21 MB are refused however little is in them."""
    path = write_picture(tmp_path / "a.bmp", 1)
    with path.open("ab") as file:
        file.truncate(21 * 1024 * 1024)

    assert "bytes" in refusal(path).message


@pytest.mark.parametrize(
    "data", [b"", b"text", bytes(4096), b"\x00\x00\x00\x18ftypmp42", b"RIFF" + bytes(60)]
)
def test_file_refuses_what_is_neither_video_nor_picture(tmp_path: Path, data: bytes) -> None:
    """Anything else is one clear sentence."""
    path = tmp_path / "a.mp4"
    path.write_bytes(data)

    assert Code.INVALID is refusal(path).code


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.ts\n",
    ],
)
def test_file_refuses_a_playlist_that_names_another_file(tmp_path: Path, text: str) -> None:
    """Attack: a recording that makes FFmpeg open other files and addresses."""
    write_video(tmp_path / "other.ts", range(5))
    path = tmp_path / "a.m3u8"
    path.write_text(text)

    assert Code.INVALID is refusal(path).code


def test_file_takes_a_name_that_looks_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colon in a name is part of the name."""
    write_video(tmp_path / "a.mp4", range(3)).rename(tmp_path / "http:x.mp4")
    monkeypatch.chdir(tmp_path)

    assert [0, 1, 2] == numbers(Path("http:x.mp4"))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.ts", "libx264"), ("a.avi", "mjpeg")]
)
def test_file_gives_nothing_but_frames_and_our_errors_from_damaged_files(
    tmp_path: Path, name: str, codec: str
) -> None:
    """Attack: files with noise anywhere, or cut anywhere, never raise anything else."""
    data = write_video(tmp_path / name, range(20), codec=codec).read_bytes()
    chance = random.Random(7)  # noqa: S311 - a reproducible test needs no secrets
    path = tmp_path / f"damaged-{name}"

    for _ in range(25):
        path.write_bytes(_damaged(data, chance))
        with suppress(PosternError):  # And nothing else.
            assert numbers(path)


def _damaged(data: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data))]
    spoilt = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(data))
        length = min(chance.randint(1, 300), len(data) - start)
        spoilt[start : start + length] = chance.randbytes(length)
    return bytes(spoilt)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_config_refuses_an_impossible_rate(fps: float) -> None:
    """Neither standing still nor going backwards nor NaN is a rate."""
    with pytest.raises(PosternError):
        Config(Path("a"), fps=fps)


@pytest.mark.parametrize(
    ("stated", "due"),
    [
        ([0.0, 0.1, 0.3], [0.0, 0.1, 0.3]),
        ([7.0, 7.1, 7.2], [0.0, 0.1, 0.2]),
        ([None, None, None], [0.0, 0.5, 1.0]),
        ([0.0, None, 0.2], [0.0, 0.5, 1.0]),
        ([0.0, 0.2, 0.1, 0.3], [0.0, 0.2, 0.2, 0.4]),
        ([0.0, 3600.0, 3600.1], [0.0, MAX_GAP_S, MAX_GAP_S + 0.1]),
    ],
)
def test_timeline_follows_the_stated_times(
    stated: Sequence[float | None], due: Sequence[float]
) -> None:
    """From zero, never backwards, without long gaps, by the usual step where nothing is stated."""
    timeline = Timeline()

    assert due == pytest.approx([timeline.due(time_s, 0.5) for time_s in stated])


def test_timeline_goes_on_when_the_file_begins_again() -> None:
    """The second pass begins one usual step after the first one's end."""
    timeline = Timeline()
    first = [timeline.due(t, 0.5) for t in (0.0, 0.1)]
    timeline.rewind()
    second = [timeline.due(t, 0.5) for t in (0.0, 0.1)]

    assert [0.0, 0.1, 0.6, 0.7] == pytest.approx(first + second)


def test_picture_numbers_survive_decoding() -> None:
    """The test's own pictures tell their numbers."""
    assert [0, 21, 63] == [number_of(picture(n)) for n in (0, 21, 63)]
