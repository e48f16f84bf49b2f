"""Stands between FFmpeg's RTSP client and the camera, and keeps the camera to what it may say.

FFmpeg follows a camera that sends it elsewhere, and reads headers that never end. Here it reaches
nothing but a port of this machine; what comes over the one connection that was made for it is
handed on once it has been looked at, up to the first media data. From there on bytes pass as they
are.
"""

import re
import socket
from contextlib import suppress
from threading import Lock, Thread

from postern.core.errors import Code, PosternError

#: Bytes of an answer's head, and of its body (a description of a stream takes a few hundred).
MOST_HEAD, MOST_BODY = 16 * 1024, 256 * 1024
_CHUNK = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})[ \r]")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)
#: The first byte of media data between answers (RFC 2326, section 10.12), and of every answer.
_DOLLAR, _ANSWER = b"$", b"RTSP/"
_REASONS = {
    401: ("wants another user or password", "Set `user` and `password_file`."),
    403: ("lets this user see nothing", "Give the user the right to view."),
    404: ("knows no such stream", "Look up its path in the camera's manual."),
    453: ("has no more room for another viewer", "Close another viewer."),
    461: ("sends no stream over TCP", "Switch RTSP over TCP on in the camera."),
}


class Relay:
    """One connection, looked at on its way.

    Args:
        camera: The connection to the camera.
        name: What to call it in errors.
    """

    def __init__(self, camera: socket.socket, name: str) -> None:
        self._camera = camera
        self._name = name
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._lock = Lock()  # Guards the next.
        self._refusal: PosternError | None = None
        self._asked = False  # Belongs to the thread that hands on.

    @property
    def port(self) -> int:
        """Where FFmpeg finds it on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    @property
    def refusal(self) -> PosternError | None:
        """What was wrong with what the camera said, if anything was."""
        with self._lock:
            return self._refusal

    def start(self) -> None:
        """Begins to hand on, in threads of its own, to the first who connects."""
        Thread(target=self._run, name="relay", daemon=True).start()

    def _run(self) -> None:
        player, _ = self._listener.accept()
        self._listener.close()
        Thread(target=_copy, args=(player, self._camera), name="relay-up", daemon=True).start()
        try:
            self._hand_on(player)
        except PosternError as error:
            with self._lock:
                self._refusal = error
        except OSError:
            pass  # Either side has gone: FFmpeg sees the end of it.
        finally:
            for end in (player, self._camera):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _hand_on(self, player: socket.socket) -> None:
        """Answer after answer, each whole; then media data as they come."""
        answer, waiting = self._answer(b"")
        while answer:
            player.sendall(answer)
            answer, waiting = self._answer(waiting)
        if waiting:
            player.sendall(waiting)
            _copy(self._camera, player)

    def _answer(self, waiting: bytes) -> tuple[bytes, bytes]:
        """The next answer, and what came behind it; no answer where media data come, or where
        nothing does any more."""
        while waiting.startswith(_DOLLAR) or b"\r\n\r\n" not in waiting:
            if waiting.startswith(_DOLLAR):
                return b"", waiting
            self._check_beginning(waiting)
            if len(waiting) > MOST_HEAD:
                raise self._wrong("sends a header that does not end")
            more = self._camera.recv(_CHUNK)
            if not more:
                return b"", b""
            waiting += more
        head, _, rest = waiting.partition(b"\r\n\r\n")
        head += b"\r\n\r\n"
        self._check_beginning(head)
        self._check_status(head)
        length = self._length(head)
        while len(rest) < length:
            more = self._camera.recv(_CHUNK)
            if not more:
                return b"", b""
            rest += more
        return head + rest[:length], rest[length:]

    def _check_beginning(self, answer: bytes) -> None:
        if answer and not answer.startswith(_ANSWER[: len(answer)]):
            raise self._wrong(
                "does not answer as a camera does (RTSP)", "Check the address and its port."
            )

    def _check_status(self, head: bytes) -> None:
        found = _STATUS.match(head)
        if found is None:
            raise self._wrong("answers with something that is not RTSP")
        status = int(found.group(1))
        if 300 <= status < 400:
            raise self._wrong(
                "sends its viewers elsewhere, which is not followed",
                "Set the address that it names, if that is yours.",
            )
        # The first 401 asks who is there; the client answers, and the second is a refusal.
        if status in _REASONS and (status != 401 or self._asked_before()):
            raise self._wrong(*_REASONS[status])

    def _asked_before(self) -> bool:
        before, self._asked = self._asked, True
        return before

    def _length(self, head: bytes) -> int:
        found = _LENGTH.search(head)
        length = int(found.group(1)) if found else 0
        if length > MOST_BODY:
            raise self._wrong("sends a description that is too long")
        return length

    def _wrong(self, how: str, hint: str = "") -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"{self._name} {how}.", hint)


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes, until either side has gone."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
