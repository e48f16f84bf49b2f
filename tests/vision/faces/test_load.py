"""The parts as they are loaded: from this machine alone, and of the right kind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.frame import Recogniser
from postern.vision.faces import load
from postern.vision.faces.calibration import PROBE_LOOKS
from postern.vision.faces.cohort import NEAREST
from postern.vision.model import Models, read_manifest

_DETECTORS: tuple[Literal["yunet", "dlib"], ...] = ("yunet", "dlib")

#: Loads and uses everything in an empty folder, and ends at the first sign of a network.
_ALONE = """
import sys
from pathlib import Path

def refuse(event, arguments):
    if event.startswith("socket."):
        sys.stderr.write(f"{event} {arguments}")
        raise SystemExit(9)

sys.addaudithook(refuse)

import numpy as np
from datetime import UTC, datetime
from postern.core.moment import Moment
from postern.frame import Frame
from postern.vision.faces import load
from postern.vision.model import Models, read_manifest

models = Models(Path(sys.argv[1]), read_manifest())
recogniser = load.load_recogniser(models, "dlib")
load.load_embedder(models).vectors(np.zeros((1, 150, 150, 3), np.uint8))
frame = Frame("door", np.zeros((120, 160, 3), np.uint8), Moment(datetime.now(UTC), 0.0), 0)
assert recogniser.sightings(frame) == ()
load.load_cohort("dlib"), load.load_calibration("dlib")
try:
    load.load_recogniser(models, "yunet")
except Exception as error:
    print(error)
print("pkg_resources" in sys.modules, "face_recognition_models" in sys.modules)
"""


@pytest.fixture
def bare(tmp_path: Path) -> Models:
    """An installation without any pack."""
    return Models(tmp_path, read_manifest())


def test_loading_opens_no_connection(tmp_path: Path) -> None:
    """From an empty folder everything is made out of what is installed, without a single socket;
    what is not installed is an error that says which command brings it. The package that carries
    dlib's files is never imported.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "postern models fetch yunet" in done.stdout
    assert done.stdout.endswith("False False\n")
    assert ["face-detector-dlib.onnx", "face-embedder-dlib.onnx", "face-landmarks-dlib.npy"] == (
        sorted(path.name for path in tmp_path.iterdir())
    )


def test_the_check_for_connections_notices_one() -> None:
    """The hook that the test above relies on does end a program that opens a socket."""
    hook = _ALONE[: _ALONE.index("import numpy")]

    done = subprocess.run(
        [sys.executable, "-c", hook + "import socket; socket.socket()"],
        capture_output=True, check=False,
    )  # fmt: skip

    assert 9 == done.returncode


def test_load_recogniser_makes_what_is_damaged_again(models: Models) -> None:
    """A graph with a bit turned is written anew, and the result is the pinned one."""
    path = models.path("face-detector")
    load.load_detector(models, "dlib")
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    load.load_detector(models, "dlib")

    assert whole == path.read_bytes()


def test_load_recogniser_refuses_another_package_file(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of another hash are never read, whoever put them there."""
    package = tmp_path / "face_recognition_models"
    source = models.path("face-detector-dlib")
    assert source is not None
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / source.name).write_bytes(source.read_bytes() + b"\x00")
    monkeypatch.syspath_prepend(str(tmp_path))
    elsewhere = Models(tmp_path / "kept", read_manifest())

    with pytest.raises(PosternError, match="another hash") as refused:
        load.load_detector(elsewhere, "dlib")

    assert Code.INVALID is refused.value.code
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(("wanted", "found"), [("auto", "dlib"), ("dlib", "dlib")])
def test_choose_detector_takes_the_built_in_one_without_a_pack(
    bare: Models, wanted: str, found: str
) -> None:
    """What is built in needs no pack."""
    assert found == load.choose_detector(bare, wanted)


def test_choose_detector_says_how_to_get_what_is_not_there(bare: Models) -> None:
    """Asking for YuNet without its pack names the command; an unknown name the known ones."""
    with pytest.raises(PosternError, match="postern models fetch yunet") as absent:
        load.choose_detector(bare, "yunet")
    with pytest.raises(PosternError, match="auto, yunet or dlib") as unknown:
        load.choose_detector(bare, "haar")

    assert (Code.NOT_FOUND, Code.INVALID) == (absent.value.code, unknown.value.code)


def test_choose_detector_prefers_the_pack(models: Models, yunet: Recogniser) -> None:
    """Where YuNet is there, auto means YuNet."""
    assert "yunet" == load.choose_detector(models, "auto")
    assert "yunet" == load.choose_detector(models, "yunet")
    assert "dlib" == load.choose_detector(models, "dlib")


@pytest.mark.parametrize("detector", _DETECTORS)
def test_shipped_tables_fit_the_models(models: Models, detector: Literal["yunet", "dlib"]) -> None:
    """They were made with the embedder that is loaded and the detector they are named after."""
    found = load.load_calibration(detector)

    assert models.entry("face-embedder").sha256 == found.embedder
    assert detector == found.detector
    assert PROBE_LOOKS == len(found.rates)
    assert ["faces-lfw", "faces-orl"] == [source.data for source in found.sources][:2]
    assert 3 / found.sources[0].pairs == found.floor
    assert found.floor < 1e-5


@pytest.mark.parametrize("detector", _DETECTORS)
def test_shipped_cohort_is_large_enough(detector: Literal["yunet", "dlib"]) -> None:
    """Each has 4,000 rows, no two alike."""
    rows = load.load_cohort(detector)

    assert (4000, 128) == rows.shape
    assert len(rows) > NEAREST
    assert len(rows) == len(np.unique(rows, axis=0))


def test_pack_cohort_keeps_vectors_to_half_a_step() -> None:
    """Each number is off by at most half of a 127th of its row's largest; an eighth of the size."""
    vectors = np.random.default_rng(0).standard_normal((500, 128)).astype(np.float32)
    packed = load.pack_cohort(vectors)

    step = np.abs(vectors).max(axis=1, keepdims=True) / 127

    assert (np.abs(load.unpack_cohort(packed) - vectors) <= 0.5001 * step).all()
    assert len(packed) < vectors.nbytes / 3
    assert packed == load.pack_cohort(load.unpack_cohort(packed))


@pytest.mark.parametrize("part", [load.load_detector, load.load_recogniser])
def test_loading_refuses_a_pack_that_is_damaged(
    models: Models, yunet: Recogniser, tmp_path: Path, part: Callable[..., object]
) -> None:
    """A pack with one more byte is not the pack."""
    path = models.path("yunet")
    assert path is not None
    (tmp_path / path.name).write_bytes(path.read_bytes() + b"\x00")

    with pytest.raises(PosternError, match="another hash"):
        part(Models(tmp_path, read_manifest()), "yunet")
