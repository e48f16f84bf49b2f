"""What a camera sees, as those who look are shown it."""

import json

import cv2
import numpy as np
import pytest

from postern.app.live.feed import Feed
from postern.app.live.window import EVERY_S, LiveWindow
from postern.app.live.words import picture_told
from postern.core.ids import CameraId
from postern.core.look import Box, Flaw, Kind
from postern.frame import Frame, Image, Track
from postern.picture import decode
from postern.vision.veil import POINTS, SHOWN
from tests.app.live.site import LANE
from tests.vision.faces.pictures import MOMENT


class Watched(Feed):
    """Keeps what it would tell."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.counts: list[tuple[int, tuple[Flaw, ...]]] = []
        self.somebody = True

    @property
    def looking(self) -> bool:
        return self.somebody

    def seen(self, camera: CameraId, present: int, flaws: tuple[Flaw, ...]) -> None:
        self.counts.append((present, flaws))

    def picture(self, camera: CameraId, jpeg: bytes) -> None:
        self.pictures.append(jpeg)


@pytest.fixture
def feed() -> Watched:
    return Watched()


def noise() -> Image:
    return np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)


def frame(seconds: float = 0.0) -> Frame:
    return Frame(LANE, noise(), MOMENT.plus(seconds), 0)


def track(*flaws: Flaw, box: Box | None = None) -> Track:
    return Track(1, MOMENT, MOMENT, box or Box(200, 100, 260, 180), flaws, (), 1)


def detail(image: Image) -> float:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def test_nothing_is_made_where_nobody_looks(feed: Watched) -> None:
    """Not even once, to be kept for whoever comes."""
    feed.somebody = False
    LiveWindow(LANE, feed).show(frame(), {Kind.FACE: (track(),)})
    assert [] == feed.pictures


def test_picture_is_too_coarse_to_know_anybody_by(feed: Watched) -> None:
    """All of it, whatever was found; what was found is left with a few colours."""
    LiveWindow(LANE, feed).show(frame(), {Kind.FACE: (track(),)})
    (jpeg,) = feed.pictures
    picture = decode(jpeg)
    assert (360, SHOWN, 3) == picture.shape
    assert detail(picture) < detail(noise()) / 10
    assert detail(picture[105:175, 205:255]) < detail(picture[:, 400:]) / 2
    # No more can be told from it than from its few points.
    few = cv2.resize(noise(), (POINTS, 72), interpolation=cv2.INTER_AREA)
    shown = cv2.resize(few, (SHOWN, 360), interpolation=cv2.INTER_LINEAR)
    assert np.abs(shown[:, 400:].astype(int) - picture[:, 400:]).mean() < 10


def test_two_pictures_a_second_are_enough(feed: Watched) -> None:
    """Also where frames come faster; and where the calendar or the camera's clock jumps back."""
    window = LiveWindow(LANE, feed)
    for step in range(20):
        window.show(frame(step / 10), {})
    assert 4 == len(feed.pictures) == 2.0 / EVERY_S
    window.show(frame(-100.0), {})
    assert 5 == len(feed.pictures)


def test_whoever_comes_is_told_once_and_what_they_can_do(feed: Watched) -> None:
    """And when they have gone."""
    window = LiveWindow(LANE, feed)
    blurred = {Kind.PASS: (), Kind.FACE: (track(Flaw.BLURRED),)}
    for tracks in ({}, blurred, blurred, {Kind.FACE: (track(),)}, {Kind.FACE: ()}):
        window.show(frame(), tracks)
    assert [(1, (Flaw.BLURRED,)), (1, ()), (0, ())] == feed.counts


def test_picture_names_its_camera_only() -> None:
    """Nothing else travels with it."""
    told = picture_told(LANE, b"\xff\xd8")
    assert {"camera": "lane", "jpeg": "/9g="} == json.loads(told.data)
    assert told.picture
