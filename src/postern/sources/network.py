"""A camera on the network: its address, as whom it is asked, and the connection to it."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from postern.address import Endpoint, Pinned
from postern.core.errors import Code, PosternError, invalid
from postern.secret import read_password
from postern.sources.size import check_size

#: Seconds for a connection to a camera that is there.
CONNECT_S = 2.0
MAX_FPS = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """A camera's address, taken apart.

    Attributes:
        endpoint: Its host and port.
        target: The path and query.
        secure: Whether the connection is encrypted.
    """

    endpoint: Endpoint
    target: str
    secure: bool

    def __str__(self) -> str:
        return str(self.endpoint)

    def pin(self) -> Pinned:
        """The number to connect to now.

        Raises:
            PosternError: As `Endpoint.pin`.
        """
        return self.endpoint.pin()


@dataclass(frozen=True, slots=True)
class Scheme:
    """How an address may begin.

    Attributes:
        name: The scheme.
        port: The port where the address says none.
        secure: Whether it means an encrypted connection.
    """

    name: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True)
class NetworkCamera:
    """Which camera on the network, as whom, and what is asked of it.

    Attributes:
        url: Its address.
        user: As whom to ask; empty for nobody.
        password_file: The file with the password.
        password_in_clear: Whether the password may be sent so that anybody on the way can read it,
            to a camera that knows no other way (Basic, RFC 7617).
        certificate: Where the connection is encrypted: the certificate that the camera shows, or of
            who signed it; None for the authorities of this system.
        fps: Pictures per second, at most.
        width: Pixels that its pictures have; None for whatever they have.
        height: Likewise.
    """

    #: How its address may begin.
    SCHEMES: ClassVar[tuple[Scheme, ...]] = ()

    url: str
    user: str = ""
    password_file: Path | None = None
    password_in_clear: bool = False
    certificate: Path | None = None
    fps: float = 10.0
    width: int | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        _ = self.address  # Which checks it.
        _check_access(self.user, self.password_file)
        if not 0.0 < self.fps <= MAX_FPS:
            raise invalid(f"Pictures per second must be more than 0 and at most {MAX_FPS:.0f}.")
        check_size(self.width, self.height)

    @property
    def address(self) -> Address:
        """Its address."""
        return read_address(self.url, self.SCHEMES)

    def password(self) -> str:
        """What is in the file with the password; empty without one.

        Raises:
            PosternError: `unavailable` with what `read_password` says.
        """
        if self.password_file is None:
            return ""
        try:
            return read_password(self.password_file)
        except PosternError as error:
            # Whoever writes it anew, or sets its mode right, need not start the service anew.
            raise PosternError(Code.UNAVAILABLE, error.message, error.hint) from None


def connect(pinned: Pinned, name: str) -> socket.socket:
    """A connection to a camera.

    Args:
        pinned: Where.
        name: What to call the camera in errors.

    Raises:
        PosternError: `unavailable` where it does not take one in time.
    """
    try:
        connection = socket.create_connection((str(pinned.number), pinned.port), CONNECT_S)
    except OSError as error:
        why = "it does not answer" if isinstance(error, TimeoutError) else _reason(error)
        raise PosternError(
            Code.UNAVAILABLE,
            f"{name} cannot be reached: {why}.",
            "Check its power, its cable and its address.",
        ) from None
    connection.settimeout(None)
    # A camera that has lost its power says nothing more; the system asks after a while.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def read_address(url: str, schemes: tuple[Scheme, ...]) -> Address:
    """The address that a text names.

    Args:
        url: What somebody wrote.
        schemes: How it may begin.

    Raises:
        PosternError: `invalid` where it begins otherwise, names a user, or leads where no
            camera is.
    """
    choices = " or ".join(f"{scheme.name}://" for scheme in schemes)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid("The address has a port or a number that is none.") from None
    scheme = next((one for one in schemes if one.name == parts.scheme), None)
    if scheme is None or not url.isprintable() or " " in url or not url.isascii():
        raise invalid(f"A camera's address begins with {choices}, and has no spaces.")
    if parts.username is not None or parts.password is not None:
        raise invalid(
            "The address holds a user or a password, which would stand in many places.",
            "Set `user`, and put the password into a file that `password_file` names.",
        )
    if parts.fragment:
        raise invalid("The address has a #, which means nothing to a camera.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(Endpoint(host, scheme.port if port is None else port), target, scheme.secure)


def _check_access(user: str, password_file: Path | None) -> None:
    """Refuses a user without a password, and the other way round.

    Raises:
        PosternError: `invalid`.
    """
    if bool(user) != (password_file is not None):
        raise invalid("A camera's user and its password go together.", "Set both, or neither.")
    if not user.isprintable() or ":" in user:
        raise invalid("A camera's user has printable characters and no colon.")


def _reason(error: OSError) -> str:
    return (error.strerror or "there is no such address").lower()
