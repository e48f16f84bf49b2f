"""Proofs of single events that others can check offline, and checking them.

A proof (C2SP tlog-proof) carries, as its extra data, the entry and what opens the entry's
commitment: 41 bytes, then, where the event has not expired, its salt of 32 bytes and its text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from postern.app.witness_client import WitnessClient
from postern.core.errors import Code, PosternError, invalid
from postern.ledger import leaf as leaves
from postern.ledger import proof as proofs
from postern.ledger.checkpoint import Opened, open_checkpoint
from postern.ledger.journal import Entry
from postern.ledger.note import Note, Signed, Verifier
from postern.ledger.tiles import WIDTH, Tiles

#: Bytes. An event's text has at most 65,535; the rest is some kilobytes.
MOST_PROOF = 1 << 18


class ProvedLog(Protocol):
    """The log whose events are proved."""

    @property
    def verifier(self) -> Verifier:
        """Its key."""
        ...

    def publish(self) -> Opened:
        """Makes a checkpoint of all that is durable.

        Raises:
            PosternError: Where that is not possible now, or the log is damaged.
        """
        ...

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What has not expired, from that number on.

        Raises:
            PosternError: Where it cannot be read now, or is damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof shows.

    Attributes:
        index: The number of the event.
        text: The event, under pseudonyms; None where it had expired when the proof was made.
        opened: The checkpoint of the tree that the event is in.
        witnesses: Known witnesses that signed this checkpoint.
    """

    index: int
    text: str | None
    opened: Opened
    witnesses: tuple[Signed, ...]


def prove(
    log: ProvedLog, tiles: Callable[[int], Tiles], clients: Sequence[WitnessClient], index: int
) -> bytes:
    """The proof of one event, as a file; under a checkpoint that witnesses signed, if any did.

    Args:
        log: The log.
        tiles: Its files at a size that was published.
        clients: Its witnesses; they are asked where none has signed the event yet.
        index: The number of the event.

    Raises:
        PosternError: `not_found` where there is no such event; `invalid` where the log is
            damaged; `unavailable` where it cannot be read or published now.
    """
    published = log.publish()
    if not 0 <= index < published.checkpoint.size:
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no event {index}.",
            f"The log has {published.checkpoint.size}, the first of which is event 0.",
        )
    keys = tuple(client.verifier for client in clients)
    best = _best(published, clients, log.verifier, index)
    if clients and not any(signed.verifier in keys for signed in best.signed):
        for client in clients:
            client.submit()
        best = _best(published, clients, log.verifier, index)
    size = best.checkpoint.size
    entry = tiles(size).entries(index // WIDTH)[index % WIDTH]
    extra = entry + _opening(log, index, entry)
    made = proofs.prove(tiles(size), index, size, best.note.encode(), extra).encode()
    check(made, log.verifier, keys)
    return made


def check(data: bytes, log: Verifier, witnesses: tuple[Verifier, ...] = ()) -> Proved:
    """What a proof shows, having checked all of it, offline.

    Args:
        data: The file.
        log: The key of the log.
        witnesses: Keys of witnesses that are trusted; others are ignored.

    Raises:
        PosternError: `invalid` where anything does not fit; `unauthorized` where the log's key
            has not signed it.
    """
    if len(data) > MOST_PROOF:
        raise invalid("This is far too long for a proof of an event.")
    proof = proofs.decode(data)
    entry, opening = proof.extra[: leaves.LEAF_SIZE], proof.extra[leaves.LEAF_SIZE :]
    leaf = leaves.decode(entry)
    opened = proofs.verify(proof, entry, log, witnesses)
    if leaf.sequence != proof.index:
        raise invalid(f"The entry at {proof.index} says that it is entry {leaf.sequence}.")
    text = _text(opening, leaf.commitment) if opening else None
    signed = tuple(one for one in opened.signed if one.verifier in witnesses)
    return Proved(proof.index, text, opened, signed)


def _best(published: Opened, clients: Sequence[WitnessClient], log: Verifier, index: int) -> Opened:
    """The checkpoint that covers an event and that most witnesses signed; the largest of those."""
    keys = tuple(client.verifier for client in clients)
    known = [published, *(latest for client in clients if (latest := client.latest()))]
    texts = {opened.note.text for opened in known if opened.checkpoint.size > index}
    merged = [_merged(text, known, log, keys) for text in texts]
    return max(merged, key=lambda opened: (len(opened.signed), opened.checkpoint.size))


def _merged(
    text: str, known: Sequence[Opened], log: Verifier, keys: tuple[Verifier, ...]
) -> Opened:
    """One checkpoint with every signature that is known of it, one by each."""
    signatures = {
        (signature.name, signature.key_id): signature
        for opened in known
        if opened.note.text == text
        for signature in opened.note.signatures
    }
    return open_checkpoint(Note(text, tuple(signatures.values())).encode(), log, keys)


def _opening(log: ProvedLog, index: int, entry: bytes) -> bytes:
    kept = next(log.entries(index), None)
    if kept is None or kept.index != index:
        return b""
    if kept.leaf != entry:
        raise invalid(f"The journal's event {index} is not what the log committed to.")
    return kept.salt + kept.text.encode()


def _text(opening: bytes, commitment: bytes) -> str:
    salt, text = opening[: leaves.SALT_SIZE], opening[leaves.SALT_SIZE :]
    if leaves.commit(salt, text) != commitment:
        raise invalid("The event in this proof is not the one that the log committed to.")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise invalid("The event in this proof is not a text.") from None
