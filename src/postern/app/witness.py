"""The witnesses that a site asks: `[witness.NAME]` of `site.toml`."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from postern.core.errors import PosternError, invalid
from postern.ledger.note import KeyType, Verifier, parse_vkey

#: Plain HTTP goes to this machine only.
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: The end of a host that is a number and no name (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9a-fA-F]*)\.?", re.DOTALL)
#: Where clouds tell a machine its own secrets, besides the addresses of the link: Amazon, Alibaba,
#: Azure.
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
#: Addresses that end in one of IPv4 (RFC 6052, section 2.1).
_TRANSLATED = IPv6Network("64:ff9b::/96")


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
    if ":" in host or _NUMBER.fullmatch(host):
        _check_number(host)


def _check_number(host: str) -> None:
    """Refuses a number that is no other machine's, or is not written as they usually are."""
    try:
        address = _innermost(ip_address(host))
    except ValueError:
        raise invalid(
            "A witness's address has a number that is not written in the usual way.",
            "Write it as four decimal numbers, such as 192.0.2.7, or give the witness's name.",
        ) from None
    none = address.is_unspecified or address.is_multicast or address.is_reserved
    # Python takes this machine's own for reserved.
    if address.is_link_local or (none and not address.is_loopback) or address in _METADATA:
        raise invalid(
            f"No witness answers at {host}: it is an address of this link, of a cloud's own "
            "services, or of no machine.",
            "Give the witness's name, or the number of another machine.",
        )


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 stands for; itself where it stands for none."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


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
