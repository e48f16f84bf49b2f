"""Where frames come from: one folder per kind, one row per kind in `KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from postern.core.ids import CameraId
from postern.core.ports import Clock
from postern.frame import Source
from postern.sources.file.source import Config as FileConfig
from postern.sources.file.source import FileSource
from postern.sources.rtsp.source import Config as RtspConfig
from postern.sources.rtsp.source import RtspSource
from postern.sources.snapshot.source import Config as SnapshotConfig
from postern.sources.snapshot.source import SnapshotSource
from postern.sources.v4l.source import Config as V4lConfig
from postern.sources.v4l.source import V4lSource

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
    "file": Kind(FileConfig, FileSource),
    "rtsp": Kind(RtspConfig, RtspSource),
    "snapshot": Kind(SnapshotConfig, SnapshotSource),
    "v4l": Kind(V4lConfig, V4lSource),
}
