"""Where frames come from: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Source
from postern.later import later
from postern.sources.file.config import Config as FileConfig
from postern.sources.rtsp.config import Config as RtspConfig
from postern.sources.snapshot.config import Config as SnapshotConfig
from postern.sources.v4l.config import Config as V4lConfig

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Kind(Generic[C]):
    """One kind of source.

    Attributes:
        config: What an operator says about it: a frozen dataclass of plain fields that checks
            itself.
        open: Makes the source. Nothing is opened before its `frames` is iterated.
    """

    config: type[C]
    open: Callable[[C, CameraId, Clock], Source]


KINDS: Mapping[str, Kind[Any]] = {
    "file": Kind(FileConfig, later("postern.sources.file.source", "FileSource")),
    "rtsp": Kind(RtspConfig, later("postern.sources.rtsp.source", "RtspSource")),
    "snapshot": Kind(SnapshotConfig, later("postern.sources.snapshot.source", "SnapshotSource")),
    "v4l": Kind(V4lConfig, later("postern.sources.v4l.source", "V4lSource")),
}
