"""What an operator says about a program that opens when it is asked over HTTP."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from postern.address import Endpoint, Number, is_near, number
from postern.core.errors import PosternError, invalid

_PORTS = {"https": 443, "http": 80}
#: Characters.
_MOST = 2048


@dataclass(frozen=True, slots=True)
class Config:
    """One address that is posted to.

    Attributes:
        url: `https`, or `http` to this machine or a private network.
        secret_file: The file with the key that both know.
    """

    url: str
    secret_file: Path

    def __post_init__(self) -> None:
        parts = self._parts()
        if not self.url.isprintable() or " " in self.url or len(self.url) > _MOST:
            raise _no_url()
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise _no_url()
        self.endpoint  # noqa: B018 - checks itself
        if self.plain:
            written = number(self.endpoint.host)
            if written is not None:
                check_near(written)

    @property
    def plain(self) -> bool:
        """Whether nothing is encrypted."""
        return self._parts().scheme == "http"

    @property
    def endpoint(self) -> Endpoint:
        """The receiver's host and port."""
        parts = self._parts()
        return Endpoint(parts.hostname or "", parts.port or _PORTS[parts.scheme])

    @property
    def path(self) -> str:
        """What stands behind the host."""
        parts = self._parts()
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            sound = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise _no_url()
        return parts


def check_near(address: Number) -> None:
    """Refuses to go anywhere without encryption but to this machine and private networks.

    Raises:
        PosternError: `invalid` where the number is another's.
    """
    if not is_near(address):
        raise invalid(
            "Plain http:// goes to this machine or a private network only.",
            "Let the receiver have a certificate, and begin with https://.",
        )


def _no_url() -> PosternError:
    return invalid(
        "A webhook has an address that begins with https://, with a host, a port and a path.",
        "http:// is for this machine and for private networks, such as http://192.168.1.20/open.",
    )
