"""Machines that are as a test says, and what is found about each."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postern.app.duty import on_duty
from postern.app.finding import Finding, Verdict
from postern.app.kernel_clock import Reading
from postern.app.machine import (
    SCARCE,
    TOO_LITTLE,
    is_served,
    look_at_clock,
    look_at_disk,
    look_at_memory,
    look_at_owner,
    look_at_swap,
)
from postern.app.site import ClockSource

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OLD = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("utc", "synchronised", "source", "expected"),
    [
        (NOW, True, ClockSource.RTC, Verdict.WELL),
        (NOW, True, ClockSource.NTP, Verdict.WELL),
        (NOW, False, ClockSource.RTC, Verdict.HEED),
        (NOW, False, ClockSource.NTP, Verdict.MEND),
        (OLD, False, ClockSource.RTC, Verdict.MEND),
        (OLD, True, ClockSource.RTC, Verdict.MEND),
        (None, True, ClockSource.RTC, Verdict.MEND),
    ],
)
def test_clock_is_judged_by_what_the_site_goes_by(
    utc: datetime | None, synchronised: bool, source: ClockSource, expected: Verdict
) -> None:
    """And what is not well has a remedy."""
    found = look_at_clock(source, lambda: Reading(utc, 1000.0, synchronised))

    assert expected is found.verdict
    assert bool(found.remedy) is (expected is not Verdict.WELL)


class Disk:
    """What the system says of a file system."""

    def __init__(self, free: int, *, read_only: bool = False, names: int = 1000) -> None:
        self.f_frsize, self.f_bavail = 1, free
        self.f_flag = os.ST_RDONLY if read_only else 0
        self.f_favail, self.f_files = names, 2000


def look(
    folder: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk, kind: str = "ext4", how: str = "rw"
) -> list[Finding]:
    """What is found of a folder on such a disk."""
    proc = folder.parent
    (proc / "self").mkdir(exist_ok=True)
    at = str(folder.resolve()).replace(" ", "\\040")
    mounts = f"/dev/root / ext4 rw 0 0\n/dev/x {at} {kind} {how} 0 0\nx /elsewhere tmpfs rw 0 0\n"
    (proc / "self/mounts").write_text(mounts, "utf-8")
    monkeypatch.setattr(os, "statvfs", lambda _folder: disk)
    return list(look_at_disk(folder, proc))


@pytest.mark.parametrize(
    ("disk", "kind", "expected", "said"),
    [
        (Disk(2 * SCARCE), "ext4", [Verdict.WELL], "are free"),
        (Disk(SCARCE - 1), "ext4", [Verdict.HEED], "1,024 MiB are free"),
        (Disk(TOO_LITTLE - 1), "ext4", [Verdict.MEND], "as good as full"),
        (Disk(2 * SCARCE, names=0), "ext4", [Verdict.MEND], "as good as full"),
        (Disk(2 * SCARCE, read_only=True), "ext4", [Verdict.MEND], "read-only"),
        (Disk(2 * SCARCE), "tmpfs", [Verdict.MEND, Verdict.WELL], "is in memory"),
        (Disk(2 * SCARCE), "nfs4", [Verdict.HEED, Verdict.WELL], "on another machine"),
    ],
)
def test_disk_is_judged_by_what_it_keeps(
    disk: Disk,
    kind: str,
    expected: list[Verdict],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last mount that covers the folder counts."""
    found = look(tmp_path, monkeypatch, disk, kind)

    assert expected == [one.verdict for one in found]
    assert said in found[0].sentence


def test_disk_that_the_kernel_stopped_writing_to_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error of the disk it is called "rw" as before, and is not."""
    found = look(tmp_path, monkeypatch, Disk(2 * SCARCE), how="rw,relatime,emergency_ro")

    assert [Verdict.MEND] == [one.verdict for one in found]
    assert "is read-only" in found[0].sentence


@pytest.mark.parametrize("name", ["link", "Tür 1"])
def test_disk_is_the_one_that_the_folder_is_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a link, and whatever the kernel makes of its name."""
    if name == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / name).symlink_to("elsewhere")
    else:
        (tmp_path / name).mkdir()
    found = look(tmp_path / name, monkeypatch, Disk(2 * SCARCE), "tmpfs")

    assert "is in memory" in found[0].sentence


def test_this_machines_own_disk_is_read() -> None:
    """Whatever it is, it is judged, and a full one would not have let this test begin."""
    assert list(look_at_disk(Path.cwd()))


def test_data_of_another_user_is_not_opened(tmp_path: Path) -> None:
    """Files that root leaves there shut the service out."""
    user = os.geteuid()

    assert look_at_owner(tmp_path, user) is None
    found = look_at_owner(tmp_path, user + 1)
    assert found is not None
    assert (Verdict.MEND, True) == (found.verdict, "sudo -u postern" in found.remedy)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemTotal: 9 kB\nMemAvailable:   4000000 kB\n", Verdict.WELL),
        ("MemAvailable:   300000 kB\n", Verdict.HEED),
        ("", Verdict.UNTRIED),
    ],
)
def test_memory_is_what_the_kernel_says(text: str, expected: Verdict, tmp_path: Path) -> None:
    """Or it is not said."""
    (tmp_path / "meminfo").write_text(text, "utf-8")

    assert expected is look_at_memory(tmp_path).verdict


@pytest.mark.parametrize(
    ("devices", "uuid", "expected"),
    [
        ([], "", Verdict.WELL),
        (["/swapfile"], "", Verdict.HEED),
        (["/dev/sda2"], "", Verdict.HEED),
        (["/dev/zram0"], "", Verdict.WELL),
        (["/dev/dm-1"], "CRYPT-PLAIN-swap\n", Verdict.WELL),
        (["/dev/dm-1"], "LVM-x\n", Verdict.HEED),
        (["/dev/zram0", "/dev/sda2"], "", Verdict.HEED),
    ],
)
def test_swap_is_well_where_nobody_can_read_it_later(
    devices: list[str], uuid: str, expected: Verdict, tmp_path: Path
) -> None:
    """Compressed memory, an encrypted volume, or none."""
    lines = ["Filename Type Size Used Priority", *(f"{one} partition 1 0 -2" for one in devices)]
    (tmp_path / "swaps").write_text("\n".join(lines) + "\n", "utf-8")
    (tmp_path / "class/block/dm-1/dm").mkdir(parents=True)
    (tmp_path / "class/block/dm-1/dm/uuid").write_text(uuid, "utf-8")
    found = look_at_swap(tmp_path, tmp_path)

    assert expected is found.verdict
    assert ("/dev/sda2" in devices) is ("/dev/sda2" in found.sentence)


def test_service_that_runs_is_seen_and_not_disturbed(tmp_path: Path) -> None:
    """By the lock that it holds; a file that nobody holds is none."""
    assert not is_served(tmp_path)
    with on_duty(tmp_path):
        for _ in range(3):
            assert is_served(tmp_path)
    assert not is_served(tmp_path)
    with (tmp_path / "service.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert is_served(tmp_path)
