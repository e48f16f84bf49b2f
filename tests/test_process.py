"""The process's memory: in no dump, read by nobody, and without templates that were wiped."""

import ctypes
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from postern.vault.quantise import quantise
from postern.vault.vault import open_vault
from tests.needs import missing
from tests.people import ALICE
from tests.vault.samples import FACE_1, template, values

_PRIVATE = """
import os, resource, sys
from postern.process import keep_memory_private
before = resource.getrlimit(resource.RLIMIT_CORE), open("/proc/self/status").read()
keep_memory_private()
keep_memory_private()
import ctypes
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
for line in open("/proc/self/limits"):
    if line.startswith("Max core"):
        print(line.split())
sys.stdout.flush()
os.abort()
"""

#: Opens a reference, wipes what it was given if told to, and waits to be looked into.
_OPENS = """
import sys
from pathlib import Path
from postern.core.ids import CredentialId, PersonId
from postern.vault.seal import Sealed
from postern.vault.vault import open_vault
folder, person, credential, blob, wipe = sys.argv[1:]
vault = open_vault(Path(folder), 1)
sealed = Sealed(CredentialId(credential), PersonId(person), bytes.fromhex(blob))
opened = [vault.open(sealed) for _ in range(3)]
if wipe == "wipe":
    for one in opened:
        one.values.fill(0)
if wipe == "reseal":
    for one in opened:
        one.values.fill(0)
    vault.begin_epoch()
    vault.reseal(sealed)
if wipe == "reissue":
    for one in opened:
        one.values.fill(0)
    vault.reissue(sealed, CredentialId("face-2"))
    vault.begin_epoch()
    vault.reissue(sealed, CredentialId("face-3"))
if wipe == "seal":
    vault.seal(CredentialId("face-2"), PersonId(person), opened[0])
    for one in opened:
        one.values.fill(0)
print("ready", flush=True)
sys.stdin.read()
"""
#: Bytes. Long enough that chance does not hit, short enough that a heap's bookkeeping over the
#: beginning of what was given back does not hide the rest.
WINDOW = 16
#: Taken from all over a form.
PIECES = 6


def test_process_writes_no_core_dump(tmp_path: Path) -> None:
    """The limit is zero for good, the process is not dumpable, and aborting leaves no file."""
    limited = f"ulimit -S -c 1000000; exec {sys.executable} -c '{_PRIVATE}'"
    ended = subprocess.run(
        ["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ["(0, 0) 0", "['Max', 'core', 'file', 'size', '0', '0', 'bytes']"] == (
        ended.stdout.splitlines()
    )
    assert -6 == ended.returncode
    assert [] == list(tmp_path.iterdir())


def test_every_command_keeps_its_memory_private(tmp_path: Path) -> None:
    """Whatever is called; seen from outside, in the limits that the kernel shows."""
    program = (
        "import atexit, sys; sys.argv = ['postern', '--version'];"
        "atexit.register(lambda: print(*[l for l in open('/proc/self/limits') if 'core' in l]));"
        "from postern.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ["0", "0", "bytes"] == ended.stdout.split()[-3:]
    assert 0 == ended.returncode


@pytest.mark.parametrize("what", ["keep", "wipe", "reseal", "reissue", "seal"])
def test_memory_holds_no_template_that_was_wiped(tmp_path: Path, what: str) -> None:
    """A process that opened a reference, and wiped what it got, is searched from end to end for
    any piece of the vector: plain, rotated, and in whole steps. One that keeps it is found out."""
    vault = open_vault(tmp_path)
    sealed = vault.seal(FACE_1, ALICE, template())
    opened = values(vault.open(sealed))
    again = values(vault.rotate(replace(template(), values=opened)))
    vault.close()
    forms = {
        "rotated": opened.tobytes(),
        "rotated float64": opened.astype(np.float64).tobytes(),
        "steps": quantise(opened).levels.tobytes(),
        "plain": values(template()).tobytes(),
        "rotated again": again.tobytes(),
    }
    child = subprocess.Popen(
        [sys.executable, "-c", _OPENS, tmp_path, ALICE, FACE_1, sealed.blob.hex(), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert "ready\n" == child.stdout.readline()
    memory = _memory(child.pid)
    child.communicate("")

    assert 0 == child.returncode
    found = {name for name, form in forms.items() if _holds(memory, form)}
    assert ({"rotated"} if what == "keep" else set()) == found


def _memory(process: int) -> bytes:
    """Everything that a process may write to."""
    pieces = []
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(at, 16) for at in span.split("-"))
            memory.seek(start)
            try:
                pieces.append(os.read(memory.fileno(), end - start))
            except OSError:
                continue  # Not all that is mapped is there.
    return b"".join(pieces)


def _holds(memory: bytes, form: bytes) -> bool:
    step = (len(form) - WINDOW) // (PIECES - 1)
    return any(form[at : at + WINDOW] in memory for at in range(0, len(form) - WINDOW + 1, step))


_BLOCKS = """
import ctypes, sys
from postern.process import keep_memory_small
if sys.argv[1] == "small":
    keep_memory_small()
library = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]
library.mallinfo2.restype = Info
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
before = library.mallinfo2().hblks
library.free(library.malloc(10_000_000))
library.malloc(10_000_000)
print(library.mallinfo2().hblks - before)
"""


@pytest.mark.parametrize(("how", "blocks"), [("small", "1"), ("usual", "0")])
def test_large_blocks_are_given_back(how: str, blocks: str) -> None:
    """A second block of the same size is one of its own, too, and not a hole in the heap."""
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        missing("mallinfo2 (glibc 2.33)")
    said = subprocess.run(
        [sys.executable, "-c", _BLOCKS, how], capture_output=True, text=True, check=True
    )

    assert blocks == said.stdout.strip()
