"""The unit of the service: what systemd makes of it, and what the pages promise of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postern.app.heartbeat import PERIOD_S
from postern.engine.progress import STUCK_S
from tests.needs import missing

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "packaging/postern.service"
#: Tenths. What is left are the network, devices, and questions about the clock.
MOST_EXPOSED = 20


def unit() -> dict[str, list[str]]:
    """Every key of the service's section with its values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"([A-Z]\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


@pytest.fixture
def analyze(tmp_path: Path) -> Path:
    """The unit with a program that every machine has, to be looked at where Postern is not."""
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze")
    copy = tmp_path / "postern.service"
    text = UNIT.read_text("utf-8")
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), "utf-8")
    return copy


def systemd(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_unit_is_one_that_systemd_takes(analyze: Path) -> None:
    """Every key is known, and every value is one of its."""
    told = systemd("verify", str(analyze))

    about_it = [line for line in told.stderr.splitlines() if "postern.service" in line]
    assert [] == about_it
    assert 0 == told.returncode, told


def test_a_key_that_is_none_would_be_told(analyze: Path) -> None:
    """What the other test goes by can fail."""
    analyze.write_text(analyze.read_text("utf-8").replace("UMask=", "UMaks="), "utf-8")

    assert "UMaks" in systemd("verify", str(analyze)).stderr


def test_unit_leaves_little_exposed(analyze: Path) -> None:
    """As systemd reckons it, with what cameras and relays need."""
    options = ("security", "--offline=true")
    told = systemd(*options, f"--threshold={MOST_EXPOSED}", str(analyze))
    assert 0 == told.returncode, told.stdout
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", told.stdout)
    assert level is not None, told.stdout
    assert 10 * float(level[1]) <= MOST_EXPOSED

    text = analyze.read_text("utf-8")
    analyze.write_text(re.sub(r"^(SystemCall\w+|Protect\w+)=.*", "", text, flags=re.M), "utf-8")
    assert 0 != systemd(*options, f"--threshold={MOST_EXPOSED}", str(analyze)).returncode


def test_service_is_back_within_ten_seconds_and_for_good() -> None:
    """Whatever ended it; with what it takes to start, on two cores."""
    found = unit()

    assert ["always"] == found["Restart"]
    assert ["0"] == found["StartLimitIntervalSec"]
    assert float(found["RestartSec"][0]) <= 3.0


def test_watchdog_waits_for_several_signs_of_life() -> None:
    """One that comes late on a busy machine ends nothing; a lane that is stuck is found after."""
    patience_s = float(unit()["WatchdogSec"][0])

    assert patience_s >= 10 * PERIOD_S
    assert STUCK_S >= 20.0


def test_processes_that_time_relays_can_close_them() -> None:
    """Nothing but SIGTERM comes to them before they had the time to."""
    found = unit()

    assert ["control-group"] == found["KillMode"]
    assert ["SIGTERM"] == found["KillSignal"] == found["WatchdogSignal"]
    assert float(found["TimeoutStopSec"][0]) >= 5.0
    assert "SendSIGKILL" not in found


def test_clock_can_be_asked_and_not_set() -> None:
    """The question is a system call that setting is, too; what it takes to set is not there."""
    found = unit()

    assert "adjtimex clock_adjtime" in found["SystemCallFilter"]
    assert [""] == found["CapabilityBoundingSet"] == found["AmbientCapabilities"]
    assert "ProtectClock" not in found


def test_decoders_may_deny_themselves_files() -> None:
    """Systemd of the present long-term releases does not let a service ask for Landlock."""
    calls = " ".join(unit()["SystemCallFilter"][2:]).split()

    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= {*calls}


def test_memory_goes_into_no_file() -> None:
    """Neither a dump nor swap, and every file is for its owner alone."""
    found = unit()

    assert (["0"], ["0"], ["0077"], ["0700"]) == (
        found["LimitCORE"], found["MemorySwapMax"], found["UMask"], found["StateDirectoryMode"],
    )  # fmt: skip


def test_console_goes_and_comes_with_the_service() -> None:
    """Nothing has the store open while an upgrade changes it; and the lanes come first."""
    text = (ROOT / "packaging/postern-console.service").read_text("utf-8")

    assert {"After=postern.service", "PartOf=postern.service", "WantedBy=postern.service"} <= set(
        text.splitlines()
    )
    assert re.search(r"^Nice=[1-9]", text, re.M)
    assert re.search(r"^MemoryMax=", text, re.M)


def test_console_leaves_less_exposed_than_the_service(tmp_path: Path) -> None:
    """It needs no camera and no relay; what systemd reckons is the network."""
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze")
    copy = tmp_path / "postern-console.service"
    text = (ROOT / "packaging/postern-console.service").read_text("utf-8")
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), "utf-8")
    told = systemd("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(copy))

    assert 0 == told.returncode, told.stdout
    assert "DeviceAllow" not in text
