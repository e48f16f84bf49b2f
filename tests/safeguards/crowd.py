"""Five hundred strangers before the real service, and everything that it wrote meanwhile.

`postern run` runs in a process of its own, under strace where there is one, until so many attempts
have ended. Every door plays real faces and every barrier drawn plates, each picture without loss,
so that the very vectors that the service made of them can be made again and looked for. One person
and one vehicle are registered, and come once: what is looked for would be there to be found.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from postern.app.wire import Installation, open_site, read_site
from postern.cli.demo.barrier import draw_plate
from postern.core.evidence import Factor
from postern.core.ids import CameraId, PersonId, VehicleId
from postern.core.permit import Ceiling
from postern.core.person import Person
from postern.core.vehicle import Vehicle, plate_text
from postern.frame import Frame, Image, Recogniser, Template
from postern.picture import decode
from postern.vault.passes import Pass, Sort, encode
from postern.vision.faces.load import load_recogniser
from postern.vision.faces.reference import reference
from postern.vision.model import Models, read_manifest
from postern.vision.passes.symbol import symbol
from postern.vision.plates import recogniser as plate_recogniser
from postern.vision.plates.grammar import grammar
from tests.needs import SHARED, shared
from tests.people import NOW, consent, credential, moment, permit
from tests.safeguards.traces import Vector
from tests.safeguards.watched import calls, start
from tests.vision.plates.render import plate_number

#: Denials that are waited for, and those of them that are to be at barriers.
ATTEMPTS, AT_BARRIERS = 500, 20
DOORS, AT_A_DOOR = 36, 13
BARRIERS, AT_A_BARRIER = 3, 9
#: Of those at a door, so many more hold up a pass of another site.
WITH_A_PASS = 12
#: Pictures a second, and how many of the empty scene follow on each passer-by. The tracker gives
#: somebody up a second after the last look; then the attempt ends.
DOOR_FPS, DOOR_EMPTY = 1.7, 2
BARRIER_FPS, BARRIER_EMPTY = 1.7, 2
RESIDENT, VAN, VAN_PLATE = PersonId("p-resident"), VehicleId("v-van"), "KA MP 417"
YEAR = timedelta(days=365)
#: Where the program writes: its data, and what is its home and its folder for temporary files.
WRITTEN = ("data", "user", "temporary")
#: Seconds; twenty times what it takes, since other programs may take the cores.
_PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody whom the site does not know.

    Attributes:
        name: For messages.
        image: What the camera saw.
        template: What the recogniser makes of it.
        plate: What their plate shows; empty for a face.
        holds: The text of the pass that they hold up, another site's; empty for most.
    """

    name: str
    image: Image
    template: Template
    plate: str = ""
    holds: str = ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is left of the run.

    Attributes:
        home: The folder of everything.
        strangers: Who came.
        turned: Their vectors in the site's own axes, in the order of `strangers`; none for plates.
        told: What the process wrote to either stream.
        files: Every file below `home` but what went in: while it ran, and after it had ended.
        calls: The calls that strace saw; None without it.
    """

    home: Path
    strangers: tuple[Stranger, ...]
    turned: tuple[Vector, ...]
    told: str
    files: Mapping[str, bytes]
    calls: tuple[str, ...] | None

    @property
    def data(self) -> Path:
        """The site's data folder."""
        return self.home / "data"


def turn_away(home: Path) -> Crowd:
    """Lets the crowd come; what it wrote stays in `home`."""
    for name in ("user", "temporary", "going-in"):
        (home / name).mkdir(parents=True)
    models = Models(home / "models", read_manifest())
    if (SHARED / "models/yunet_n_dynamic.onnx").exists():
        models.import_file(SHARED / "models/yunet_n_dynamic.onnx")
    strangers, resident = _gathered(models)
    (home / "site.toml").write_text(_site(home / "going-in", strangers, resident), "utf-8")
    with _unmasked(), open_site(read_site(home / "site.toml")) as installation:
        _register(installation, [one.template for one in resident])
        turned = tuple(_turned(installation, one) for one in strangers)
    while_running, calls = _run(home)
    files = {f"running: {name}": data for name, data in while_running.items()}
    told = "".join((home / name).read_text("utf-8") for name in ("out.txt", "err.txt"))
    return Crowd(home, strangers, turned, told, files | _files(home), calls)


def _turned(installation: Installation, stranger: Stranger) -> Vector:
    if stranger.plate:
        return np.zeros(0, np.float32)
    return np.asarray(installation.vault.rotate(stranger.template).values, np.float32)


