"""Pictures of people, one folder per person, as the looks that the recogniser makes of them.

Only for calibration and evaluation: nothing that is read here can be enrolled.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import hypot, nan
from pathlib import Path

import cv2
import numpy as np

from postern.bench.looks import Capture, Looks, Vectors
from postern.core.errors import Code, PosternError, invalid
from postern.core.ids import CameraId
from postern.core.look import Flaw
from postern.core.moment import Moment
from postern.frame import Frame, Image, Recogniser, Sighting
from postern.picture import decode

Progress = Callable[[int, int], None]

_ENDINGS = {".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".bmp"}
#: Pixels. Smaller pictures are cut tightly around a face, which no camera does: they are given a
#: rim and enlarged, to about what a face in a 640x360 picture looks like.
_TIGHT, _ENLARGED = 150, 290
_RIM = 0.2
#: Of a face's own size, left around it where a picture shows several.
_AROUND = 0.4
#: The pictures were never in front of a camera, so that their time does not matter.
_NEVER = Moment(datetime(2000, 1, 1, tzinfo=UTC), 0.0)


def read_people(folder: Path, recogniser: Recogniser, progress: Progress) -> Looks:
    """Every person's pictures under `folder`, one sub-folder per person.

    Args:
        folder: The folder.
        recogniser: Makes looks of pictures.
        progress: Told how many of how many pictures are done.

    Raises:
        PosternError: `not_found` where there is no such folder, `invalid` where it holds no folder
            with pictures or one of them is damaged.
    """
    if not folder.is_dir():
        raise PosternError(Code.NOT_FOUND, f"There is no folder {folder}.")
    people = [(sub, _pictures(sub)) for sub in sorted(folder.iterdir()) if sub.is_dir()]
    total = sum(len(files) for _, files in people)
    if total == 0:
        raise invalid(
            f"{folder} holds no folders with pictures.",
            "Give one folder for each person, with at least four pictures in it.",
        )
    done = iter(range(1, total + 1))
    looks: dict[str, tuple[Capture, ...]] = {}
    for sub, files in people:
        captures = []
        for file in files:
            captures.append(_capture(file, recogniser))
            progress(next(done), total)
        if captures:
            looks[sub.name] = tuple(captures)
    return looks


def _pictures(folder: Path) -> list[Path]:
    """The folder's pictures, numbers in names in their order: 2 before 10."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in _ENDINGS]
    return sorted(files, key=lambda file: (len(file.stem), file.name))


def _capture(file: Path, recogniser: Recogniser) -> Capture:
    try:
        image = decode(file.read_bytes())
    except PosternError as error:
        raise invalid(f"{file.parent.name}/{file.name}: {error.message}") from None
    frame = Frame(CameraId(file.parent.name), _as_seen(image), _NEVER, 0)
    sightings = recogniser.sightings(frame)
    if len(sightings) > 1:
        alone = replace(frame, image=_middle_face(frame.image, sightings))
        sightings = recogniser.sightings(alone)
    if not sightings:
        return Capture(file.name, None, (), nan)
    if len(sightings) > 1:
        return Capture(file.name, None, (Flaw.SEVERAL_FACES,), nan)
    look, template = sightings[0].look, sightings[0].template
    vector = None if template is None else np.asarray(template.values, np.float32)
    return Capture(file.name, vector, look.flaws, look.score)


def _middle_face(image: Image, sightings: Sequence[Sighting]) -> Image:
    """The surroundings of the face nearest to the picture's middle: whom the picture is of, in a
    collection. At an access point two faces spoil the attempt instead.
    """
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    boxes = [sighting.look.box for sighting in sightings]
    box = min(
        boxes,
        key=lambda b: hypot((b.x0 + b.x1) / 2 - middle[0], (b.y0 + b.y1) / 2 - middle[1]),
    )
    rim_x, rim_y = _AROUND * box.width, _AROUND * box.height
    x0, y0 = max(0, round(box.x0 - rim_x)), max(0, round(box.y0 - rim_y))
    x1, y1 = round(box.x1 + rim_x), round(box.y1 + rim_y)
    return np.ascontiguousarray(image[y0:y1, x0:x1])


def _as_seen(image: Image) -> Image:
    shorter = min(image.shape[:2])
    if shorter >= _TIGHT:
        return image
    rim = round(_RIM * shorter)
    framed = cv2.copyMakeBorder(image, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    scale = _ENLARGED / min(framed.shape[:2])
    larger = cv2.resize(framed, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8)


def usable(looks: Looks) -> Iterator[Vectors]:
    """Every person's comparable vectors, (L, 128) float32; people without any are left out."""
    for captures in looks.values():
        found = [capture.vector for capture in captures if capture.vector is not None]
        if found:
            yield np.stack(found)
