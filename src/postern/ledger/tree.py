"""The Merkle tree: roots, proofs that an entry is in it, and proofs that it only grew.

Everything is RFC 9162 section 2.1, whose hashes are those of RFC 6962. A tree of `size` entries is
cut into complete subtrees, the largest to the left; all that is asked of a store is their roots.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Protocol

from postern.core.errors import PosternError, invalid

#: Bytes.
HASH_SIZE = 32
#: The root of the tree without entries (RFC 9162, section 2.1.1).
EMPTY = sha256(b"").digest()
#: A proof has one hash a level, and sizes fit in 63 bits.
MOST_HASHES = 63


class Hashes(Protocol):
    """Where the roots of complete subtrees are read."""

    def read(self, level: int, index: int) -> bytes:
        """The root over the 2**level entries that start at entry index * 2**level."""
        ...


class Edge:
    """The right edge of a growing tree: the roots of its complete subtrees, and nothing else.

    Args:
        size: How many entries the tree has.
        peaks: The roots of its complete subtrees from left to right; as many as `size` has ones.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise invalid(f"A tree of {size} entries has {size.bit_count()} complete subtrees.")
        self.size = size
        self._peaks = list(peaks)

    def append(self, leaf: bytes) -> None:
        """Adds the hash of the next entry."""
        level, node = self.size, leaf
        while level & 1:
            node = node_hash(self._peaks.pop(), node)
            level >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all entries so far."""
        return _join(self._peaks)


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees that lie side by side."""
    return sha256(b"\x01" + left + right).digest()


def fold(row: bytes) -> bytes:
    """The root over a row of hashes that stand side by side, a power of two of them."""
    while len(row) > HASH_SIZE:
        pairs = range(0, len(row), 2 * HASH_SIZE)
        row = b"".join([sha256(b"\x01" + row[i : i + 64]).digest() for i in pairs])
    return row


def read_edge(hashes: Hashes, size: int) -> Edge:
    """The right edge of the tree of the first `size` entries."""
    return Edge(size, [hashes.read(level, index) for level, index in _complete(0, size)])


def root(hashes: Hashes, size: int) -> bytes:
    """The root of the tree of the first `size` entries."""
    return _range_root(hashes, 0, size)


def inclusion_proof(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """What it takes to come from one entry to the root (RFC 9162, section 2.1.3.1).

    Raises:
        PosternError: `invalid` where the tree has no such entry.
    """
    if not 0 <= index < size:
        raise invalid(f"A log of {size} entries has no entry {index}.")
    return _path(hashes, index, size)


def consistency_proof(hashes: Hashes, old: int, new: int) -> list[bytes]:
    """What it takes to see that a tree only grew (RFC 9162, section 2.1.4.1).

    Nothing is needed where the tree was empty or did not grow.

    Raises:
        PosternError: `invalid` where the tree would have shrunk.
    """
    if not 0 <= old <= new:
        raise invalid(f"A log of {new} entries never had {old}.")
    return _path(hashes, old - 1, new, old) if old else []


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Sees that an entry is in a tree: takes and refuses what RFC 9162, section 2.1.3.2 does.

    Args:
        index: Which entry, from 0 on.
        size: How many entries the tree has.
        leaf: The hash of the entry.
        proof: From the entry's sibling up; one hash more or less than needed is refused.
        root: The tree's root.

    Raises:
        PosternError: `invalid` where the proof does not show it.
    """
    if not (0 <= index < size and _are_hashes(leaf, *proof, root)):
        raise _unproven()
    path = list(proof)
    try:
        found = _root_over(index, size, leaf, path)
    except IndexError:
        raise _unproven() from None
    if path or found != root:
        raise _unproven()


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Sees that the entries of one tree are the first of another.

    Takes and refuses what RFC 9162, section 2.1.4.2 does. The RFC leaves out trees that were empty
    or did not grow: those take an empty proof, and the empty tree has the one root it can have.

    Raises:
        PosternError: `invalid` where the proof does not show it.
    """
    if not (0 <= old <= new and _are_hashes(old_root, new_root, *proof)):
        raise _inconsistent()
    path, found = list(proof), (EMPTY, new_root if new else EMPTY)
    try:
        if old:
            found = _roots_over(old, new, old_root, path)
    except IndexError:
        raise _inconsistent() from None
    if path or found != (old_root, new_root):
        raise _inconsistent()


def _path(hashes: Hashes, index: int, size: int, old: int = 0) -> list[bytes]:
    """The siblings on the way from the root to an entry, the last one first.

    Where the way comes to a subtree with which an old tree ends, it ends there. That subtree goes
    along, unless it is the whole old tree, whose root everybody has.
    """
    proof, start, end = [], 0, size
    while end - start > 1 and end != old:
        middle = start + _left(end - start)
        if index < middle:
            proof.append(_range_root(hashes, middle, end))
            end = middle
        else:
            proof.append(_range_root(hashes, start, middle))
            start = middle
    if old and start:
        proof.append(_range_root(hashes, start, end))
    return proof[::-1]


def _root_over(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that a path leads to; takes from the path what it needs."""
    if size == 1:
        return leaf
    sibling, middle = path.pop(), _left(size)
    if index < middle:
        return node_hash(_root_over(index, middle, leaf, path), sibling)
    return node_hash(sibling, _root_over(index - middle, size - middle, leaf, path))


def _roots_over(old: int, new: int, known: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root that a path leads to; `known` is empty right of the whole."""
    if old == new:
        node = known or path.pop()
        return node, node
    sibling, middle = path.pop(), _left(new)
    if old <= middle:
        first, second = _roots_over(old, middle, known, path)
        return first, node_hash(second, sibling)
    first, second = _roots_over(old - middle, new - middle, b"", path)
    return node_hash(sibling, first), node_hash(sibling, second)


def _left(count: int) -> int:
    """The largest power of two that is smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Level and index of the complete subtrees of a range that a tree cuts at `start`."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _range_root(hashes: Hashes, start: int, end: int) -> bytes:
    return _join([hashes.read(level, index) for level, index in _complete(start, end)])


def _join(peaks: Sequence[bytes]) -> bytes:
    found = peaks[-1] if peaks else EMPTY
    for peak in reversed(peaks[:-1]):
        found = node_hash(peak, found)
    return found


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(hash_) == HASH_SIZE for hash_ in hashes)


def _unproven() -> PosternError:
    return invalid("The proof does not show that the entry is in the log.")


def _inconsistent() -> PosternError:
    return invalid("The proof does not show that the log only grew.")
