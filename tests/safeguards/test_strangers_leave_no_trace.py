"""Safeguard: a face or plate that matches no permit is never stored, logged or published.

A whole service runs on clips in which only strangers come, while somebody else is enrolled. Then
every byte of every file that it wrote is searched for the stranger's plate, for the vectors that
were made of their face in any form in which they might be kept, and for pictures. The search is
shown to find each of them when it is planted.
"""

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from postern.app.wire import Installation, face_detector
from postern.cli.demo.barrier import Visit
from postern.cli.demo.door import Portrait
from postern.cli.demo.scene import Cast
from postern.core.event import Acted, Decided
from postern.core.ids import CameraId
from postern.engine.ports import Outcome
from postern.frame import Frame, Image
from postern.vision.faces.load import load_recogniser
from tests.clocks import MachineClock
from tests.demo_site import Watcher, demo_site, played

PLATE = "HDTR92"
STRANGERS = Cast(at_door=(Portrait.HOPPER,), at_barrier=(Visit("HD TR 92"),))
#: Bytes of a vector or picture that chance does not hit.
WINDOW = 24
#: How files of pictures begin.
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"\x00\x00\x00\x20ftyp", b"GIF8")


@dataclass(frozen=True)
class Run:
    """What is left of a run with only strangers.

    Attributes:
        outcomes: What whoever watched was told.
        events: What was kept.
        files: What lies in the data folder and the folder for temporary files, open and closed.
        vectors: What the recogniser makes of the stranger's face, frame by frame.
        pictures: Frames in which they are.
    """

    outcomes: tuple[Outcome, ...]
    events: tuple[object, ...]
    files: dict[str, bytes]
    vectors: tuple[npt.NDArray[np.float32], ...]
    pictures: tuple[Image, ...]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("strangers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSTERN_MODELS", str(home / "models"))
        patch.setattr(tempfile, "tempdir", str(home / "temporary"))
        (home / "temporary").mkdir()
        (home / "site").mkdir()
        watcher = Watcher()
        with demo_site(home / "site", STRANGERS) as installation:
            played(installation, watcher)
            pictures = _pictures(home / "site" / "door.mp4")
            vectors = _vectors(installation, pictures)
            events = tuple(entry.event for entry in installation.store.events.list())
            files = _files(home)
        files |= {f"closed {name}": data for name, data in _files(home).items()}
    return Run(watcher.outcomes, events, files, vectors, pictures)


def test_strangers_came_and_were_turned_away(run: Run) -> None:
    """Otherwise the rest would show nothing."""
    looked_at = {outcome.access_point for outcome in run.outcomes if outcome.looks}

    assert {"barrier", "door"} == looked_at
    assert not any(outcome.decision.granted for outcome in run.outcomes)
    assert len(run.vectors) >= 3


def test_a_stranger_is_no_event(run: Run) -> None:
    """Not even one that names nobody."""
    assert run.events
    assert [] == [event for event in run.events if isinstance(event, Decided | Acted)]


def test_what_is_told_of_a_stranger_names_nobody(run: Run) -> None:
    """No holder, no permit, no chance: a guard sees that somebody was turned away."""
    for outcome in run.outcomes:
        assert (None, (), 1.0) == (
            outcome.decision.permit, outcome.decision.holders, outcome.decision.bound,
        )  # fmt: skip
        assert PLATE not in repr(outcome)


def test_no_file_holds_anything_of_a_stranger(run: Run) -> None:
    """Neither plate nor vector nor picture, while the store is open and after it was closed."""
    assert {"data/postern.db", "closed data/postern.db"} <= run.files.keys()

    assert [] == _traces(run.files, run)


def test_search_finds_what_is_planted(run: Run) -> None:
    """The plate in three spellings, a vector in every form, a picture as file and as pixels."""
    for name, trace in _forms(run).items():
        planted = {"planted": b"\0" * 100 + trace[: max(len(trace) // 2, WINDOW)] + b"\0" * 100}
        assert [("planted", name)] == [one for one in _traces(planted, run) if one[1] == name]
    for magic in PICTURES:
        assert _traces({"planted": magic + bytes(200)}, run)


def _files(home: Path) -> dict[str, bytes]:
    folders = [home / "site" / "data", home / "temporary"]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


def _traces(files: dict[str, bytes], run: Run) -> list[tuple[str, str]]:
    """Which file holds which trace, in whole or in part."""
    forms = _forms(run)
    found = [
        (file, name)
        for file, content in files.items()
        for name, form in forms.items()
        if any(form[at : at + WINDOW] in content for at in range(0, len(form), WINDOW)
               if len(form) - at >= WINDOW or at == 0)
    ]  # fmt: skip
    starts = [(file, "a picture") for file, data in files.items() if data.startswith(PICTURES)]
    return found + starts


def _forms(run: Run) -> dict[str, bytes]:
    forms = {
        "plate": PLATE.encode(),
        "plate as printed": b"HD TR 92",
        "plate in wide characters": PLATE.encode("utf-16-le"),
    }
    for at, vector in enumerate(run.vectors):
        scaled = np.rint(vector / np.abs(vector).max() * 127).astype(np.int8)
        plain = {
            "float32": vector.tobytes(),
            "float64": vector.astype(np.float64).tobytes(),
            "float16": vector.astype(np.float16).tobytes(),
            "int8": scaled.tobytes(),
        }
        for name, data in plain.items():
            forms[f"vector {at} {name}"] = data
            forms[f"vector {at} {name} in base64"] = base64.b64encode(data)
        forms[f"vector {at} text"] = ", ".join(map(str, vector[:8])).encode()
    for at, picture in enumerate(run.pictures[20:30:5]):
        forms[f"pixels {at}"] = picture[150:152, 200:400].tobytes()
    return forms


def _pictures(clip: Path) -> tuple[Image, ...]:
    with av.open(str(clip)) as container:
        frames = (frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        return tuple(np.asarray(frame, np.uint8) for frame in frames)


def _vectors(
    installation: Installation, pictures: tuple[Image, ...]
) -> tuple[npt.NDArray[np.float32], ...]:
    recogniser = load_recogniser(installation.models, face_detector(installation))
    seen = [
        sighting
        for at, picture in enumerate(pictures[10:40:8])
        for sighting in recogniser.sightings(
            Frame(CameraId("corridor"), picture, MachineClock().now(), at)
        )
    ]
    return tuple(np.asarray(one.template.values, np.float32) for one in seen if one.template)
