"""A camera's pictures, decoded in a process of its own.

What a stranger sends is touched there and nowhere else. That process is ended, whatever it does,
where it holds too much memory or whoever asked has enough; the next one begins anew.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import cast

import postern
from postern.core.errors import Code, PosternError
from postern.stream.confine import MOST_MEMORY, resident_bytes
from postern.stream.job import Job
from postern.stream.taken import Taken, read_taken

#: Seconds that a process which was told to end gets.
_END_S = 1.0
#: Pictures between two looks at how much memory it holds, and how fast they come. Its own limits
#: come first; these hold where those were got around.
_PICTURES = 50
#: How many times as many pictures as were asked for are too many: reading them keeps this process
#: from deciding.
_FLOOD = 4.0
#: Nothing of this process's own environment, which may name secrets. The code is the same as here,
#: and takes one thread: a dozen cameras share two cores.
_ENVIRONMENT = {
    "PYTHONPATH": str(Path(postern.__file__).parents[1]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class Decoder:
    """One process for one camera, from the first picture to `close`.

    Args:
        job: What to decode.
        connection: The connection to the camera, where it is made already; handed over.
    """

    def __init__(self, job: Job, connection: socket.socket | None = None) -> None:
        self._job = job
        self._connection = connection
        self._lock = Lock()  # Guards what follows.
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def pictures(self) -> Iterator[Taken]:
        """The pictures as they come, until the stream ends or `close` is called.

        Raises:
            PosternError: `unavailable` with what went wrong with the camera, or where the process
                died.
        """
        with self._lock:
            if self._closed:
                return
            process = self._process = self._start()
        out = cast(BufferedReader, process.stdout)
        try:
            count, since_s = 0, monotonic()
            while (taken := read_taken(out)) is not None:
                yield taken
                count += 1
                if count % _PICTURES == 0:
                    self._check(process.pid, monotonic() - since_s)
                    since_s = monotonic()
            if not self._closed:
                raise self._died(_how(process))
        finally:
            self.close()
            _let_go(process)

    def close(self) -> None:
        """Ends the process, from any thread; safe to call twice."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
            elif self._connection is not None:
                self._connection.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        handed = self._connection
        arguments = [sys.executable, "-P", "-m", "postern.stream", str(os.getpid())]
        if handed is not None:
            arguments.append(str(handed.fileno()))
        try:
            process = subprocess.Popen(  # noqa: S603 - this very program
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=() if handed is None else (handed.fileno(),),
                env=_ENVIRONMENT,
                # Ctrl-C at a terminal is not for it. In a session of its own its niceness would
                # count for nothing: Linux gives each session its share (autogroup, sched(7)).
                process_group=0,
            )
        except OSError as error:
            raise PosternError(
                Code.UNAVAILABLE, f"No process can be started to decode: {error.strerror}."
            ) from None
        finally:
            if handed is not None:
                handed.close()
        with suppress(OSError):  # It died at once, and its end says so.
            assert process.stdin is not None  # noqa: S101 - asked for above
            process.stdin.write(self._job.encode())
            process.stdin.flush()
        return process

    def _check(self, process: int, took_s: float) -> None:
        """Ends a process that does not keep to its limits, at every `_PICTURES`th picture."""
        if resident_bytes(process) > 2 * MOST_MEMORY:
            raise self._died("took too much memory")
        if took_s * self._job.most_fps * _FLOOD < _PICTURES and self._job.most_fps:
            raise self._died("gave more pictures than it was asked for")

    def _died(self, how: str) -> PosternError:
        return PosternError(
            Code.UNAVAILABLE,
            f"{self._job.name}: what decodes its pictures {how}; it is started anew.",
        )


def _let_go(process: "subprocess.Popen[bytes]") -> None:
    """Closes both ends of a process that was ended. Only whoever read from it may do so."""
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)


def _how(process: "subprocess.Popen[bytes]") -> str:
    try:
        status = process.wait(_END_S)
    except subprocess.TimeoutExpired:
        return "fell silent"
    return f"was ended by signal {-status}" if status < 0 else "ended without a word"
