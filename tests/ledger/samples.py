"""A log's key, a witness's key, and logs of any size."""

from hashlib import sha256
from pathlib import Path
from zlib import crc32

from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.files import put
from postern.ledger.leaf import Leaf, commit
from postern.ledger.note import KeyType, Signer
from postern.ledger.segment import read_frames
from postern.ledger.tiles import drop_partials, grow
from postern.ledger.tree import EMPTY, Edge, leaf_hash, node_hash
from postern.ledger.verify import CHECKPOINT, VKEY

ORIGIN = "postern.example/front"
LOG = Signer(ORIGIN, bytes(range(32)))
OTHER = Signer(ORIGIN, bytes(range(1, 33)))
WITNESS = Signer("witness.example/w1", bytes(range(2, 34)), KeyType.WITNESS)
NOW_S = 1_790_000_000


class Memory:
    """The hashes of a log, all of them, in memory.

    Args:
        entries: The log's entries.
    """

    def __init__(self, entries: list[bytes]) -> None:
        self._levels = [[leaf_hash(entry) for entry in entries]]
        while len(self._levels[-1]) > 1:
            row = self._levels[-1]
            self._levels.append(
                [node_hash(*pair) for pair in zip(row[::2], row[1::2], strict=False)]
            )

    def read(self, level: int, index: int) -> bytes:
        """The root of a complete subtree."""
        return self._levels[level][index]


def entries(size: int, first: int = 0) -> list[bytes]:
    """The entries of the sample log from a number on."""
    return [Leaf(i, sha256(b"event %d" % i).digest()).encode() for i in range(first, size)]


def root(size: int) -> bytes:
    """The root of the sample log."""
    edge = Edge()
    for entry in entries(size):
        edge.append(leaf_hash(entry))
    return edge.root()


def rewrite_event(segment: Path, index: int, old: str, new: str) -> None:
    """Makes a journal say that something else happened, as anybody can: it needs no secret."""
    first, content = int(segment.stem), segment.read_bytes()
    frames = b""
    for entry in read_frames(content, first, 0)[0]:
        text = entry.text.replace(old, new) if entry.index == index else entry.text
        assert entry.index != index or text != entry.text
        data = text.encode()
        leaf = Leaf(entry.index, commit(entry.salt, data)).encode()
        payload = leaf + entry.salt + len(data).to_bytes(4) + data
        checksum = crc32(payload, crc32(len(payload).to_bytes(4)))
        frames += len(payload).to_bytes(4) + checksum.to_bytes(4) + payload
    segment.write_bytes(frames)


def write_log(folder: Path, *sizes: int) -> Checkpoint:
    """The sample log, with a checkpoint at each size; gives the last."""
    old, old_root = 0, EMPTY
    for size in sizes:
        old_root = grow(folder, old, old_root, entries(size, old))
        put(folder / CHECKPOINT, sign(Checkpoint(ORIGIN, size, old_root), LOG))
        drop_partials(folder, old, size)
        old = size
    put(folder / VKEY, f"{LOG.verifier.vkey}\n".encode())
    return Checkpoint(ORIGIN, old, old_root)
