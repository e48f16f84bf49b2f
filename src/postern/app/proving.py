"""Proofs of single events that others can check offline, and checking them.

A proof (C2SP tlog-proof) carries, as its extra data, the entry and what opens the entry's
commitment: 41 bytes, then, where the event has not expired, its salt of 32 bytes and its text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from postern.app.damage import own_files
from postern.app.witness_client import Misconfigured, Submission, WitnessClient
from postern.core.errors import Code, PosternError, invalid
from postern.engine.supervise import shielded
from postern.ledger import leaf as leaves
from postern.ledger import proof as proofs
from postern.ledger.checkpoint import Opened, open_checkpoint
from postern.ledger.note import Note, Signed, Verifier
from postern.ledger.segment import Entry
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


@dataclass(frozen=True, slots=True)
class Made:
    """A proof that was made here.

    Attributes:
        file: The proof, as a file.
        shown: What it shows.
        broken: Witnesses whose signature below the published checkpoint did not hold.
        asked: Witnesses that were asked for a signature, and what came of it.
    """

    file: bytes
    shown: Proved
    broken: tuple[str, ...] = ()
    asked: tuple[tuple[str, Submission], ...] = ()


def prove(
    log: ProvedLog, tiles: Callable[[int], Tiles], clients: Sequence[WitnessClient], index: int
) -> Made:
    """The proof of one event; under a checkpoint that witnesses signed, if any did.

    Args:
        log: The log.
        tiles: Its files at a size that was published.
        clients: Its witnesses; they are asked where none has signed the event yet, and one whose
            signature is broken is asked for another. What they answer fails no proof.
        index: The number of the event.

    Raises:
        PosternError: `not_found` where there is no such event, or a file of the log is missing;
            `invalid` where it is damaged; `unavailable` where it cannot be read or published now.
    """
    known = _known(log, clients)
    published = known[-1]
    if not 0 <= index < published.checkpoint.size:
        raise PosternError(
            Code.NOT_FOUND,
            f"There is no event {index}.",
            f"The log has {published.checkpoint.size}, the first of which is event 0.",
        )
    keys = tuple(client.verifier for client in clients)
    broken = [client for client in clients if not _sound(published.note, client.verifier)]
    made = _strongest(log, tiles, known, keys, index)
    asked = []
    for client in broken if made.shown.witnesses else clients:
        asked.append((client.name, shielded(client.submit, Misconfigured)))
    if asked:
        made = _strongest(log, tiles, _known(log, clients), keys, index)
    return replace(made, broken=tuple(client.name for client in broken), asked=tuple(asked))


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


def _known(log: ProvedLog, clients: Sequence[WitnessClient]) -> list[Opened]:
    """What every witness signed last, as far as is known here, then what is published now."""
    latest = [latest for client in clients if (latest := client.latest())]
    return [*latest, log.publish()]


def _strongest(
    log: ProvedLog,
    tiles: Callable[[int], Tiles],
    known: Sequence[Opened],
    keys: tuple[Verifier, ...],
    index: int,
) -> Made:
    """The proof under the checkpoint that most witnesses signed, the largest of those.

    A log that was rolled back does not lead to what was signed of it before: then the next.
    """
    texts = {opened.note.text for opened in known if opened.checkpoint.size > index}
    merged = [_merged(text, known, log.verifier, keys) for text in texts]
    merged.sort(key=lambda opened: (len(opened.signed), opened.checkpoint.size))
    with own_files():
        while True:
            try:
                return _under(log, tiles, merged.pop(), keys, index)
            except PosternError as error:
                if error.retry_helps or not merged:
                    raise


def _under(
    log: ProvedLog,
    tiles: Callable[[int], Tiles],
    opened: Opened,
    keys: tuple[Verifier, ...],
    index: int,
) -> Made:
    """The proof under one checkpoint, which has been checked."""
    files = tiles(opened.checkpoint.size)
    entry = files.entries(index // WIDTH)[index % WIDTH]
    extra = entry + _opening(log, index, entry)
    proof = proofs.prove(files, index, files.size, opened.note.encode(), extra).encode()
    return Made(proof, check(proof, log.verifier, keys))


def _merged(
    text: str, known: Sequence[Opened], log: Verifier, keys: tuple[Verifier, ...]
) -> Opened:
    """One checkpoint with every signature that is known of it, one by each.

    What a disk made of a witness's signature is left out: it would refuse the whole checkpoint.
    """
    signatures = {
        (signature.name, signature.key_id): signature
        for opened in known
        if opened.note.text == text
        for signature in opened.note.signatures
        if all(_sound(Note(text, (signature,)), key) for key in keys)
    }
    return open_checkpoint(Note(text, tuple(signatures.values())).encode(), log, keys)


def _sound(note: Note, key: Verifier) -> bool:
    """Whether every signature of a note that says that it is by a key holds."""
    try:
        for signature in filter(key.made, note.signatures):
            key.check(note.text, signature)
    except PosternError:
        return False
    return True


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
