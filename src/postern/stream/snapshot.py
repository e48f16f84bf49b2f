"""One picture after the other from a camera's web address.

Nothing is followed, nothing is unpacked, and everything is bounded: the answer's size, its time,
and the picture's pixels before they are decoded.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus

import av
import httpx
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from postern.core.errors import Code, PosternError
from postern.pixels import MAX_PIXELS
from postern.stream.job import Decoded, Job
from postern.stream.trust import disbelief, named, trusted
from postern.stream.video import upright

#: Bytes of a picture.
MOST_BYTES = 20 * 1024 * 1024
#: Seconds for one picture, from the question to its last byte.
PICTURE_S = 3.0
#: What is said of a camera that wants its password in the clear, or in a way that nobody knows.
_UNKNOWN_QUESTION = (
    "asks for the password otherwise than by digest authentication, and was not told it",
    "Switch digest authentication on in the camera; where it has none, and nobody else is on its "
    "network, set password_in_clear = true.",
)
_JPEG, _END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"


class Snapshots:
    """Asks a camera for pictures, one connection for all.

    Args:
        job: Where, and as whom; `address` is where it connects to, whatever the name leads to now.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        around = f"[{job.address}]" if ":" in job.address else job.address
        scheme = "https" if job.secure else "http"
        self._url = f"{scheme}://{around}:{job.port}{job.target}"
        self._headers = {"Host": job.host, "Accept": "image/jpeg", "Accept-Encoding": "identity"}
        # The certificate has to be the name's; the connection goes to the number.
        self._named = {"sni_hostname": named(job.host)} if job.secure else {}
        self._access: httpx.Auth | None = (
            httpx.DigestAuth(job.user, job.password) if job.user else None
        )
        # Read before this process may read no file any more.
        self._verify: ssl.SSLContext | bool = trusted(job.authority) if job.secure else False
        self._decoder = VideoCodecContext.create("mjpeg", "r")
        assert isinstance(self._decoder, VideoCodecContext)  # noqa: S101 - what its name says
        self._decoder.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
        self._decoder.thread_count = 1

    def pictures(self) -> Iterator[Decoded]:
        """The pictures, until something goes wrong.

        Raises:
            PosternError: `unavailable` with what the camera did instead of giving a picture.
        """
        step_s = 1.0 / self._job.most_fps
        with httpx.Client(
            verify=self._verify,
            trust_env=False,
            follow_redirects=False,
            timeout=PICTURE_S,
            headers=self._headers,
        ) as client:
            while True:
                asked_s = time.monotonic()
                yield self._picture(client)
                time.sleep(max(0.0, asked_s + step_s - time.monotonic()))

    def _picture(self, client: httpx.Client) -> Decoded:
        asked_s = time.monotonic()
        data = self._fetched(client, asked_s + PICTURE_S)
        if not data.startswith(_JPEG):
            raise self._wrong("answers, but not with a JPEG picture", "Check the address.")
        # Some cameras fill up with zeros behind the end.
        if not data.rstrip(b"\0\r\n").endswith(_END_OF_JPEG):
            raise self._wrong("sends a picture that is cut off")
        # As old as the question: when it was taken meanwhile nobody says.
        return Decoded(upright(self._decoded(data)), asked_s, None)

    def _fetched(self, client: httpx.Client, until_s: float) -> bytes:
        data = bytearray()
        try:
            with closing(self._answer(client)) as answer:
                self._check_status(answer)
                for part in answer.iter_raw():
                    data += part
                    if len(data) > MOST_BYTES:
                        raise self._wrong("sends more than 20 MB for one picture")
                    if time.monotonic() > until_s:
                        raise self._wrong(f"takes longer than {PICTURE_S:.0f} s for a picture")
        except httpx.HTTPError as error:
            unsafe = _of_encryption(error)
            if unsafe:
                raise self._wrong(*disbelief(unsafe)) from None
            raise self._wrong(
                f"gives no picture ({_reason(error)})", "Check the address."
            ) from None
        return bytes(data)

    def _answer(self, client: httpx.Client) -> httpx.Response:
        """The camera's answer once it knows who asks, where it wants to; its body is not read."""
        answer, job = self._asked(client), self._job
        if (job.in_clear or job.secure) and self._unmet(answer):
            answer.close()
            self._access = httpx.BasicAuth(job.user, job.password)
            return self._asked(client)
        return answer

    def _unmet(self, answer: httpx.Response) -> bool:
        """Whether it asks for the password otherwise than by digest authentication."""
        asked = answer.headers.get("WWW-Authenticate", "").lower()
        digest = isinstance(self._access, httpx.DigestAuth)
        return digest and answer.status_code == HTTPStatus.UNAUTHORIZED and "digest" not in asked

    def _asked(self, client: httpx.Client) -> httpx.Response:
        request = client.build_request("GET", self._url, extensions=self._named)
        if self._access is None:
            return client.send(request, stream=True)
        # Step by step: httpx would read and unpack all that stands below a question for a password.
        steps = self._access.auth_flow(request)
        request = next(steps)
        while True:
            answer = client.send(request, stream=True)
            try:
                request = steps.send(answer)
            except StopIteration:
                return answer
            except (LookupError, ValueError, NotImplementedError, httpx.ProtocolError):
                answer.close()
                raise self._wrong(*_UNKNOWN_QUESTION) from None
            answer.close()

    def _check_status(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == HTTPStatus.OK:
            return
        if self._unmet(answer):
            raise self._wrong(*_UNKNOWN_QUESTION)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise self._wrong("wants another user or password", "Set `user` and `password_file`.")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise self._wrong(
                "sends its viewers elsewhere, which is not followed",
                "Set the address that it names, if that is yours.",
            )
        raise self._wrong(f"answers with status {status}", "Check the address.")

    def _decoded(self, data: bytes) -> VideoFrame:
        try:
            frames = self._decoder.decode(av.Packet(data))
        except av.FFmpegError:
            raise self._wrong(
                f"sends a picture that is damaged, or of more than {MAX_PIXELS:,} pixels",
                "Have it send smaller ones.",
            ) from None
        if not frames or frames[0].is_corrupt:
            raise self._wrong("sends a picture that is damaged")
        return frames[0]

    def _wrong(self, how: str, hint: str = "") -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"{self._job.name} {how}.", hint)


def _of_encryption(error: BaseException | None) -> ssl.SSLError | None:
    """The failure of an encrypted connection that another one came from, if any."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__context__
    return error


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it takes too long"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return "the connection broke off, or what came is not HTTP or does not end"
