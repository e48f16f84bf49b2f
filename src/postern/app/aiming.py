"""Placing a camera: its pictures, measured one after the other, and the page that shows them."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from postern.api.aim import aim_app
from postern.app.served import served as answered
from postern.core.errors import Code, PosternError
from postern.core.ids import CameraId
from postern.core.look import Kind
from postern.core.moment import Moment
from postern.frame import Image, Source
from postern.vision.aim import Aim, Target, Verdict
from postern.vision.veil import Veil
from postern.web.server import listen

#: The one address that the page is served on: this machine's own.
HOST = "127.0.0.1"
#: Seconds without a target until the search is given up.
PATIENCE_S = 60.0
#: Bytes behind the part of the address that cannot be guessed.
_TOKEN = 24
#: Of a JPEG; what is shown is coarse.
_JPEG_QUALITY = 80
_GREEN, _AMBER = (96, 190, 60), (30, 160, 240)
#: What is looked for, in the words of a sentence.
TARGETS = {Kind.FACE: "face", Kind.PLATE: "plate", Kind.PASS: "pass"}
#: What to do where none is found at all: then there is nothing to measure.
UNSEEN = {
    Kind.FACE: "No face is found: come closer, look at the camera, and mind the light.",
    Kind.PLATE: "No plate is found: bring the car closer, and mind focus and light.",
    Kind.PASS: "No pass is found.",
}


@dataclass(frozen=True, slots=True)
class Placing:
    """How a camera stands, by the newest picture.

    Attributes:
        width: Of its pictures, in pixels.
        height: Likewise.
        targets: What the newest showed, the one that counts first.
        verdict: How long that has been good.
    """

    width: int
    height: int
    targets: tuple[Target, ...]
    verdict: Verdict

    @property
    def target(self) -> Target | None:
        """The target that counts; None where there is none in view."""
        return self.targets[0] if self.targets else None


def placings(source: Source, aim: Aim, kind: Kind, page: "Page | None" = None) -> Iterator[Placing]:
    """How a camera stands, picture after picture, until its source ends.

    Args:
        source: Its pictures.
        aim: Measures them.
        kind: What it looks for.
        page: Is shown each, where there is one.

    Raises:
        PosternError: As the source's own; `unavailable` where no target was seen for a minute, or
            in the whole of a recording.
    """
    verdict, since = Verdict(), None
    for frame in source.frames():
        targets = aim.targets(frame.image)
        verdict = verdict.after(targets, frame.captured)
        since = frame.captured if since is None or targets else since
        placing = Placing(frame.image.shape[1], frame.image.shape[0], targets, verdict)
        if page is not None:
            page.show(frame.image, frame.captured, placing)
        yield placing
        if frame.captured.since(since) > PATIENCE_S:
            raise _nothing(kind, f"for {PATIENCE_S:.0f} seconds")
    if verdict.smallest_px is None:
        raise _nothing(kind, "in all of its pictures")


class Page:
    """Implements `postern.api.aim.Aimed`; the newest picture only, and only as it may be shown.

    Args:
        camera: The camera.
        kind: What it looks for.
        veil: Makes its pictures fit to be shown.
        live: Whether they show what is before the camera now.
    """

    def __init__(self, camera: CameraId, kind: Kind, veil: Veil, *, live: bool) -> None:
        self._camera = camera
        self._unseen = UNSEEN[kind]
        self._veil = veil
        self._live = live
        self._lock = Lock()  # Guards what follows.
        self._shown: tuple[bytes, Placing] | None = None

    def show(self, image: Image, seen: Moment, placing: Placing) -> None:
        """Puts a picture in the place of the one before."""
        boxes = [target.box for target in placing.targets]
        picture = self._veil.shown(image, seen, boxes)
        _outline(picture, placing, picture.shape[1] / image.shape[1])
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        with self._lock:
            self._shown = (jpeg.tobytes(), placing)

    def page(self) -> str:
        """See `postern.api.aim.Aimed.page`."""
        with self._lock:
            shown = self._shown
        environment = Environment(
            loader=PackageLoader("postern.app"), autoescape=True, undefined=StrictUndefined
        )
        return environment.get_template("aim.html.jinja").render(
            camera=self._camera,
            live=self._live,
            unseen=self._unseen,
            placing=None if shown is None else shown[1],
            picture="" if shown is None else b64encode(shown[0]).decode(),
        )


@contextmanager
def served(page: Page, port: int) -> Iterator[str]:
    """Serves a page on this machine meanwhile; gives its address.

    Raises:
        PosternError: `unavailable` where nothing can listen there.
    """
    token = token_urlsafe(_TOKEN)
    with listen(HOST, port, "Choose another with --port, or 0 for any.") as taken:
        address = f"http://{HOST}:{taken.getsockname()[1]}/{token}"
        with answered(aim_app(page, token), taken, "aim"):
            yield address


def _outline(picture: Image, placing: Placing, scale: float) -> None:
    """Draws the targets' boxes, and the size of the one that counts."""
    for target in placing.targets:
        colour = _GREEN if target.good and target is placing.target else _AMBER
        corners = np.array(
            [(target.box.x0, target.box.y0), (target.box.x1, target.box.y1)], np.float64
        )
        first, last = (tuple(map(int, corner)) for corner in np.rint(corners * scale))
        cv2.rectangle(picture, first, last, colour, 2, cv2.LINE_AA)
    if placing.target is not None:
        box, text = placing.target.box, f"{int(placing.target.size_px)} px"
        at = (max(2, round(box.x0 * scale)), max(16, round(box.y0 * scale) - 8))
        for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
            cv2.putText(
                picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, thick, cv2.LINE_AA
            )


def _nothing(kind: Kind, span: str) -> PosternError:
    what = TARGETS[kind]
    stands = "Have a car stop" if kind is Kind.PLATE else "Stand"
    return PosternError(
        Code.UNAVAILABLE,
        f"The camera has shown no {what} {span}.",
        f"{stands} where it is to be recognised, turn the camera there, and see with --page "
        "what it sees.",
    )
