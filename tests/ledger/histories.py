"""Logs in memory that can be asked for any of their sizes, honest and forked."""

from dataclasses import dataclass, field
from functools import cached_property

from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.note import Signer
from postern.ledger.tree import consistency_proof, root
from postern.ledger.witness import Request
from tests.ledger.samples import LOG, Memory


@dataclass(frozen=True)
class History:
    """One history of a log.

    Attributes:
        forked_at: From which entry on it differs from the honest one; None for that one.
        signer: The log's key.
        size: How many entries there are at most.
    """

    forked_at: int | None = None
    signer: Signer = field(default=LOG)
    size: int = 300

    @cached_property
    def hashes(self) -> Memory:
        """Its tree."""
        fork = self.size if self.forked_at is None else self.forked_at
        return Memory([b"entry %d" % i if i < fork else b"forged %d" % i for i in range(self.size)])

    def root(self, size: int) -> bytes:
        """Its root at a size."""
        return root(self.hashes, size)

    def note(self, size: int, *extensions: str) -> bytes:
        """Its signed checkpoint at a size."""
        return sign(
            Checkpoint(self.signer.verifier.name, size, self.root(size), extensions), self.signer
        )

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """That it grew from one size to another."""
        return tuple(consistency_proof(self.hashes, old, new))

    def request(self, old: int, new: int) -> bytes:
        """What it asks of a witness that signed it at one size and is to sign it at another."""
        hashes = self.proof(old, new) if old <= new else ()
        return Request(old, hashes, self.note(new)).encode()


HONEST = History()
FORKED = History(forked_at=10)
