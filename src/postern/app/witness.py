"""The witnesses that a site asks: `[witness.NAME]` of `site.toml`."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from postern.address import is_refused, number
from postern.core.errors import PosternError, invalid
from postern.ledger.note import KeyType, Verifier, parse_vkey

#: Plain HTTP goes to this machine only.
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class WitnessEntry:
    """A witness that a site asks.

    Attributes:
        name: What the site calls it.
        url: What its endpoint's path is added to; `https`, or `http` to this very machine.
        key: The text of its public key.
    """

    name: str
    url: str
    key: str

    def __post_init__(self) -> None:
        check_url(self.url)
        parse_witness_key(self.key)


def check_url(url: str) -> None:
    """Refuses an address at which no witness should be asked.

    Raises:
        PosternError: `invalid` where it is not `https`, or `http` to this machine, has more in it
            than a host, a port and a path, or names by its number a host that can be no witness.
            Which number a name leads to is the network's affair.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_url() from None
    plain = parts.scheme == "http" and host in _LOOPBACK
    if not ((plain or parts.scheme == "https") and host and port != 0 and url.isprintable()):
        raise _no_url()
    if parts.username is not None or parts.query or parts.fragment or " " in url:
        raise _no_url()
    address = number(host)
    if address is not None and is_refused(address):
        raise invalid(
            f"No witness answers at {host}: it is an address of this link, of a cloud's own "
            "services, or of no machine.",
            "Give the witness's name, or the number of another machine.",
        )


def parse_witness_key(text: str) -> Verifier:
    """A witness's public key from its text.

    Raises:
        PosternError: `invalid` where it is none, or a log's.
    """
    key = parse_vkey(text)
    if key.type is not KeyType.WITNESS:
        raise invalid(
            "This is a log's public key, not a witness's.", "`postern witness key` shows it."
        )
    return key


def parse_log_key(text: str) -> Verifier:
    """A log's public key from its text.

    Raises:
        PosternError: `invalid` where it is none, or a witness's.
    """
    key = parse_vkey(text)
    if key.type is not KeyType.LOG:
        raise invalid(
            f"The key of {key.name} is a witness's, not a log's.",
            "A site's log has it in ledger/log.vkey.",
        )
    return key


def _no_url() -> PosternError:
    return invalid(
        "A witness has an address that begins with https://.",
        "http:// is for a witness on this very machine, such as http://127.0.0.1:8099.",
    )
