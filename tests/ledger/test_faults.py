"""System calls fail, and the log keeps its promises; and they come in the promised order."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postern.core.event import Changed
from tests.ledger.faults import Site
from tests.needs import missing

#: The whole of it takes minutes: python -m tests.ledger.faults.
EVERY = 25
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,rename,unlink"
LINE = re.compile(r"(?P<call>\w+)\((?:\d+<)?\"?(?P<path>[^\">]*)[\">](?P<rest>.*)")

#: Opens a log in which another process has written, and says how much there is.
TAKES_IN = """
import sys
from pathlib import Path
from tests.ledger.faults import Site
site = Site(Path(sys.argv[1]))
site.note("acks", str(site.open().size()))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail."""
    compiler = shutil.which("cc")
    if compiler is None:
        missing("a C compiler")
    built = tmp_path_factory.mktemp("shim") / "fault.so"
    source = Path(__file__).with_name("fault.c")
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    subprocess.run([str(compiler), *flags, "-o", built, source, "-ldl"], check=True)
    return built


def test_log_keeps_its_promises_whichever_system_call_fails(shim: Path, tmp_path: Path) -> None:
    """It fails, or is done and reported as failed, or is the last one, or the disk is gone."""
    memory = Path("/dev/shm")  # noqa: S108 - nothing secret, and much faster than a disk
    folder = memory if os.access(memory, os.W_OK) else tmp_path
    run = subprocess.run(
        [sys.executable, "-m", "tests.ledger.faults", "--every", str(EVERY)],
        env=os.environ | {"LD_PRELOAD": str(shim), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == run.returncode, run.stdout + run.stderr
    done = json.loads(run.stdout)
    for call in ("write", "pwrite", "fsync", "fdatasync", "rename", "open"):
        for how in ("fail", "late", "die", "down"):
            assert done[f"{call} {how}"]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Every call of a quiet day that changes a file: call, path below the folder, the rest."""
    folder = tmp_path_factory.mktemp("traced")
    return traced_calls(folder, "-m", "tests.ledger.faults", "--once", str(folder))


def traced_calls(folder: Path, *program: str) -> list[tuple[str, str, str]]:
    """What Python, given these arguments, calls that changes a file below the folder."""
    strace = shutil.which("strace")
    if strace is None:
        missing("strace")
    trace = folder / "trace"
    options = ["-f", "-y", "-qq", "-s", "200", "-e", f"trace={CALLS}", "-o", str(trace)]
    command = [str(strace), *options, sys.executable, *program]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if "PTRACE" in run.stderr:
        missing("the right to trace a process")
    assert 0 == run.returncode, run.stderr
    return list(calls(trace.read_text(), str(folder)))


def calls(trace: str, folder: str) -> Iterator[tuple[str, str, str]]:
    for line in trace.splitlines():
        found = LINE.search(line)
        if found and found["path"].startswith(folder):
            yield found["call"], found["path"].removeprefix(f"{folder}/"), found["rest"]


def test_nothing_is_acknowledged_before_it_is_synced(traced: list[tuple[str, str, str]]) -> None:
    """Between the write of a frame and its acknowledgement lies an fdatasync of that segment.

    A kill cannot show this, for what was written survives it; a power cut would.
    """
    dirty: set[str] = set()
    acks = 0
    for call, path, _ in traced:
        if call == "pwrite64":
            dirty.add(path)
        elif call == "fdatasync":
            dirty.discard(path)
        elif path in ("acks", "pulses"):
            acks += 1
            assert not dirty
    assert acks > 20


def test_what_another_process_wrote_is_synced_before_it_is_built_upon(tmp_path: Path) -> None:
    """That process may have been killed between its write and its sync: whoever finds the entry
    makes it durable before saying that it is there."""
    site = Site(tmp_path)
    log = site.open()
    log.append(Changed(site.clock.now().utc, "thing", "p-1", "operator"))
    steps = [
        "said" if path == "acks" else call
        for call, path, _ in traced_calls(tmp_path, "-c", TAKES_IN, str(tmp_path))
        if path == "acks" or path.endswith(".segment")
    ]
    log.close()

    assert ["fdatasync", "said"] == steps[:2]
    assert site.noted("acks") == ["1"]


def test_segment_has_a_durable_name_before_it_has_entries(
    traced: list[tuple[str, str, str]],
) -> None:
    """The journal's folder is synced before the first frame goes into a new segment."""
    begun: set[str] = set()
    synced = False
    for call, path, _ in traced:
        if (call, path) == ("fsync", "ledger/journal"):
            synced = True
        elif call == "pwrite64" and path not in begun:
            assert synced
            begun.add(path)
            synced = False
    assert len(begun) >= 4


def test_checkpoint_comes_after_all_that_it_speaks_of(traced: list[tuple[str, str, str]]) -> None:
    """Tiles are synced, renamed, and their folders synced, before the checkpoint is renamed."""
    written: set[str] = set()
    unnamed: set[str] = set()
    checkpoints = 0
    for call, path, _ in traced:
        if call == "write" and path.endswith(".new"):
            written.add(path)
        elif call == "fsync":
            written.discard(path)
            unnamed = {folder for folder in unnamed if folder != path}
        elif call == "rename" and path.endswith(".new"):
            assert path not in written
            if path == "ledger/checkpoint.new":
                assert not unnamed
                checkpoints += 1
            elif path.startswith("ledger/tile"):
                unnamed.add(str(Path(path).parent))
    assert checkpoints > 4


def test_segment_is_renamed_durably_then_overwritten_durably_then_removed(
    traced: list[tuple[str, str, str]],
) -> None:
    """A crash at any point of expiry leaves a segment that is whole or known to be going."""
    steps: dict[str, list[str]] = {}
    for call, path, rest in traced:
        if call == "rename" and path.endswith(".segment"):
            steps[re.findall(r"ledger/journal/\d+\.destroyed", rest)[0]] = ["rename"]
        elif call == "fsync" and path == "ledger/journal":
            for done in steps.values():
                done.append("folder")
        elif path in steps:
            steps[path].append(call)
    assert steps
    for done in steps.values():
        assert ["rename", "folder", "write", "fsync", "unlink", "folder"] == done[:6]