def _gathered(models: Models) -> tuple[tuple[Stranger, ...], tuple[Stranger, ...]]:
    """The strangers, and three looks of the one face that is registered."""
    people = sorted(path for path in shared("data/faces-lfw").iterdir() if path.is_dir())
    faces = load_recogniser(models, "yunet" if models.present("yunet") else "dlib")
    several = (path for path in people if len(list(path.iterdir())) >= 6)
    looks = (_seen(faces, file.stem, _read(file)) for file in sorted(next(several).iterdir()))
    resident = _best_last([one for one in looks if one])
    alone = (next(path.iterdir()) for path in people if len(list(path.iterdir())) == 1)
    met = (_seen(faces, file.parent.name, _read(file)) for file in alone)
    strangers = list(islice((one for one in met if one), DOORS * AT_A_DOOR))
    held = (_foreign_pass(number) for number in range(WITH_A_PASS))
    showing = ((text, _seen(faces, file.parent.name, _holding(_read(file), text)))
               for text, file in zip(held, alone, strict=False))  # fmt: skip
    strangers += [replace(one, holds=text) for text, one in showing if one]
    plates = plate_recogniser.load(models, grammar(("eu",)))
    rng = np.random.default_rng(11)
    wanted = len(strangers) + BARRIERS * AT_A_BARRIER
    while len(strangers) < wanted:
        text = plate_number(rng)
        shown = _seen(plates, text, _lane(text))
        if shown:
            strangers.append(replace(shown, plate=text))
    return tuple(strangers), resident


def _best_last(looks: Sequence[Stranger]) -> tuple[Stranger, ...]:
    """Three looks, and the one of the others that is most like them."""
    vectors = [np.asarray(one.template.values, np.float32) for one in looks]
    middle = np.mean(vectors[:3], axis=0)
    nearest = min(range(3, len(looks)), key=lambda at: float(np.linalg.norm(vectors[at] - middle)))
    return (*looks[:3], looks[nearest])


def _read(file: Path) -> Image:
    return decode(file.read_bytes())


def _lane(text: str) -> Image:
    """A plate in a grey lane, (120, 240, 3) uint8."""
    lane = np.full((120, 240, 3), 90, np.uint8)
    small = cv2.resize(draw_plate(text), (120, 26), interpolation=cv2.INTER_AREA)
    lane[47:73, 60:180] = small
    return lane


def _foreign_pass(number: int) -> str:
    """A pass as another site issues it."""
    rng = np.random.default_rng(number)
    site, handle, content = (rng.bytes(size) for size in (16, 16, 206))
    return encode(Pass(Sort.REFERENCE, site, handle, NOW, NOW + YEAR, content), bytes(32))


def _holding(face: Image, text: str) -> Image:
    """Somebody with a pass beside their face, (250, 440, 3) uint8."""
    code = np.where(symbol(text).modules, 25, 225).astype(np.uint8).repeat(3, 0).repeat(3, 1)
    scene = np.full((250, 440, 3), 90, np.uint8)
    scene[: face.shape[0], : face.shape[1]] = face
    scene[: code.shape[0], 200 : 200 + code.shape[1]] = code[:, :, None]
    return scene


def _seen(recogniser: Recogniser, name: str, image: Image) -> Stranger | None:
    """Somebody with one look that can be compared; None where the picture does not give that."""
    sightings = recogniser.sightings(Frame(CameraId("any"), image, moment(), 0))
    if len(sightings) != 1 or sightings[0].template is None:
        return None
    return Stranger(name, image, sightings[0].template)


