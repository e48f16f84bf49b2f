"""The server of an application, with limits on everything that a stranger can send."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.h11_impl import H11Protocol

from postern.core.errors import Code, PosternError

#: Connections at a time; further ones are answered 503. More where each of them may last.
MOST_CONNECTIONS, MOST_LASTING = 64, 512
#: Seconds that a connection lasts, whatever happens on it: the one bound that also holds for
#: those who send a request's head byte by byte.
CONNECTION_S = 60.0
#: Bytes of a request's head.
_MOST_HEAD = 16 * 1024
#: Seconds without a request until a connection is closed.
_IDLE_S = 15
#: Seconds for requests that are being answered when the server ends.
_END_S = 5
_BACKLOG = 64


def listen(
    host: str, port: int, hint: str = "Choose another with --host and --port."
) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Args:
        host: On which of the machine's addresses.
        port: The port.
        hint: What to do where that is not possible.

    Raises:
        PosternError: `unavailable` where the port is taken, not allowed, or the host is not here.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such address"
        raise PosternError(
            Code.UNAVAILABLE,
            f"Nothing can listen on {host} port {port}: {reason}.",
            hint,
        ) from None


@dataclass(frozen=True, slots=True)
class Encryption:
    """What browsers know a server by.

    Attributes:
        certificate: In PEM, with those of whoever signed it behind it.
        key: Its key, in PEM.
    """

    certificate: Path
    key: Path

    def check(self) -> None:
        """Sees whether the two can be used.

        Raises:
            PosternError: `invalid` where they cannot.
        """
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.key
            )
        except OSError:  # Those of the library are such, too, and say nothing to anybody.
            raise PosternError(
                Code.INVALID,
                "The console's certificate and key cannot be used.",
                f"Check that {self.certificate} and {self.key} are in PEM and belong together.",
            ) from None


def server(
    app: Litestar, *, lasting: bool = False, encryption: Encryption | None = None
) -> uvicorn.Server:
    """The server of an application; `run(sockets=[...])` serves until it is told to stop.

    Args:
        app: The application.
        lasting: Whether answers may go on for as long as whoever asked listens.
        encryption: What browsers know it by; None for a line that is not encrypted.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=H11Protocol if lasting else _Limited,
            ssl_certfile=encryption.certificate if encryption else None,
            ssl_keyfile=encryption.key if encryption else None,
            ws="none",
            lifespan="auto" if lasting else "off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_LASTING if lasting else MOST_CONNECTIONS,
            h11_max_incomplete_event_size=_MOST_HEAD,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_END_S,
        )
    )


class _Limited(H11Protocol):
    """A connection that ends in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts its clock."""
        super().connection_made(transport)
        self._end = self.loop.call_later(CONNECTION_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops it."""
        self._end.cancel()
        super().connection_lost(exc)
