"""What a decoding process denies itself before it touches what a stranger sent.

A picture or stream that takes the decoder over finds a process that may write no file, start no
program, take no more memory than a stream needs, dies with its parent, and before it where the
machine has no memory left.
"""

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from postern.core.errors import Code, PosternError
from postern.process import keep_memory_private

#: Bytes of data (not of libraries): sixteen reference pictures of 4K and what else H.264 asks for
#: are some 300 MB.
MOST_MEMORY = 768 * 1024 * 1024
#: Files and connections: an RTSP connection takes ten.
MOST_FILES = 64
#: More than decisions: pictures may wait for them, not they for pictures.
_NICE = 5
#: The most that it can be (proc_pid_oom_score_adj(5)).
_FIRST_TO_GO = "1000"
#: prctl(2).
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def confine(parent: int) -> None:
    """Sets the limits of this process, for good.

    Args:
        parent: The process that started it: where that is gone already, so is this one.

    Raises:
        PosternError: `unavailable` where the system refuses.
    """
    with suppress(OSError):  # Where the system has no such thing, it chooses by itself.
        # Now: once its memory is private, so are its settings.
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")
    try:
        keep_memory_private()
        _limit(resource.RLIMIT_DATA, MOST_MEMORY)
        _limit(resource.RLIMIT_FSIZE, 0)
        _limit(resource.RLIMIT_NOFILE, MOST_FILES)
        library = ctypes.CDLL(None, use_errno=True)
        for option, value in (
            (_PR_SET_PDEATHSIG, signal.SIGKILL),
            (_PR_SET_NO_NEW_PRIVS, 1),
        ):
            if library.prctl(option, value, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        os.nice(_NICE)
    except (OSError, ValueError) as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The decoding process cannot be confined: {error}."
        ) from None
    if os.getppid() != parent:
        os._exit(1)


def resident_bytes(process: int) -> int:
    """The memory that a process holds, in bytes; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text("ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * resource.getpagesize()


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
