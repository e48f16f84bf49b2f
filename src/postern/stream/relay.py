"""Stands between FFmpeg's RTSP client and the camera, and keeps the camera to what it may say.

FFmpeg follows a camera that sends it elsewhere, and reads headers that never end. Here it reaches
nothing but a port of this machine; what comes over the one connection that was made for it is
handed on once it has been looked at.

Rules of this file:
1. Answers are taken apart as FFmpeg does it: lines end at a line feed, carriage returns count for
   nothing, the first empty line ends a head, and media data may stand between answers. Whatever the
   two could understand differently is refused: a redirect could hide in it.
2. Once FFmpeg has asked for the pictures it follows nobody. From the first media data after that
   bytes pass as they are.
3. FFmpeg tells a password in the clear to whoever asks for it so. That passes over an encrypted
   connection only, and where the operator said that it may.
"""

import re
import socket
from contextlib import suppress
from threading import Event, Lock, Thread

from postern.core.errors import Code, PosternError
from postern.stream.encrypted import Encrypted

#: Bytes of an answer's head, and of its body (a description of a stream takes a few hundred).
MOST_HEAD, MOST_BODY = 16 * 1024, 256 * 1024
_CHUNK = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})(?: |\Z)")
_END_OF_HEAD = re.compile(rb"\n\r*\n")
_LENGTH, _NUMBER = b"content-length:", re.compile(rb"[ \t]*(\d{1,9})[ \t]*")
#: The first byte of media data between answers, and how many stand before them: a channel and their
#: length (RFC 2326, section 10.12). Then what every answer begins with.
_DOLLAR, _BEFORE_MEDIA, _ANSWER = b"$", 4, b"RTSP/"
#: How FFmpeg asks for the pictures; each of its requests is sent, and comes, by itself.
_PLAY = b"PLAY "
#: How it tells a password that anybody can read on the way (RFC 7617).
_IN_THE_CLEAR = b"\nAuthorization: Basic "
_ASKS_IN_THE_CLEAR = (
    "wants the password in the clear, and was not told it",
    "Switch digest authentication on in the camera, or encryption, and write rtsps:// then; where "
    "it knows neither, and nobody else is on its network, set password_in_clear = true.",
)
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
        listener: Where FFmpeg finds it; closed once somebody has connected.
        camera: The connection to the camera.
        name: What to call it in errors.
        in_clear: Whether FFmpeg may tell the password in the clear.
    """

    def __init__(
        self,
        listener: socket.socket,
        camera: socket.socket | Encrypted,
        name: str,
        *,
        in_clear: bool = False,
    ) -> None:
        self._listener = listener
        self._camera = camera
        self._name = name
        self._in_clear = in_clear
        self._lock = Lock()  # Guards the next.
        self._refusal: PosternError | None = None
        self._asked = False  # Belongs to the thread that hands on.
        self._playing = Event()

    @property
    def refusal(self) -> PosternError | None:
        """What was wrong with what the camera said, if anything was."""
        with self._lock:
            return self._refusal

    def start(self) -> None:
        """Begins to hand on, in threads of its own, to the first who connects."""
        Thread(target=self._run, name="relay", daemon=True).start()

    def _run(self) -> None:
        with self._listener:
            player, _ = self._listener.accept()
        with player:
            Thread(target=self._ask, args=(player,), name="relay-up", daemon=True).start()
            try:
                self._hand_on(player)
            except PosternError as error:
                self._refuse(error)
            except OSError:
                pass  # Either side has gone: FFmpeg sees the end of it.
            finally:
                self._end(player)

    def _refuse(self, why: PosternError) -> None:
        with self._lock:
            self._refusal = self._refusal or why

    def _end(self, player: socket.socket) -> None:
        for end in (player, self._camera):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _ask(self, player: socket.socket) -> None:
        """Hands on what FFmpeg asks, and notes when that is for the pictures."""
        with suppress(OSError):
            while request := player.recv(_CHUNK):
                if _IN_THE_CLEAR in request and not self._in_clear:
                    self._refuse(self._wrong(*_ASKS_IN_THE_CLEAR))
                    break
                if request.startswith(_PLAY):
                    self._playing.set()  # Before the camera can answer.
                self._camera.sendall(request)
        self._end(player)

    def _hand_on(self, player: socket.socket) -> None:
        """Answer after answer, each whole; then media data as they come."""
        part, waiting = self._part(b"")
        while part:
            player.sendall(part)
            part, waiting = self._part(waiting)
        player.sendall(waiting)
        _copy(self._camera, player)

    def _part(self, waiting: bytes) -> tuple[bytes, bytes]:
        """The next answer or piece of media data, and what came behind it; nothing and what waits
        from where on it need not be looked at."""
        waiting = self._until(waiting, 1)
        if waiting.startswith(_DOLLAR):
            return self._media(waiting)
        while (end := _END_OF_HEAD.search(waiting)) is None:
            self._check_beginning(waiting)
            if len(waiting) > MOST_HEAD:
                raise self._wrong(
                    "sends a header that does not end", "Check the address and its port."
                )
            waiting = self._until(waiting, len(waiting) + 1)
        self._check_beginning(waiting)
        lines = waiting[: end.start()].replace(b"\r", b"").split(b"\n")
        self._check_status(lines[0])
        size = end.end() + self._length(lines)
        waiting = self._until(waiting, size)
        return waiting[:size], waiting[size:]

    def _media(self, waiting: bytes) -> tuple[bytes, bytes]:
        if self._playing.is_set():
            return b"", waiting
        waiting = self._until(waiting, _BEFORE_MEDIA)
        size = _BEFORE_MEDIA + int.from_bytes(waiting[2:_BEFORE_MEDIA], "big")
        waiting = self._until(waiting, size)
        return waiting[:size], waiting[size:]

    def _until(self, waiting: bytes, size: int) -> bytes:
        """What waits, once there is so much of it; OSError where the camera has gone."""
        while len(waiting) < size:
            more = self._camera.recv(_CHUNK)
            if not more:
                raise ConnectionError
            waiting += more
        return waiting

    def _check_beginning(self, answer: bytes) -> None:
        if answer and not answer.startswith(_ANSWER[: len(answer)]):
            raise self._wrong(
                "does not answer as a camera does (RTSP)", "Check the address and its port."
            )

    def _check_status(self, line: bytes) -> None:
        found = _STATUS.match(line)
        if found is None:
            raise self._no_rtsp()
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

    def _length(self, lines: list[bytes]) -> int:
        given = [line[len(_LENGTH) :] for line in lines if line.lower().startswith(_LENGTH)]
        found = [_NUMBER.fullmatch(number) for number in given]
        lengths = {int(one.group(1)) for one in found if one}
        # Of several FFmpeg takes the last; and a NUL ends a line for it.
        if None in found or len(lengths) > 1 or any(b"\0" in line for line in lines):
            raise self._no_rtsp()
        length = max(lengths, default=0)
        if length > MOST_BODY:
            raise self._wrong("sends a description that is too long")
        return length

    def _no_rtsp(self) -> PosternError:
        return self._wrong(
            "answers with something that is not RTSP", "Check the address and its port."
        )

    def _wrong(self, how: str, hint: str = "") -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"{self._name} {how}.", hint)


def _copy(source: socket.socket | Encrypted, target: socket.socket) -> None:
    """Everything that comes, until either side has gone."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
