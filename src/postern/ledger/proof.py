"""Proofs that travel: one entry, the way to the root, and the signed root (C2SP tlog-proof)."""

from base64 import b64encode
from dataclasses import dataclass

from postern.core.errors import PosternError, invalid
from postern.ledger.checkpoint import Opened, from_decimal, open_checkpoint
from postern.ledger.note import Verifier, from_base64, parse
from postern.ledger.tree import (
    HASH_SIZE,
    MOST_HASHES,
    Hashes,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)

#: What such a file is called.
SUFFIX = ".tlog-proof"
_HEAD = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a log has an entry.

    Attributes:
        index: Which entry, from 0 on.
        hashes: From the entry's sibling up to the root's child.
        checkpoint: The signed checkpoint, byte for byte.
        extra: Whatever travels along. Nothing in the proof vouches for it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The proof as a file, which `decode` reads back."""
        extra = [f"extra {b64encode(self.extra).decode()}"] if self.extra else []
        hashes = (b64encode(hash_).decode() for hash_ in self.hashes)
        lines = [_HEAD, *extra, f"index {self.index}", *hashes, ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def prove(hashes: Hashes, index: int, size: int, checkpoint: bytes, extra: bytes = b"") -> Proof:
    """The proof that the log of that checkpoint, of that size, has the entry.

    Raises:
        PosternError: `invalid` where it has not.
    """
    return Proof(index, tuple(inclusion_proof(hashes, index, size)), checkpoint, extra)


def decode(data: bytes) -> Proof:
    """A proof from a file; nothing in it has been checked but how it is written.

    Raises:
        PosternError: `invalid` where it is not exactly what such a file is written as.
    """
    head, _, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed() from None
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise _malformed()
    if not (first == _HEAD and lines and lines[0].startswith("index ")):
        raise _malformed()
    index = from_decimal(lines[0].removeprefix("index "))
    hashes = tuple(map(from_base64, lines[1:]))
    if len(hashes) > MOST_HASHES or any(len(hash_) != HASH_SIZE for hash_ in hashes):
        raise _malformed()
    parse(checkpoint)
    return Proof(index, hashes, checkpoint, extra)


def verify(
    proof: Proof, entry: bytes, log: Verifier, witnesses: tuple[Verifier, ...] = ()
) -> Opened:
    """The checkpoint under which the log has this very entry.

    Args:
        proof: The proof.
        entry: The entry as the log has it.
        log: The key of the log.
        witnesses: Keys whose signatures must hold if they are there; the answer says which are.

    Raises:
        PosternError: `invalid` where anything does not fit; `unauthorized` where the log's key has
            not signed the checkpoint.
    """
    opened = open_checkpoint(proof.checkpoint, log, witnesses)
    size, root = opened.checkpoint.size, opened.checkpoint.root
    verify_inclusion(proof.index, size, leaf_hash(entry), proof.hashes, root)
    return opened


def _malformed() -> PosternError:
    return invalid("This is not a proof of an entry.")
