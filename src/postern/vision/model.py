"""Models by name: where each lies, whether it is the right one, and a session on it.

Rules of this file:
1. A model is loaded only from bytes whose sha256 the manifest names; the bytes that were hashed are
   the bytes that are loaded.
2. Nothing is fetched here. A missing model is an error that says which command brings it.
3. A derived model (one that Postern writes from another) is pinned like any other: what the
   conversion gives must have the manifest's hash.
"""

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from postern.core.errors import Code, PosternError

Origin = Literal["package", "derived", "pack"]
#: Bytes; more than any model that a manifest names.
MAX_BYTES = 1 << 29


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the manifest.

    Attributes:
        name: What it is called everywhere.
        origin: Whether it lies in an installed package, is derived, or is an optional pack.
        file: Its path inside the package, or its file name in the model folder.
        sha256: Its hash, in lower-case hex.
        licence: SPDX identifier.
        source: Who made it.
        package: The Python package it travels in, for origin `package`.
        url: Where the publisher offers it, for origin `pack`.
        input: What it takes, in words.
    """

    name: str
    origin: Origin
    file: str
    sha256: str
    licence: str
    source: str
    package: str = ""
    url: str = ""
    input: str = ""


def read_manifest() -> Mapping[str, Entry]:
    """Every model that Postern knows, by name."""
    text = resources.files("postern.vision").joinpath("manifest.toml").read_text("utf-8")
    return {name: Entry(name=name, **fields) for name, fields in tomllib.loads(text).items()}


class Models:
    """The models of one installation.

    Args:
        folder: Where packs and derived models are kept; made when first written to.
        manifest: The known models.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Entry]) -> None:
        self._folder = folder
        self._manifest = manifest

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every model of the manifest, in its order."""
        return tuple(self._manifest.values())

    def entry(self, name: str) -> Entry:
        """The manifest's entry of that name.

        Raises:
            PosternError: `not_found`.
        """
        try:
            return self._manifest[name]
        except KeyError:
            known = ", ".join(self._manifest)
            raise PosternError(
                Code.NOT_FOUND, f"There is no model called {name!r}.", f"Known models: {known}."
            ) from None

    def path(self, name: str) -> Path | None:
        """Where the model's file should lie; None where its package is not installed."""
        entry = self.entry(name)
        if entry.origin != "package":
            return self._folder / entry.file
        # Located without being imported: face_recognition_models imports pkg_resources.
        spec = find_spec(entry.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(spec.submodule_search_locations[0]) / entry.file

    def present(self, name: str) -> bool:
        """Whether the model's file is there; its hash is checked when it is read."""
        path = self.path(name)
        return path is not None and path.is_file()

    def read(self, name: str) -> bytes:
        """The model's bytes, checked.

        Raises:
            PosternError: `not_found` where the file is absent, `invalid` where its hash differs,
                `unavailable` where it cannot be read.
        """
        entry = self.entry(name)
        path = self.path(name)
        if path is None or not path.is_file():
            raise PosternError(
                Code.NOT_FOUND, f"The model {name} is not installed.", _remedy(entry)
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"The model {name} cannot be read ({error.strerror})."
            ) from None
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise PosternError(
                Code.INVALID,
                f"The file of model {name} has another hash than the manifest names.",
                _remedy(entry),
            )
        return data

    def derive(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The bytes of a derived model, made and kept if they are not there or are damaged.

        Args:
            name: A model of origin `derived`.
            make: Makes its bytes; deterministic.

        Raises:
            PosternError: `internal` where `make` gives other bytes than the manifest pins,
                `unavailable` where they cannot be kept.
        """
        if self.present(name):
            try:
                return self.read(name)
            except PosternError:
                pass  # A damaged copy is made again; the hash below decides.
        entry = self.entry(name)
        data = make()
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise PosternError(
                Code.INTERNAL, f"The conversion of model {name} gave other bytes than pinned."
            )
        self._keep(entry, data)
        return data

    def import_file(self, path: Path) -> Entry:
        """Takes a pack from a file, recognised by its hash.

        Raises:
            PosternError: `not_found` without the file, `invalid` where no pack has this hash,
                `unavailable` where it cannot be kept.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)  # Bounded: a device has no end.
        except OSError as error:
            raise PosternError(
                Code.NOT_FOUND, f"{path} cannot be read ({error.strerror})."
            ) from None
        return self.keep_pack(data)

    def keep_pack(self, data: bytes) -> Entry:
        """Keeps the bytes of a pack, recognised by their hash.

        Raises:
            PosternError: `invalid` where no pack has this hash.
        """
        digest = "" if len(data) > MAX_BYTES else hashlib.sha256(data).hexdigest()
        for entry in self._manifest.values():
            if entry.origin == "pack" and entry.sha256 == digest:
                self._keep(entry, data)
                return entry
        packs = ", ".join(e.name for e in self._manifest.values() if e.origin == "pack")
        raise PosternError(
            Code.INVALID,
            "This file is none of the models that Postern knows.",
            f"It takes: {packs}.",
        )

    def _keep(self, entry: Entry, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".incoming-")
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                # Whoever brings a pack is often not who runs Postern; a model is no secret.
                temporary.chmod(0o644)
                temporary.replace(self._folder / entry.file)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"The model folder cannot be written ({error.strerror})."
            ) from None


def open_session(data: bytes, name: str) -> "ort.InferenceSession":
    """A single-threaded session on a model's bytes.

    One thread and no spinning: the engine runs one session per worker, and idle threads that spin
    would burn the cores that other cameras need.

    Raises:
        PosternError: `invalid` where the runtime cannot load them.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # An arena keeps the largest picture's tensors for ever, in every session.
    options.enable_cpu_mem_arena = False
    # Nor one block for all of a picture's: it is too large for anything but to be fetched anew.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime raises classes of its own, unlisted
        raise PosternError(
            Code.INVALID, f"The model {name} cannot be loaded ({type(error).__name__})."
        ) from None
    # The runtime keeps the file beside what it made of it, for another processor to fall back to.
    session._model_bytes = b""
    return session


def run(session: "ort.InferenceSession", feeds: Mapping[str, Any]) -> list[Any]:
    """All outputs of a session, in the graph's order."""
    return list(session.run(None, dict(feeds)))


def _remedy(entry: Entry) -> str:
    if entry.origin == "package":
        return f"Install it with: pip install --no-deps {entry.package}."
    if entry.origin == "pack":
        return f"Bring it with: postern models fetch {entry.name}, or postern models import FILE."
    return "Remove it; Postern writes it again."
