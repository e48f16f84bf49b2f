"""A command in a process of its own, whose every file goes below one folder, under strace."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROGRAM = "import sys; sys.argv[0] = 'postern'; from postern.cli import main; main()"
_SOURCE = Path(__file__).parents[2] / "src"
#: What makes, names or fills a file, and what reaches out.
_CALLS = (
    "open,openat,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,"
    "memfd_create,connect,sendto,sendmsg,sendmmsg,bind"
)
_TRACE = "calls.txt"
#: Families of sockets that do not leave the machine: other programs on it, the kernel itself.
_LOCAL = ("AF_UNIX", "AF_NETLINK", "AF_UNSPEC")


def start(home: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Starts a command of Postern; its streams go to `out.txt` and `err.txt`.

    No mask hides how open it makes its files.

    Args:
        home: The folder that it runs in; has `user` and `temporary`, which it takes for its home
            and for temporary files.
        arguments: What follows `postern`.
    """
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    if strace := shutil.which("strace"):
        # As a grandchild, so that a signal to the child reaches the program itself.
        options = ["-D", "-f", "--seccomp-bpf", "-s", "256", "-o", str(home / _TRACE)]
        command = [strace, *options, "-e", f"trace={_CALLS}", *command]
    with (home / "out.txt").open("wb") as out, (home / "err.txt").open("wb") as err:
        return subprocess.Popen(
            command, cwd=home, env=_environment(home), stdout=out, stderr=err, umask=0
        )


def calls(home: Path) -> tuple[str, ...] | None:
    """What a command that has ended called, line by line; None without strace."""
    trace = home / _TRACE
    if not trace.exists():
        return None
    deadline = time.monotonic() + 10.0
    while "+++ exited" not in (text := trace.read_text("utf-8", "replace"))[-200:]:
        assert time.monotonic() < deadline, text[-200:]
        time.sleep(0.05)
    return tuple(text.splitlines())


def whole(lines: Iterable[str]) -> Iterator[str]:
    """Calls in one line each, where strace cut one in two because another thread called meanwhile.

    What was still under way at the end counts as done.
    """
    begun: dict[str, str] = {}
    for line in lines:
        thread = line.partition(" ")[0]
        if cut := re.fullmatch(r"(.*?) *<unfinished \.\.\.>", line):
            begun[thread] = cut[1]
        elif rest := re.fullmatch(r"\d+ +<\.\.\. \w+ resumed>(.*)", line):
            yield begun.pop(thread, "") + rest[1]
        else:
            yield line
    yield from (f"{line}) = 0" for line in begun.values())


def reached(lines: tuple[str, ...]) -> Iterator[str]:
    """Every address that was reached for: an IP address with its port, or the socket's family."""
    for line in lines:
        call = re.search(r"(?:connect|sendto|sendmsg|sendmmsg|bind)\(\d+, .*sa_family=(\w+)", line)
        if call is None or call[1] in _LOCAL:
            continue
        port = re.search(r"_port=htons\((\d+)\)", line)
        host = re.search(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"', line)
        yield f"{host[1]}:{port[1]}" if host and port else call[1]


def _environment(home: Path) -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
    return {
        **{name: value for name, value in os.environ.items() if name in kept},
        "POSTERN_MODELS": str(home / "models"), "HOME": str(home / "user"),
        "TMPDIR": str(home / "temporary"), "PYTHONPATH": str(_SOURCE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
