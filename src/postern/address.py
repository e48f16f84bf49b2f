"""Addresses of devices: checked as they are written, and pinned to one number once they are known.

1. A device answers on this machine, on a private network, or anywhere else; never at an address of
   the link, of a cloud's own services, of many machines, or of none. Numbers of IPv6 that stand for
   one of IPv4 count as that one.
2. A number is written in the one usual way. Resolvers take `0x7f.1` and `2130706433` for
   127.0.0.1, and a check that does not would be passed by.
3. A name is looked up once for each connection. Every number that it has is checked, and the
   connection goes to one that was: a second look-up could give another machine.
"""

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, Queue
from threading import BoundedSemaphore, Thread
from time import monotonic

from postern.core.errors import Code, PosternError, invalid

#: The numbers that a name has, as texts, by whatever knows; raises OSError where it has none.
Resolve = Callable[[str], Iterable[str]]
Number = IPv4Address | IPv6Address

#: Seconds that a name may take; somebody waits for the device behind it.
LOOKUP_S = 1.0
#: Look-ups under way, of all names and of each. One that does not end is left to end by itself,
#: which takes a resolver half a minute at most; others must be found meanwhile.
_LOOKUPS = BoundedSemaphore(32)
_OF_ONE_NAME = 2
#: Where clouds tell a machine its own secrets, besides the addresses of the link: Amazon, Google,
#: Alibaba, Azure, Oracle.
_METADATA = frozenset(
    map(
        ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
#: "This network" (RFC 791): Linux takes the first of it for this machine.
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
#: Addresses that end in one of IPv4: RFC 4291 section 2.5.5.1, and RFC 6052 section 2.1.
_ENDING_IN_ANOTHER = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
#: Whose last 64 bits begin so, too (RFC 5214, section 6.1).
_ISATAP = (b"\0\0\x5e\xfe", b"\x02\0\x5e\xfe")
#: Translated as each network likes (RFC 8215): what they stand for cannot be told.
_TRANSLATED_LOCALLY = IPv6Network("64:ff9b:1::/48")
#: The end of a host that is a number and no name (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9a-fA-F]*)\.?", re.DOTALL)
#: The turns of each name that has been looked up; names are configured, so that they are few.
_TURNS: dict[str, BoundedSemaphore] = {}
_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
#: `host`, `host:port`, `[number of IPv6]` and `[number of IPv6]:port`.
_WRITTEN = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a connection goes, once the name has been looked up and checked.

    Attributes:
        host: The device's name or number as it is configured: for the header `Host`, and the name
            that its certificate must be for.
        number: What to connect to, and nothing else.
        port: Its port.
    """

    host: str
    number: Number
    port: int

    @property
    def netloc(self) -> str:
        """The number and port, as they stand in a URL."""
        return _with_port(str(self.number), self.port)

    @property
    def authority(self) -> str:
        """The host and port, as they stand in the header `Host`."""
        return _with_port(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device's host and port, as somebody configured them.

    Attributes:
        host: A name, or a number without brackets.
        port: 1 to 65535.
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        check_host(self.host)
        if not 0 < self.port < 65536:
            raise invalid("A port is a number from 1 to 65535.")

    def __str__(self) -> str:
        return _with_port(self.host, self.port)

    def pin(self, resolve: Resolve | None = None, timeout_s: float = LOOKUP_S) -> Pinned:
        """The one address to connect to now.

        Args:
            resolve: What knows the numbers of names; this machine's resolver where None.
            timeout_s: Seconds that it may take.

        Raises:
            PosternError: `unavailable` where the name has no number, takes too long, or has one at
                which no device may be reached for.
        """
        written = number(self.host)
        found = [written] if written else _look_up(self.host, resolve or numbers_of, timeout_s)
        # Devices at doors speak IPv4, whatever else their names have.
        return Pinned(self.host, min(found, key=lambda one: one.version), self.port)


def endpoint(text: str, port: int) -> Endpoint:
    """The endpoint that `host`, `host:port`, `[IPv6]` or `[IPv6]:port` names.

    Args:
        text: What somebody wrote.
        port: The port where it says none.

    Raises:
        PosternError: `invalid` where it is none of these, or `check_host` refuses the host.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise invalid(
            "An address is a name or a number, and a port after a colon where it is not the usual "
            "one.",
            'Write it as "192.0.2.7", "gate.lan:8080" or "[2001:db8::7]:8080".',
        )
    if written["six"] is not None and ":" not in written["six"]:
        raise invalid("Only a number of IPv6 stands in brackets.")
    host = written["host"] if written["six"] is None else written["six"]
    return Endpoint(host, int(written["port"] or port))


def check_host(host: str) -> None:
    """Refuses a host at which no device may be reached for.

    Raises:
        PosternError: `invalid` where it is neither a name nor a number in the usual spelling, or
            a number of the link, of a cloud's own services, of many machines or of none. Where a
            name leads is found out by `Endpoint.pin`.
    """
    written = number(host)
    if written is not None and is_refused(written):
        raise invalid(
            f"No device answers at {host}: it is an address of this link, of a cloud's own "
            "services, of many machines, or of none.",
            "Give the device's own name or number.",
        )
    if written is None and not _NAME.fullmatch(host):
        raise invalid(
            "A host's name is made of ASCII letters, digits, hyphens and dots.",
            "Write a name with other letters in its ASCII form, which begins with xn--.",
        )


def number(host: str) -> Number | None:
    """The number that a host is; None where it is a name, or nothing at all.

    Raises:
        PosternError: `invalid` where it is a number that is not written in the usual way.
    """
    if ":" not in host and not _NUMBER.fullmatch(host):
        return None
    try:
        # An interface ("%eth0") hides an address from every comparison.
        return ip_address(host if "%" not in host else "")
    except ValueError:
        raise invalid(
            "The address is a number that is not written in the usual way.",
            "Write it as four decimal numbers, such as 192.0.2.7, or give a name.",
        ) from None


def is_refused(address: Number) -> bool:
    """Whether a number is of the link, of a cloud's own services, of many machines or of none.

    This machine's own and those of private networks are not.
    """
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED_LOCALLY or address in _METADATA:
            return True
        inner = _inner(address)
        if inner:
            return any(map(is_refused, inner))
    if address.is_loopback:
        return False  # Python takes ::1 for reserved.
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _METADATA
        or (isinstance(address, IPv4Address) and address in _THIS_NETWORK)
    )


def is_near(address: Number) -> bool:
    """Whether a number is this machine's own or a private network's, in whatever form."""
    inner = _inner(address) if isinstance(address, IPv6Address) else ()
    return not any(one.is_global for one in inner or (address,))


def numbers_of(name: str) -> list[str]:
    """Every number that this machine's resolver gives for a name; takes as long as that does.

    Raises:
        OSError: It gives none.
    """
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


def _inner(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The addresses of IPv4 that one of IPv6 stands for; none where it stands for itself."""
    if address.is_loopback or address.is_unspecified:
        return ()
    if any(address in network for network in _ENDING_IN_ANOTHER) or (
        address.packed[8:12] in _ISATAP
    ):
        return (IPv4Address(address.packed[-4:]),)
    if address.teredo:
        return address.teredo
    one = address.ipv4_mapped or address.sixtofour
    return (one,) if one else ()


def _look_up(name: str, resolve: Resolve, timeout_s: float) -> list[Number]:
    """Every number of a name, each of them checked; at least one."""
    found = _bounded(name, resolve, timeout_s)
    try:
        numbers = [ip_address(text.partition("%")[0]) for text in found]
    except ValueError:
        numbers = []
    if not numbers:
        raise _unavailable(f"The name {name} has no address.")
    if any(map(is_refused, numbers)):
        raise _unavailable(
            f"The name {name} leads to an address of this link, of a cloud's own services, of many "
            "machines, or of none.",
            "Mend the name, or give the device's own number.",
        )
    return numbers


def _bounded(name: str, resolve: Resolve, timeout_s: float) -> list[str]:
    """What `resolve` gives, if it does so in time; no resolver can be called off."""
    until_s = monotonic() + timeout_s
    late = _unavailable(f"The name {name} was not found within {timeout_s:g} s.")
    turn = _TURNS.setdefault(name, BoundedSemaphore(_OF_ONE_NAME))
    # Several devices may have one name, and are looked up one after the other.
    if not turn.acquire(timeout=timeout_s):
        raise late
    answers: Queue[list[str]] = Queue(1)

    def ask() -> None:
        try:
            answers.put(list(resolve(name)))
        except (OSError, UnicodeError):
            answers.put([])
        finally:
            _LOOKUPS.release()
            turn.release()

    if not _LOOKUPS.acquire(blocking=False):
        turn.release()
        raise late
    Thread(target=ask, name="lookup", daemon=True).start()
    try:
        return answers.get(timeout=max(0.0, until_s - monotonic()))
    except Empty:
        raise late from None


def _unavailable(
    message: str, hint: str = "Give the device's number, or look after the name server."
) -> PosternError:
    return PosternError(Code.UNAVAILABLE, message, hint)


def _with_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
