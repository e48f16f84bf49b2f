"""Clips of people at a door who hold up a pass, and a site that watches them with one camera."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import av
import numpy as np

from postern.app.passes import IssuedPass, Passes
from postern.app.wire import (
    Installation,
    build_enrolment,
    open_site,
    passes,
    read_site,
    withdrawals,
)
from postern.cli.demo.clip import write
from postern.cli.demo.door import Portrait, enrolment_frames, write_door_clip
from postern.core.consent import Consent, StorageMode
from postern.core.event import By
from postern.core.evidence import Factor
from postern.core.ids import AccessPointId, CameraId, ConsentId, PermitId, PersonId
from postern.core.permit import Ceiling, Permit
from postern.core.person import Person
from postern.frame import Frame, Image, Template
from postern.vision.passes.symbol import symbol

DOOR = AccessPointId("door")
OWNERS = {Portrait.COLLINS: PersonId("p-collins"), Portrait.HOPPER: PersonId("p-hopper")}
#: Frames of a visit in the demo's clip: somebody, and then nobody.
_THERE, _NOBODY = slice(0, 52), slice(52, 70)
#: Frames of a visit during which a pass is held up.
_HELD = range(12, 30)
#: Pixels of a module, and where a pass is held: beside the face, before the shoulder.
_MODULE, _CORNER = 3, (400, 120)

SITE = f"""\
[site]
name = "Passes"
data = "data"

[camera.corridor]
sees = "face"
kind = "file"
path = "door.mp4"

[actuator.lock]
kind = "simulated"

[access_point.{DOOR}]
cameras = ["corridor"]
actuator = "lock"
"""


@dataclass(frozen=True)
class Visit:
    """Somebody comes to the door.

    Attributes:
        who: Whose face; None for a pass that is held up by nobody who can be seen.
        texts: What they hold up, one after the other.
    """

    who: Portrait | None
    texts: tuple[str, ...] = ()


@dataclass
class PassSite:
    """A site whose door camera reads passes and sees faces.

    Attributes:
        installation: The site's.
        looks: What the enrolment made of each person, taken once.
    """

    installation: Installation
    looks: dict[Portrait, Template] = field(default_factory=dict)

    @property
    def passes(self) -> Passes:
        return passes(self.installation)

    @property
    def now(self) -> datetime:
        return self.installation.clock.now().utc

    def admit(self, who: Portrait, mode: StorageMode) -> None:
        """Somebody agrees, and may come in with pass and face."""
        person, now = OWNERS[who], self.now
        began, ends = now - timedelta(days=30), now + timedelta(days=300)
        store = self.installation.store
        store.people.add(Person(person, who.value))
        store.consents.add(
            Consent(
                ConsentId(f"consent-{person}"), person, "to open the door", frozenset({DOOR}), "1",
                mode, began, ends,
            )
        )  # fmt: skip
        factors = (Ceiling(Factor.PASS, 1.0), Ceiling(Factor.FACE, 1e-3))
        store.permits.add(
            Permit(
                PermitId(f"permit-{person}"), frozenset({person}), frozenset({DOOR}), factors, 1e-3,
                False, None, began,
            )
        )  # fmt: skip

    def issue(
        self,
        who: Portrait,
        mode: StorageMode = StorageMode.PASS,
        *,
        days: tuple[float, float] = (0.0, 200.0),
    ) -> IssuedPass:
        """A pass for somebody, counting from so many days from now to so many."""
        begins, ends = (self.now + timedelta(days=one) for one in days)
        return self.passes.issue(OWNERS[who], self._taken(who), mode, ends, begins)

    def withdraw(self, who: Portrait) -> None:
        """Somebody takes their consent back."""
        name = ConsentId(f"consent-{OWNERS[who]}")
        withdrawals(self.installation).withdraw(name, By.PERSON, self.now)

    def film(self, visits: Sequence[Visit]) -> None:
        """Makes the clip that the camera plays."""
        folder = self.installation.site.file.parent
        base = {one.who: _frames(folder, one.who) for one in visits if one.who is not None}
        empty = _frames(folder, Portrait.COLLINS)[_NOBODY]
        write(folder / "door.mp4", _played(visits, base, empty))

    def _taken(self, who: Portrait) -> Template:
        if who not in self.looks:
            self.looks[who] = _enrolled(self.installation, who)
        return self.looks[who]


@contextmanager
def pass_site(folder: Path) -> Iterator[PassSite]:
    """A throw-away site in that folder, without any people yet."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "site.toml"
    file.write_text(SITE, "utf-8")
    with open_site(read_site(file), throwaway=True) as installation:
        yield PassSite(installation)


def altered(text: str, at: int = 200) -> str:
    """A pass with one character changed for another that a pass may have."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _enrolled(installation: Installation, who: Portrait) -> Template:
    enrolment, start = build_enrolment(installation), installation.clock.now()
    for at, image in enumerate(enrolment_frames(who, seed=3)):
        enrolment.offer(Frame(CameraId("enrolment"), image, start.plus(at), at))
    return enrolment.reference()


def _played(
    visits: Sequence[Visit], base: dict[Portrait, list[Image]], empty: list[Image]
) -> Iterator[Image]:
    for visit in visits:
        there = empty * 2 if visit.who is None else base[visit.who][_THERE]
        for at, image in enumerate(there):
            yield _holding(image, visit.texts, at) if at in _HELD and visit.texts else image
        yield from empty


def _holding(image: Image, texts: tuple[str, ...], at: int) -> Image:
    """The picture with the pass in it that is held up then; it shakes a little."""
    text = texts[(at - _HELD.start) * len(texts) // len(_HELD)]
    code = np.where(symbol(text).modules, 25, 225).astype(np.uint8)
    code = code.repeat(_MODULE, 0).repeat(_MODULE, 1)
    x, y = _CORNER[0] + at % 3, _CORNER[1] - at % 2
    shown = image.copy()
    height, width = (min(code.shape[0], 360 - y), min(code.shape[1], 640 - x))
    assert code.shape == (height, width), "the pass does not fit into the picture"
    shown[y : y + height, x : x + width] = code[:, :, None]
    return shown


def _frames(folder: Path, who: Portrait) -> list[Image]:
    """The demo's visit of somebody, frame by frame."""
    path = folder / f"{who.name}.mp4"
    if not path.exists():
        write_door_clip(path, (who,), seed=2)
    with av.open(str(path)) as container:
        pictures = (frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        return [np.asarray(picture, np.uint8) for picture in pictures]
