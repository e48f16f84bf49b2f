"""Checkpoints: what a log says of its tree at one size, signed (C2SP tlog-checkpoint v1.0.0)."""

import re
from base64 import b64encode
from dataclasses import dataclass

from postern.core.errors import Code, PosternError, invalid
from postern.ledger.note import Note, Signed, Signer, Verifier, from_base64, open_note
from postern.ledger.tree import HASH_SIZE

#: Entries. Sizes and times in these formats fit in a signed 64-bit number.
MOST = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How many entries a log has, and their root.

    Attributes:
        origin: The log's name, one line.
        size: How many entries.
        root: The root of their tree.
        extensions: Further lines, which may say anything. Postern writes none, and accepts them
            only where it reads other people's logs.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def encode(self) -> str:
        """The text that is signed.

        Raises:
            PosternError: `invalid` where it would not read back to this checkpoint.
        """
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        text = "".join(f"{line}\n" for line in lines)
        if decode(text, foreign=True) != self:
            raise _malformed()
        return text


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint whose log's signature holds; the note that it came in, and who else signed."""

    checkpoint: Checkpoint
    note: Note
    signed: tuple[Signed, ...]


def decode(text: str, *, foreign: bool = False) -> Checkpoint:
    """A checkpoint from a note's text.

    Args:
        text: The text of the note.
        foreign: Whether extension lines are accepted, which a log of Postern's never has.

    Raises:
        PosternError: `invalid` where it is not exactly what a checkpoint is written as.
    """
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise _malformed()
    lines = text[:-1].split("\n")
    if not (len(lines) >= 3 and all(lines) and (foreign or len(lines) == 3)):
        raise _malformed()
    root = from_base64(lines[2])
    if len(root) != HASH_SIZE:
        raise _malformed()
    return Checkpoint(lines[0], from_decimal(lines[1]), root, tuple(lines[3:]))


def sign(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note of a checkpoint."""
    text = checkpoint.encode()
    return Note(text, (signer.sign(text),)).encode()


def open_checkpoint(
    data: bytes, log: Verifier, witnesses: tuple[Verifier, ...] = (), *, foreign: bool = False
) -> Opened:
    """A log's checkpoint whose signature holds.

    Args:
        data: The signed note.
        log: The log's key; its name is the origin that the checkpoint must have.
        witnesses: Keys whose signatures must hold if they are there.
        foreign: As in `decode`.

    Raises:
        PosternError: `invalid` where the note, the checkpoint or a signature is not right;
            `unauthorized` where the log's key has not signed it.
    """
    note, signed = open_note(data, (log, *witnesses))
    if not any(signature.verifier == log for signature in signed):
        raise PosternError(Code.UNAUTHORIZED, f"The key of {log.name} has not signed this.")
    checkpoint = decode(note.text, foreign=foreign)
    if checkpoint.origin != log.name:
        raise invalid(f"This is a checkpoint of {checkpoint.origin}, not of {log.name}.")
    return Opened(checkpoint, note, signed)


def from_decimal(text: str) -> int:
    """A number from 0 to 2**63 - 1, written without a sign and without leading zeros.

    Raises:
        PosternError: `invalid` where it is not.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MOST:
        raise invalid("This is not a whole number.")
    return int(text)


def _malformed() -> PosternError:
    return invalid("This is not a checkpoint of a log.")
