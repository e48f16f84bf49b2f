"""Decoders in hardware: which there are, and what their drivers have to reach.

None of them was tried on hardware so far; what is tested is that a confined process may load what
the system has of libraries where one of them is used, and may not otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.codec.hwaccel import HWAccel, hwdevices_available

#: What drivers read besides their devices: libraries, where those are, and what the kernel tells of
#: the devices. There is nothing of a site in any of it.
_READ = tuple(
    map(
        Path,
        (
            "/lib",
            "/lib64",
            "/usr/lib",
            "/usr/lib64",
            "/usr/local/lib",
            "/usr/share/glvnd",
            "/usr/share/nvidia",
            "/etc/ld.so.cache",
            "/proc/driver/nvidia",
            "/sys/dev/char",
            "/sys/devices",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One way of decoding in hardware.

    Attributes:
        name: What FFmpeg calls it.
        shown_by: What is there where it is.
        devices: What its driver opens, as patterns below `/dev`.
    """

    name: str
    shown_by: Path
    devices: tuple[str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """What its driver opens here."""
        return tuple(path for pattern in self.devices for path in Path("/dev").glob(pattern))

    def open(self) -> HWAccel:
        """The decoder; software takes over what it cannot do."""
        return HWAccel(self.name, allow_software_fallback=True)


_KNOWN = (
    Accelerator("cuda", Path("/dev/nvidia0"), ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm*")),
    Accelerator("qsv", Path("/dev/dri/renderD128"), ("dri/renderD*",)),
)


def accelerator() -> Accelerator | None:
    """The decoder that is here, and that FFmpeg knows; None where there is none."""
    return next(_here(), None)


def read_by(found: Accelerator | None) -> tuple[Path, ...]:
    """What has to be readable for it."""
    return () if found is None else _READ


def _here() -> Iterator[Accelerator]:
    known = hwdevices_available()
    return (one for one in _KNOWN if one.name in known and one.shown_by.exists())
