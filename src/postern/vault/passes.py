"""Passes: what a person carries as a QR code, signed by the site that issued it.

The text is ``PSTN1:`` and the Base45 (RFC 9285) of these bytes; whole numbers are big-endian:

    1   version, 1
    1   sort: 1 carries a sealed reference, 2 carries a key share
    16  site
    16  handle, random; the site looks it up, and nothing else in a pass says whose it is
    4   issued, seconds since 1970 UTC
    4   expires, likewise
    n   content: the sealed reference, or the 32 bytes of the share
    64  Ed25519 signature (RFC 8032) over ``postern pass 1``, a zero byte and everything above

1. A pass has exactly one text. Another case, padding, white space or length is not that text.
2. Nothing is believed before the signature was verified but the version and the site, and those
   only to say why a pass is refused.
3. A text that does not claim to be a pass is nobody's business: it gives None, not a refusal.
"""

import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern.core.errors import PosternError, invalid
from postern.core.moment import check_utc
from postern.vault import base45

PREFIX = "PSTN1:"
#: Characters; the largest QR code holds no more (ISO/IEC 18004: version 40, level L).
MAX_TEXT = 4296
SITE_SIZE = HANDLE_SIZE = 16
SHARE_SIZE = 32

_VERSION = 1
_DOMAIN = b"postern pass 1\0"
_HEADER = struct.Struct(">BB16s16sII")
_SIGNATURE = 64
#: How a text claims to be a pass, well written or not, of this version or another.
_CLAIM = re.compile(rb"\s*PSTN([0-9]{1,4}):", re.IGNORECASE)
_WELL_WRITTEN = re.compile(rb"PSTN([1-9][0-9]*):")


class Sort(IntEnum):
    """What a pass carries."""

    REFERENCE = 1
    SHARE = 2


class Fault(StrEnum):
    """Why a pass is refused."""

    DAMAGED = "damaged"
    FOREIGN = "foreign"
    NEWER = "newer"
    EXPIRED = "expired"
    EARLY = "early"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says.

    Attributes:
        sort: What it carries.
        site: The 16 bytes that name the site (`keys.derive_site`).
        handle: The 16 random bytes by which the site knows it.
        issued: When; aware UTC, whole seconds, like `expires`.
        expires: From when on it counts no more.
        content: The sealed reference, or the 32 bytes of the share.
    """

    sort: Sort
    site: bytes
    handle: bytes
    issued: datetime
    expires: datetime
    # It opens a reference: it must not show where a pass is printed by mistake.
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_utc(self.issued, self.expires)
        if len(self.site) != SITE_SIZE or len(self.handle) != HANDLE_SIZE:
            raise invalid("A pass names its site and its handle by 16 bytes each.")
        if not all(_written(time) for time in (self.issued, self.expires)):
            raise invalid("A pass's times are whole seconds between the years 1970 and 2106.")
        if not self.issued < self.expires:
            raise invalid("A pass expires after it was issued.")
        if not (len(self.content) == SHARE_SIZE or self.sort is Sort.REFERENCE and self.content):
            raise invalid("A pass carries a sealed reference or a key share of 32 bytes.")


@dataclass(frozen=True, slots=True)
class Refused:
    """A text that claims to be a pass and does not count.

    Attributes:
        fault: Why.
        genuine: What it says, where this site signed it; None where that is not proven.
    """

    fault: Fault
    genuine: Pass | None = None


class PassReader:
    """Reads the passes of one site; usable from any thread.

    Args:
        site: The 16 bytes that name it.
        public_key: The 32 bytes of the public key that its passes are verified with.

    Raises:
        PosternError: `invalid` where either is not of its size.
    """

    def __init__(self, site: bytes, public_key: bytes) -> None:
        if len(site) != SITE_SIZE or len(public_key) != 32:
            raise invalid("Passes are read for a site of 16 bytes and a public key of 32.")
        self._site = site
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    def read(self, text: bytes, now: datetime) -> Pass | Refused | None:
        """What a QR code's text is at this time, whatever the text: this never raises.

        Args:
            text: As the QR code holds it.
            now: Aware UTC.

        Returns:
            The pass where it counts; a refusal where the text claims to be a pass; None where it
            does not.
        """
        if not claims(text):
            return None
        if (version := _WELL_WRITTEN.match(text)) and int(version[1]) > _VERSION:
            return Refused(Fault.NEWER)
        try:
            body, signature = _split(text)
            found = _parse(body)
        except PosternError:
            return Refused(Fault.DAMAGED)
        if found.site != self._site:
            return Refused(Fault.FOREIGN)
        try:
            self._key.verify(signature, _DOMAIN + body)
        except InvalidSignature:
            return Refused(Fault.DAMAGED)
        return _dated(found, now)


def claims(text: bytes) -> bool:
    """Whether a text means to be a pass, sound or not: what else is in view is not looked at."""
    return _CLAIM.match(text) is not None


def encode(issued: Pass, seed: bytes) -> str:
    """The one text of a pass, for a QR code in alphanumeric mode.

    Args:
        issued: The pass.
        seed: The 32 secret bytes of the site's Ed25519 key for passes.

    Raises:
        PosternError: `invalid` where the seed is not of its size, or the content is too long for a
            QR code.
    """
    body = _HEADER.pack(
        _VERSION, issued.sort, issued.site, issued.handle, _seconds(issued.issued),
        _seconds(issued.expires),
    ) + issued.content  # fmt: skip
    text = PREFIX + base45.encode(body + _signing_key(seed).sign(_DOMAIN + body))
    if len(text) > MAX_TEXT:
        raise invalid("What the pass is to carry is too long for a QR code.")
    return text


def public_key(seed: bytes) -> bytes:
    """The 32 bytes that passes signed with this seed are verified with.

    Raises:
        PosternError: `invalid` where the seed is not of 32 bytes.
    """
    return _signing_key(seed).public_key().public_bytes_raw()


def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != 32:
        raise invalid("Passes are signed with a key of 32 bytes.")
    return Ed25519PrivateKey.from_private_bytes(seed)


def _split(text: bytes) -> tuple[bytes, bytes]:
    """The bytes that were signed, and the signature."""
    if len(text) > MAX_TEXT or not text.startswith(PREFIX.encode()):
        raise invalid("This is not how a pass is written.")
    data = base45.decode(text[len(PREFIX) :].decode("latin-1"))
    return data[:-_SIGNATURE], data[-_SIGNATURE:]


def _parse(body: bytes) -> Pass:
    if len(body) < _HEADER.size:
        raise invalid("A pass was cut short.")
    version, sort, site, handle, issued, expires = _HEADER.unpack_from(body)
    if version != _VERSION or sort not in Sort.__members__.values():
        raise invalid("A pass of this version carries a reference or a share.")
    return Pass(
        Sort(sort), site, handle, _time(issued), _time(expires), body[_HEADER.size :]
    )  # fmt: skip


def _dated(found: Pass, now: datetime) -> Pass | Refused:
    # What must hold is asked for: a pass from the future is refused, too. Machines whose clocks
    # differ get no allowance, as nothing else that the site dates does.
    if not found.issued <= now:
        return Refused(Fault.EARLY, found)
    return found if now < found.expires else Refused(Fault.EXPIRED, found)


def _written(time: datetime) -> bool:
    """Whether four bytes hold a time exactly."""
    return not time.microsecond and 0 <= _seconds(time) < 2**32


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
