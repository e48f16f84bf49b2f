"""The decoding process: `python -m postern.stream PARENT [CONNECTION]`, its job on standard input.

It says what it finds on standard output, and nothing else anywhere. It may
read no file but its own code from before it touches what a stranger sent.
"""

import errno
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import assert_never
from urllib.parse import quote

import av

from postern.core.errors import Code, PosternError, invalid
from postern.stream.confine import confine
from postern.stream.encrypted import Encrypted
from postern.stream.hardware import Accelerator, accelerator, read_by
from postern.stream.job import MOST_JOB, Decoded, Job, Means, write_failure, write_picture
from postern.stream.landlock import deny_files
from postern.stream.relay import Relay
from postern.stream.trust import disbelief, named, trusted
from postern.stream.video import open_container, pictures

#: What is asked of FFmpeg for a camera on the network. The first: pictures at once, not after the
#: five seconds in which it would find out the rate of a slow camera; the second: microseconds for
#: its own reads, longer than whoever started this process waits for a picture.
_RTSP_OPTIONS = {
    "analyzeduration": "1",
    "timeout": "15000000",
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,tcp",
}
#: Why a device cannot be opened, by the system's number.
_DEVICE_REASONS = {
    errno.EACCES: ("may not be opened by this user", "Add the user to the group 'video'."),
    errno.EPERM: ("may not be opened by this user", "Add the user to the group 'video'."),
    errno.EBUSY: ("is in use", "Close the program that uses it."),
    errno.ENOTTY: ("is no camera", ""),
    errno.ENODEV: ("gives no pictures", "Cameras often have a second node for metadata only."),
}


def main() -> None:
    """Decodes until the stream ends, or whoever started this."""
    parent = int(sys.argv[1])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        confine(parent)
        job = Job.decode(sys.stdin.buffer.readline(MOST_JOB))
        for decoded in _pictures(job):
            write_picture(out, decoded)
        write_failure(out, _unavailable(job, "has stopped sending"))
    except PosternError as error:
        write_failure(out, error)
    except MemoryError:
        write_failure(out, invalid("A camera's stream takes too much memory to decode."))
    except BrokenPipeError:
        pass  # Nobody wants them any more.
    finally:
        os._exit(0)  # At once, whatever other threads wait for.


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _pictures(job: Job) -> Iterator[Decoded]:
    match job.means:
        case Means.SNAPSHOT:
            # Whoever streams needs no HTTP, and there are many of them.
            from postern.stream.snapshot import Snapshots  # noqa: PLC0415

            snapshots = Snapshots(job)
            _deny_files((), (job.port,))
            return snapshots.pictures()
        case Means.RTSP:
            return _streamed(job)
        case Means.DEVICE:
            _deny_files((Path(job.target),), ())
            return _decoded(job, job.target, job.options, None)
        case _:
            assert_never(job.means)


def _deny_files(
    devices: tuple[Path, ...], ports: tuple[int, ...], readable: tuple[Path, ...] = ()
) -> None:
    # Libraries load parts of themselves when they need them; there is nothing to know in code.
    code = (Path(entry) for entry in sys.path if entry)
    deny_files(devices, ports, (*code, *readable))
    # Not earlier: threads that are there already are denied nothing. The end of standard input is
    # the end of whoever asked.
    Thread(target=_leave_with_parent, name="parent", daemon=True).start()


def _streamed(job: Job) -> Iterator[Decoded]:
    """The pictures of an RTSP stream, over the connection that was handed over."""
    context = trusted(job.authority) if job.secure else None
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    port = int(listener.getsockname()[1])
    found = accelerator() if job.hardware else None
    _deny_files(found.paths if found else (), (port,), read_by(found))
    connection = socket.socket(fileno=int(sys.argv[2]))
    secured = _secured(connection, context, job) if context else connection
    relay = Relay(listener, secured, job.name, in_clear=job.in_clear or job.secure)
    relay.start()
    who = f"{quote(job.user, safe='')}:{quote(job.password, safe='')}@" if job.user else ""
    url = f"rtsp://{who}127.0.0.1:{port}{job.target}"
    try:
        yield from _decoded(job, url, _RTSP_OPTIONS, found)
    except PosternError as error:
        raise relay.refusal or error from None
    if relay.refusal:
        raise relay.refusal


def _secured(connection: socket.socket, context: ssl.SSLContext, job: Job) -> Encrypted:
    try:
        return Encrypted(context.wrap_socket(connection, server_hostname=named(job.host)))
    except (OSError, ValueError) as error:
        raise _unavailable(job, *disbelief(error)) from None


def _decoded(
    job: Job, url: str, options: Mapping[str, str], hardware: Accelerator | None
) -> Iterator[Decoded]:
    pace = Pace(job.most_fps)
    try:
        container = open_container(
            url,
            options=dict(options),
            kind=job.format or None,
            hardware=hardware.open() if hardware else None,
        )
    except av.FFmpegError as error:
        raise _unopened(job, error) from None
    with container:
        for picture in pictures(container, job.name, tolerant=True, due=pace.due):
            yield Decoded(picture.pixels, pace.arrived_s, picture.time_s)


class Pace:
    """Passes pictures over that come faster than they are wanted.

    Args:
        most_fps: How many a second are wanted; 0 for all.
    """

    def __init__(self, most_fps: float) -> None:
        # A little less than the step, so that a camera of just this rate loses none to jitter.
        self._step_s = 0.8 / most_fps if most_fps else 0.0
        self.arrived_s = float("-inf")

    def due(self) -> bool:
        """Whether the picture that has just come is wanted; then it is the last one."""
        now_s = time.monotonic()
        wanted = now_s - self.arrived_s >= self._step_s
        if wanted:
            self.arrived_s = now_s
        return wanted


def _unopened(job: Job, error: av.FFmpegError) -> PosternError:
    number = error.errno or 0
    if job.means is Means.DEVICE and number in _DEVICE_REASONS:
        return _unavailable(job, *_DEVICE_REASONS[number])
    if isinstance(error, av.HTTPUnauthorizedError):
        return _unavailable(
            job, "wants another user or password", "Set `user` and `password_file`."
        )
    return _unavailable(job, f"cannot be opened ({error.strerror})")


def _unavailable(job: Job, how: str, hint: str = "") -> PosternError:
    return PosternError(Code.UNAVAILABLE, f"{job.name} {how}.", hint)


if __name__ == "__main__":
    main()
