"""Placing a camera: what is shown of it over HTTP, and for how long it is looked at."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from postern.app.aiming import PATIENCE_S, Page, placings, served
from postern.app.wire import open_aiming, open_veil, read_site
from postern.app.wire.installation import open_models
from postern.cli.demo.clip import still
from postern.cli.demo.door import Portrait
from postern.cli.demo.scene import Cast, write_site
from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.look import Box, Flaw, Kind
from postern.frame import Frame, Image
from postern.picture import decode
from postern.vision.aim import GOOD_S, Measure, Target
from postern.vision.faces.load import load_detector
from postern.vision.veil import Veil
from tests.vision.faces.pictures import MOMENT

DOOR = CameraId("corridor")
GOOD = Target(Box(1, 1, 9, 9), 40.0, "middle", (Measure("size", 40.0, least=20.0),))


@dataclass
class Pictures:
    """A source that gives a picture every half a second, or as seldom as is said."""

    count: int
    step_s: float = 0.5
    live: bool = True

    def frames(self) -> Iterator[Frame]:
        image = np.zeros((36, 64, 3), np.uint8)
        for at in range(self.count):
            yield Frame(DOOR, image, MOMENT.plus(at * self.step_s), at)

    def close(self) -> None:
        pass


@dataclass
class From:
    """An aim that finds a good target from one picture on."""

    first: int
    seen: int = 0
    found: Target = GOOD

    def targets(self, image: Image) -> tuple[Target, ...]:
        self.seen += 1
        return (self.found,) if self.seen > self.first else ()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Image]:
    """The demo's site, and a picture of its door with somebody before it."""
    folder = tmp_path_factory.mktemp("door")
    file = write_site(folder, Cast(at_door=(Portrait.COLLINS,), at_barrier=()))
    return file, decode(still(folder / "door.mp4", 2.2))


def test_camera_is_good_after_some_seconds(door: tuple[Path, Image]) -> None:
    """And its pictures' size is known."""
    found = list(placings(Pictures(20), From(3), Kind.FACE))

    good = [at for at, placing in enumerate(found) if placing.verdict.good]
    assert 3 + GOOD_S * 2 == good[0]
    assert (64, 36) == (found[0].width, found[0].height)
    assert (None, GOOD) == (found[0].target, found[-1].target)


def test_nothing_is_looked_at_for_more_than_a_minute() -> None:
    """One sentence says what to do; the same for a recording without any."""
    step_s = 5.0
    steps = int(PATIENCE_S / step_s)
    with pytest.raises(PosternError, match="no face for 60 seconds") as refused:
        list(placings(Pictures(steps + 2, step_s), From(steps * 2), Kind.FACE))
    assert (Code.UNAVAILABLE, True) == (refused.value.code, "--page" in refused.value.hint)
    with pytest.raises(PosternError, match="no plate in all of its pictures"):
        list(placings(Pictures(4), From(9), Kind.PLATE))
    found = list(placings(Pictures(steps + 2, step_s), From(steps - 1), Kind.FACE))
    assert steps + 2 == len(found)


def test_page_shows_the_table_and_no_face(door: tuple[Path, Image]) -> None:
    """Over HTTP, as a browser gets it: where the face was, nobody is."""
    site, image = read_site(door[0]), door[1]
    aiming, veil = open_aiming(site, DOOR, served=False), open_veil(site)
    detector = load_detector(open_models(site.models), "dlib")
    (face,) = detector.faces(image)
    page = Page(DOOR, Kind.FACE, veil, live=False)
    with served(page, 0) as address, httpx.Client(trust_env=False) as asks:
        assert "Waiting for the first picture" in asks.get(address).text
        (placing,) = placings(Once(image), aiming.aim, Kind.FACE, page)
        answer = asks.get(address)
    shown = decode(b64decode(re.findall(r"base64,([^\"]+)\"", answer.text)[0]))
    y, x = slice(int(face.box.y0), int(face.box.y1)), slice(int(face.box.x0), int(face.box.x1))

    assert () == detector.faces(shown)
    assert np.abs(shown[y, x].astype(int) - image[y, x]).mean() > 15
    assert "a recording, not what is there now" in answer.text
    assert placing.target is not None
    for measure in placing.target.measures:
        assert measure.name in answer.text
        assert measure.needed in answer.text
    assert "no-store" == answer.headers["cache-control"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script" not in answer.text
    assert 'http-equiv="refresh"' in answer.text


def test_attack_page_asked_for_without_its_address(door: tuple[Path, Image]) -> None:
    """Nothing but the whole of it, on this machine's own number; and gone with the command."""
    page = Page(DOOR, Kind.FACE, Veil(Nobody()), live=True)
    with served(page, 0) as address, httpx.Client(trust_env=False) as asks:
        parts = urlsplit(address)
        token = parts.path[1:]
        assert ("127.0.0.1", True) == (parts.hostname, len(token) >= 32)
        root = f"http://{parts.netloc}"
        for other in ("", "aim", token[:-1], token + "x", token.swapcase(), f"{token}/picture.jpg",
                      "%00", "%ff", "ä"):  # fmt: skip
            answer = asks.get(f"{root}/{other}")
            assert (404, "Not Found\n") == (answer.status_code, answer.text), other
        assert 405 == asks.post(address, content=b"x").status_code
        assert 200 == asks.get(address).status_code
    with served(page, 0) as another:
        assert token not in another
    with httpx.Client(trust_env=False) as asks, pytest.raises(httpx.ConnectError):
        asks.get(address)


def test_page_that_is_good_stands_still() -> None:
    """So that it is still there when the command has ended."""
    page = Page(DOOR, Kind.FACE, Veil(Nobody()), live=True)
    list(placings(Pictures(10), From(0), Kind.FACE, page))

    assert "can stay as it is" in page.page()
    assert "refresh" not in page.page()


def test_name_and_advice_are_shown_as_text() -> None:
    """Whatever is in them."""
    wrong = Measure("<b>size</b>", 1.0, least=2.0, flaw=Flaw.TOO_SMALL, remedy="<i>closer</i>")
    aim = From(0, found=Target(Box(1, 1, 9, 9), 1.0, "middle", (wrong,)))
    page = Page(CameraId("<script>"), Kind.FACE, Veil(Nobody()), live=True)
    list(placings(Pictures(1), aim, Kind.FACE, page))

    assert not re.search(r"<(script|b|i)>", page.page())
    assert "&lt;i&gt;closer&lt;/i&gt;: &lt;b&gt;size&lt;/b&gt; 1, at least 2 needed." in page.page()


@dataclass
class Once:
    """A source of one picture."""

    image: Image
    live: bool = False

    def frames(self) -> Iterator[Frame]:
        yield Frame(DOOR, self.image, MOMENT, 0)

    def close(self) -> None:
        pass


class Nobody:
    """A detector that finds no face."""

    def faces(self, image: Image) -> tuple[()]:
        return ()
