"""What a camera sees, for whoever looks: made only while somebody does, and kept nowhere.

Nobody can be recognised in it and no plate can be read (`vision/veil.py`). What the lane itself has
found in the frame is covered; nothing is looked for a second time, so that a guard who looks takes
nothing from whoever waits at the gate.
"""

from collections.abc import Mapping

import cv2

from postern.app.live.feed import Feed
from postern.core.ids import CameraId
from postern.core.look import Flaw, Kind
from postern.core.moment import Moment
from postern.engine.ports import Window
from postern.frame import Frame, Track
from postern.vision.veil import Cover

#: Seconds between two pictures of a camera: enough to see who comes, and little to send.
EVERY_S = 0.5
_JPEG_QUALITY = 70


class LiveWindow(Window):
    """Shows one camera's frames to whoever watches.

    Args:
        camera: Which camera.
        feed: Who watches.
    """

    def __init__(self, camera: CameraId, feed: Feed) -> None:
        self._camera = camera
        self._feed = feed
        self._cover = Cover()
        self._shown: Moment | None = None
        self._seen: tuple[int, tuple[Flaw, ...]] = (0, ())

    def show(self, frame: Frame, tracks: Mapping[Kind, tuple[Track, ...]]) -> None:
        """See `Window.show`."""
        there = [track for found in tracks.values() for track in found]
        self._tell(len(there), tuple(flaw for track in there for flaw in track.flaws))
        if self._feed.looking and self._due(frame.captured):
            self._shown = frame.captured
            boxes = [track.box for track in there]
            picture = self._cover.shown(frame.image, frame.captured, boxes)
            jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
            self._feed.picture(self._camera, jpeg.tobytes())

    def _tell(self, present: int, flaws: tuple[Flaw, ...]) -> None:
        if (present, flaws) != self._seen:
            self._seen = present, flaws
            self._feed.seen(self._camera, present, flaws)

    def _due(self, captured: Moment) -> bool:
        return self._shown is None or not 0.0 <= captured.since(self._shown) < EVERY_S
