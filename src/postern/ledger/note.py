"""Signed notes: a text, and lines below it that say who signed it (C2SP signed-note v1.0.0).

Two sorts of key sign: a log's (type 01, over the text) and a witness's (type 04, over the text and
a time: C2SP tlog-cosignature v1.0.0). Signatures by unknown keys are ignored; a signature by a
known key that does not hold refuses the whole note.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from postern.core.errors import Code, PosternError, invalid

#: The text asks for at least 16 and for some limit; Go's note package has this one.
MOST_SIGNATURES = 100
#: Bytes.
KEY_SIZE = 32
_ID_SIZE = 4
_SIGNATURE_SIZE = 64
_TIME_SIZE = 8
#: Seconds since 1970 (tlog-cosignature: "MUST NOT exceed 2^63 - 1").
LATEST_S = 2**63 - 1
_DASH = "\N{EM DASH}"


class KeyType(IntEnum):
    """What a key signs; the byte that stands for it."""

    LOG = 0x01
    WITNESS = 0x04


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: by whom, and the bytes after the key's id."""

    name: str
    key_id: bytes
    content: bytes

    def line(self) -> str:
        """As it stands in a note, with its newline."""
        return f"{_DASH} {self.name} {b64encode(self.key_id + self.content).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of which has been checked."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as bytes, which `parse` reads back."""
        return f"{self.text}\n{''.join(s.line() for s in self.signatures)}".encode()


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name of its owner; from `parse_vkey` or a signer."""

    name: str
    type: KeyType
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that point out this key among others of the same name."""
        material = self.name.encode() + b"\n" + bytes([self.type]) + self.key
        return sha256(material).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        """The key as text, for configuration."""
        material = b64encode(bytes([self.type]) + self.key).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def made(self, signature: Signature) -> bool:
        """Whether a signature says that it is by this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def check(self, text: str, signature: Signature) -> int | None:
        """The time at which a witness signed, in seconds since 1970; None for a log's key.

        Raises:
            PosternError: `invalid` where the signature does not hold.
        """
        content, time_s = signature.content, None
        if self.type is KeyType.WITNESS:
            time_s = int.from_bytes(content[:_TIME_SIZE])
            content = content[_TIME_SIZE:]
        if not (self.made(signature) and self._holds(content, text, time_s)):
            raise invalid(f"The signature by {self.name} does not hold.")
        return time_s

    def _holds(self, signature: bytes, text: str, time_s: int | None) -> bool:
        if not (len(signature) == _SIGNATURE_SIZE and (time_s or 0) <= LATEST_S):
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(signature, _message(text, time_s))
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private key that signs notes under a name.

    Args:
        name: Whose key it is: not empty, without blanks and plus signs.
        seed: The private key of RFC 8032, 32 bytes.
        type: A log's key or a witness's. The same seed must not serve as both.
    """

    def __init__(self, name: str, seed: bytes, type: KeyType = KeyType.LOG) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(named(name), type, self._key.public_key().public_bytes_raw())

    def sign(self, text: str, time_s: int | None = None) -> Signature:
        """A signature of a note's text; a witness says when, in seconds since 1970."""
        if (time_s is None) is (self.verifier.type is KeyType.WITNESS):
            raise invalid("A witness signs with a time, a log without.")
        if not (_is_text(text) and 0 <= (time_s or 0) <= LATEST_S):
            raise invalid("This text or time cannot be signed.")
        content = self._key.sign(_message(text, time_s))
        if time_s is not None:
            content = time_s.to_bytes(_TIME_SIZE) + content
        return Signature(self.verifier.name, self.verifier.key_id, content)


@dataclass(frozen=True, slots=True)
class Signed:
    """A known key's signature that holds, and the time that a witness signed at."""

    verifier: Verifier
    time_s: int | None


def parse_vkey(text: str) -> Verifier:
    """A public key from its text, `name+id+key`.

    Raises:
        PosternError: `invalid` where it is not exactly what such a key is written as.
    """
    parts = text.split("+", 2)
    try:
        material = b64decode(parts[-1], validate=True)
        found = Verifier(named(parts[0]), KeyType(material[0]), material[1:])
    except (ValueError, IndexError, PosternError):
        raise _no_key() from None
    if not (len(found.key) == KEY_SIZE and found.vkey == text):
        raise _no_key()
    return found


def parse(data: bytes) -> Note:
    """The parts of a signed note; `encode` gives the very same bytes back.

    Raises:
        PosternError: `invalid` where it is not well-formed, or has more signatures than are read.
    """
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise _malformed() from None
    text, gap, lines = whole.rpartition("\n\n")
    if not (gap and _is_text(whole) and lines.count("\n") <= MOST_SIGNATURES):
        raise _malformed()
    return Note(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> tuple[Note, tuple[Signed, ...]]:
    """A note, and those of its signatures that known keys made.

    Raises:
        PosternError: `invalid` where the note is not well-formed or a known key's signature does
            not hold; `unauthorized` where no known key has signed it.
    """
    note = parse(data)
    known = list(verifiers)
    signed = tuple(
        Signed(verifier, verifier.check(note.text, signature))
        for signature in note.signatures
        for verifier in known
        if verifier.made(signature)
    )
    if not signed:
        raise PosternError(Code.UNAUTHORIZED, "No known key has signed this note.")
    return note, signed


def from_base64(text: str) -> bytes:
    """Bytes from base 64 that is written in the one way that RFC 4648 section 4 has.

    Raises:
        PosternError: `invalid` where it is not.
    """
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        found = b""
    if b64encode(found).decode() != text:
        raise invalid("This is not base 64.")
    return found


def _message(text: str, time_s: int | None) -> bytes:
    head = "" if time_s is None else f"cosignature/v1\ntime {time_s}\n"
    return (head + text).encode()


def _signature(line: str) -> Signature:
    dash, name, content = (line.split(" ") + ["", ""])[:3]
    material = from_base64(content)
    if not (line == f"{_DASH} {name} {content}" and len(material) > _ID_SIZE):
        raise _malformed()
    return Signature(named(name), material[:_ID_SIZE], material[_ID_SIZE:])


def named(name: str) -> str:
    """A name that a key can have.

    Raises:
        PosternError: `invalid` where it cannot.
    """
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise invalid("The name of a key is empty or has a blank or a plus sign.")
    return name


def _is_text(text: str) -> bool:
    return text.endswith("\n") and all(c >= " " or c == "\n" for c in text)


def _malformed() -> PosternError:
    return invalid("This is not a signed note.")


def _no_key() -> PosternError:
    return invalid(
        "This is not the text of a public key.",
        "Give the whole line: what the log's file log.vkey holds, or what the witness shows.",
    )
