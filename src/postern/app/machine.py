"""The machine that a site runs on, looked at: its clock, disk, memory and swap. Changes nothing."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from postern.app.clock import plausible
from postern.app.duty import DUTY_FILE
from postern.app.finding import Finding, Verdict
from postern.app.kernel_clock import Reading
from postern.app.site import ClockSource

#: How the kernel writes spaces, tabs, line ends and backslashes of a path.
_OCTAL = re.compile(r"\\([0-7]{3})")
_PROC, _SYS = Path("/proc"), Path("/sys")
_MIB = 2**20
#: Bytes. Below the first a day of events may not fit; below the second nothing may at any moment.
SCARCE, TOO_LITTLE = 1024 * _MIB, 100 * _MIB
#: What ext4 writes beside "rw" where it stopped writing after an error.
_EMERGENCY = "emergency_ro"
#: Bytes that a site of a few cameras takes.
_MEMORY = 600 * _MIB
#: What is gone after a power cut, and what may neither lock nor sync as a disk does.
_IN_MEMORY = {"tmpfs", "ramfs"}
_ELSEWHERE = {"nfs", "nfs4", "cifs", "smb3", "9p", "sshfs", "fuse.sshfs", "ceph", "glusterfs"}


def look_at_clock(source: ClockSource, read: Callable[[], Reading]) -> Finding:
    """Whether the calendar can be right, and whether something keeps it so.

    Args:
        source: By what the site says that it is right.
        read: Reads the clocks.
    """
    reading = read()
    if reading.utc is None or not plausible(reading.utc):
        return Finding(
            "clock",
            Verdict.MEND,
            "The calendar shows a time that cannot be right, so that no schedule counts.",
            "Set it (timedatectl set-time), replace the battery, or turn on NTP.",
        )
    shows = f"The calendar shows {reading.utc:%Y-%m-%d %H:%M} UTC"
    if reading.synchronised:
        return Finding("clock", Verdict.WELL, f"{shows}; a time server keeps it right.")
    if source is ClockSource.NTP:
        return Finding(
            "clock",
            Verdict.MEND,
            f"{shows}; no time server keeps it right, and by [clock] source one has to.",
            'See to it (timedatectl timesync-status), or write source = "rtc".',
        )
    return Finding(
        "clock",
        Verdict.HEED,
        f"{shows}; no time server keeps it right.",
        "Compare it with a clock that is right, and turn on NTP where there is a network.",
    )


def look_at_disk(folder: Path, proc: Path = _PROC) -> Iterator[Finding]:
    """Whether a folder's disk keeps what is written to it, and has room.

    Args:
        folder: The data folder, or the one above where it is not there yet.
        proc: Where the kernel shows itself.
    """
    kind, options = _file_system(folder, proc)
    if kind in _IN_MEMORY:
        yield Finding(
            "disk",
            Verdict.MEND,
            f"{folder} is in memory ({kind}): everything in it is gone when the machine stops.",
            "Move it to a disk: POSTERN_DATA, or data in [site].",
        )
    if kind in _ELSEWHERE:
        yield Finding(
            "disk",
            Verdict.HEED,
            f"{folder} is on another machine ({kind}), which may neither lock nor sync in time.",
            "Keep it on a disk of this machine.",
        )
    stat = os.statvfs(folder)
    if stat.f_flag & os.ST_RDONLY or _EMERGENCY in options:
        yield Finding(
            "disk",
            Verdict.MEND,
            f"{folder} is read-only: nothing can be recorded, and the service does not start.",
            "Look for errors of the disk (dmesg), then remount it.",
        )
        return
    yield _room(folder, stat.f_bavail * stat.f_frsize, stat.f_favail or stat.f_files == 0)


def _room(folder: Path, free: int, names: int | bool) -> Finding:
    left = f"{free / _MIB:,.0f} MiB are free in {folder}"
    if free < TOO_LITTLE or not names:
        return Finding("disk", Verdict.MEND, f"{left}: it is as good as full.", "Make room.")
    if free < SCARCE:
        return Finding("disk", Verdict.HEED, f"{left}.", "Make room before it is full.")
    return Finding("disk", Verdict.WELL, f"{left}.")


def look_at_owner(folder: Path, user: int) -> Finding | None:
    """Whose the data is, where it is not this user's: opened by another, the service is shut out.

    Args:
        folder: The data folder.
        user: This user's number.
    """
    owner = folder.stat().st_uid
    if owner == user:
        return None
    return Finding(
        "user",
        Verdict.MEND,
        f"{folder} belongs to the user {owner}, and this is the user {user}: it was not opened.",
        "Run this as the service's user: sudo -u postern postern doctor ...",
    )


def look_at_memory(proc: Path = _PROC) -> Finding:
    """Whether there is memory for a service."""
    found = re.search(r"^MemAvailable: +(\d+) kB", _read(proc / "meminfo"), re.MULTILINE)
    if found is None:
        return Finding("memory", Verdict.UNTRIED, "The kernel does not say how much is free.")
    free = int(found[1]) * 1024
    said = f"{free / _MIB:,.0f} MiB are free."
    if free < _MEMORY:
        return Finding("memory", Verdict.HEED, said, "A site with a few cameras takes 600 MiB.")
    return Finding("memory", Verdict.WELL, said)


def look_at_swap(proc: Path = _PROC, sys: Path = _SYS) -> Finding:
    """Whether memory may be written to a disk as it is."""
    lines = _read(proc / "swaps").splitlines()[1:]
    open_ones = [one for one in (line.split()[0] for line in lines) if not _is_closed(one, sys)]
    if open_ones:
        return Finding(
            "swap",
            Verdict.HEED,
            f"{', '.join(open_ones)} may take in memory with keys and references, unencrypted.",
            "Turn it off (swapoff -a) or encrypt it. The unit keeps the service out; commands "
            "are not kept out.",
        )
    return Finding("swap", Verdict.WELL, "It is encrypted." if lines else "There is none.")


def is_served(data: Path, proc: Path = _PROC) -> bool:
    """Whether a service runs on that data, told without touching its lock."""
    try:
        found = (data / DUTY_FILE).stat()
    except OSError:
        return False
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    return any(
        "FLOCK" in line and f" {device} " in f"{line} "
        for line in _read(proc / "locks").splitlines()
    )


def _is_closed(device: str, sys: Path) -> bool:
    """Whether what is swapped there cannot be read later: compressed memory, or encrypted."""
    name = Path(os.path.realpath(device)).name
    return name.startswith("zram") or _read(sys / f"class/block/{name}/dm/uuid").startswith(
        "CRYPT-"
    )


def _file_system(folder: Path, proc: Path) -> tuple[str, list[str]]:
    """The kind of the file system that a folder is on, and how it is mounted; the last mount that
    covers it counts."""
    place = folder.resolve()
    kind, options, longest = "", "", -1
    for line in _read(proc / "self/mounts").splitlines():
        _, at, found, how, *_ = line.split(" ")
        mount = Path(_OCTAL.sub(lambda one: chr(int(one[1], 8)), at))
        if place.is_relative_to(mount) and len(mount.parts) >= longest:
            kind, options, longest = found, how, len(mount.parts)
    return kind, options.split(",")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