def _site(folder: Path, strangers: Sequence[Stranger], resident: Sequence[Stranger]) -> str:
    """The site's file; the pictures that its cameras play are written to the folder."""
    cars = [one for one in strangers if one.plate]
    showing = [one for one in strangers if one.holds]
    faces = [one for one in strangers if not one.plate and not one.holds]
    van = Stranger("van", _lane(VAN_PLATE), cars[0].template, VAN_PLATE)
    guests = [("face", faces[number::DOORS]) for number in range(DOORS)]
    guests += [("face", showing)]
    guests += [("plate", cars[number::BARRIERS]) for number in range(BARRIERS)]
    guests[0][1].append(resident[3])
    guests[-1][1].append(van)
    # Everything that may be told, so that what is told of strangers can be looked at.
    lines = ["[log]", 'level = "debug"', "[site]", 'name = "Crowd"', 'data = "data"']
    for number, (sees, they) in enumerate(guests):
        fps, empty = (DOOR_FPS, DOOR_EMPTY) if sees == "face" else (BARRIER_FPS, BARRIER_EMPTY)
        _film(folder / f"{number}", [one.image for one in they], empty)
        lines += [
            f"[camera.c{number}]", 'kind = "file"', f'path = "going-in/{number}"', f"fps = {fps}",
            "loop = true", f'sees = "{sees}"', f"[actuator.a{number}]", 'kind = "simulated"',
            f"[access_point.{sees}-{number}]", f'cameras = ["c{number}"]',
            f'actuator = "a{number}"',
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _film(folder: Path, images: Sequence[Image], empty: int) -> None:
    """A folder of pictures: each of these, and so many of the empty scene after it."""
    folder.mkdir()
    nobody = folder.parent / f"{folder.name}.png"
    cv2.imwrite(str(nobody), np.full_like(images[0], 90))
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f"{number:03}-a.png"), image)
        for gap in range(empty):
            os.link(nobody, folder / f"{number:03}-b{gap}.png")


def _register(installation: Installation, looks: Sequence[Template]) -> None:
    """One person and one vehicle, with a permit for every access point."""
    store, vault, now = installation.store, installation.vault, installation.clock.now().utc
    places = frozenset(installation.site.access_points)
    doors = frozenset(place for place in places if place.startswith("face"))
    store.people.add(Person(RESIDENT, "Resident"))
    store.consents.add(consent(RESIDENT, places=doors, given=now, expires=now + YEAR))
    face = credential(Factor.FACE, RESIDENT, valid_from=now)
    sealed = vault.seal(face.id, RESIDENT, reference(looks[:3]))
    store.credentials.add(face, now=now, sealed=sealed.blob)
    store.vehicles.add(Vehicle(VAN, plate_text(VAN_PLATE), "the van"))
    store.credentials.add(credential(Factor.PLATE, VAN, valid_from=now), now=now)
    for name, holder, at, factor in (
        ("resident", RESIDENT, doors, Factor.FACE), ("van", VAN, places - doors, Factor.PLATE)
    ):  # fmt: skip
        ceiling = Ceiling(factor, 1e-3 if factor is Factor.FACE else 1e-4)
        store.permits.add(permit(
            holder, factors=(ceiling,), at=at, max_false_accept=ceiling.max_p, liveness=False,
            valid_from=now, name=name,
        ))  # fmt: skip


def _run(home: Path) -> tuple[dict[str, bytes], tuple[str, ...] | None]:
    """Runs the service until enough attempts have ended; what it had written by then, and what it
    called."""
    process = start(home, "run", "site.toml")
    try:
        _await_crowd(home / "err.txt", process)
        written = _files(home)
    finally:
        process.terminate()
        process.wait(30)
    assert 0 == process.returncode, (home / "err.txt").read_text("utf-8")[-2000:]
    return written, calls(home)


def _await_crowd(told: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not _all_came(told.read_text("utf-8")):
        assert process.poll() is None, told.read_text("utf-8")[-2000:]
        assert time.monotonic() < deadline, told.read_text("utf-8")[-2000:]
        time.sleep(0.2)


def _all_came(told: str) -> bool:
    # The clips begin anew until then; on a slow machine many a passer-by is overtaken by the next.
    registered = ended(told, "granted", "face") and ended(told, "granted", "plate")
    foreign = ended(told, "denied", "face", "another site")
    enough = ended(told, "denied") >= ATTEMPTS and ended(told, "denied", "plate") >= AT_BARRIERS
    return bool(registered and foreign and enough)


def ended(told: str, how: str, where: str = "", why: str = "") -> int:
    """How many attempts were `granted` or `denied` at the doors (`face`) or barriers (`plate`)."""
    return len(re.findall(rf"^{where}[\w-]*: {how} .*{why}", told, re.MULTILINE))


@contextmanager
def _unmasked() -> Iterator[None]:
    """Without a mask, so that files are as open as the program makes them."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _files(home: Path) -> dict[str, bytes]:
    """What the program wrote below `home`, by its path there."""
    found = [path for name in WRITTEN for path in (home / name).rglob("*") if path.is_file()]
    found += [path for path in (home / "out.txt", home / "err.txt") if path.exists()]
    return {str(path.relative_to(home)): path.read_bytes() for path in found}
