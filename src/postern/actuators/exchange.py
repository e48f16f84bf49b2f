"""One HTTP request to a device, with an end: what comes back in time, in size, from that device."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

import httpx

from postern.address import Endpoint, Pinned, Resolve, numbers_of
from postern.core.errors import Code, PosternError

#: Bytes of an answer. What a relay says of itself takes some 500.
MOST_ANSWER = 16 * 1024
#: Seconds of these for finding a name.
_LOOKUP_S = 0.2
#: What a device can have a library stumble over, besides what that says itself.
_GARBAGE = (ValueError, LookupError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a device answered.

    Attributes:
        status: HTTP's.
        body: As it came.
    """

    status: int
    body: bytes


def anywhere(_pinned: Pinned) -> None:
    """Refuses no address."""


class Exchange:
    """Posts to one address of one device.

    The connection goes to the number that its name has now, once every number was checked. No
    redirect is followed, and no proxy of the environment used. May be used from several threads.

    Args:
        endpoint: The device.
        path: The path of its URL.
        tls: Whose certificates are believed; None for plain HTTP.
        check: Told where the connection would go; raises what stands against it.
        resolve: What knows the numbers of names.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        path: str,
        tls: ssl.SSLContext | None = None,
        check: Callable[[Pinned], None] = anywhere,
        resolve: Resolve = numbers_of,
    ) -> None:
        self._endpoint = endpoint
        self._path = path
        self._tls = tls
        self._check = check
        self._resolve = resolve
        for library in ("httpx", "httpcore"):  # They would log addresses with what is secret there.
            logging.getLogger(library).setLevel(logging.WARNING)

    def post(
        self,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
        auth: httpx.Auth | None = None,
    ) -> Reply:
        """What the device answers.

        Args:
            body: JSON.
            headers: Further headers.
            timeout_s: Seconds for all of it.
            auth: How it is answered where it asks who is there.

        Raises:
            PosternError: `unavailable` where no answer came in time and size, with one sentence
                that tells nothing but the device's host.
        """
        until = monotonic() + timeout_s
        pinned = self._endpoint.pin(self._resolve, min(_LOOKUP_S, timeout_s))
        self._check(pinned)
        try:
            return asyncio.run(self._exchange(pinned, body, headers, until - monotonic(), auth))
        except TimeoutError:
            raise self.failed("did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            # Further words of the library's would be about its own parts, or of the path.
            raise self.failed(f"cannot be talked to ({type(error).__name__})") from None
        except _GARBAGE:
            raise self.failed("answered something that is not HTTP") from None

    def failed(self, what: str) -> PosternError:
        """The error for a device that did that."""
        return PosternError(Code.UNAVAILABLE, f"The device at {self._endpoint} {what}.")

    async def _exchange(
        self,
        pinned: Pinned,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
        auth: httpx.Auth | None,
    ) -> Reply:
        scheme = "http" if self._tls is None else "https"
        given = {
            "Host": pinned.authority,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            **headers,
        }
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(
                # Where nothing is encrypted, no certificates have to be loaded.
                verify=self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                trust_env=False,
                # The whole has one; but httpcore closes the socket of a handshake only where one
                # of its own ends it, which comes first.
                timeout=httpx.Timeout(None, connect=max(timeout_s / 2, 0.001)),
            ) as client,
        ):
            request = client.build_request(
                "POST",
                f"{scheme}://{pinned.netloc}{self._path}",
                content=body,
                headers=given,
                # The certificate has to be the name's, not the number's.
                extensions={"sni_hostname": pinned.host},
            )
            return await self._talk(client, request, auth or httpx.Auth())

    async def _talk(
        self, client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth
    ) -> Reply:
        """The last answer; the library would read those before it without a limit."""
        flow = auth.auth_flow(request)
        request = next(flow)
        while True:
            response = await client.send(request, stream=True)
            try:
                data = await self._bounded(response)
            finally:
                await response.aclose()
            try:
                request = flow.send(response)
            except StopIteration:
                return Reply(response.status_code, data)

    async def _bounded(self, response: httpx.Response) -> bytes:
        data = b""
        # As it came: what is packed small could unfold to any size.
        async for part in response.aiter_raw():
            data += part
            if len(data) > MOST_ANSWER:
                raise self.failed(f"answered with more than {MOST_ANSWER} bytes")
        return data
