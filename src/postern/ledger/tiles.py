"""The tree and its entries in files of 256 each (C2SP tlog-tiles v0.1.0).

A tile of level 0 holds hashes of entries; one of level L + 1 holds the roots of the full tiles of
level L. A tile at the right edge is partial: its name says how many hashes it has, so that every
file stays as it was written.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid
from postern.ledger.files import FROM_COPY, put, read, sync_folder
from postern.ledger.tree import HASH_SIZE, fold, leaf_hash, read_edge

#: Hashes in a full tile, entries in a full bundle.
WIDTH = 256
_BITS = 8
#: Bytes.
_FULL = WIDTH * HASH_SIZE
#: What stands in place of a tile's level where entries are.
ENTRIES = "entries"
#: Bytes: an entry's length is written in two.
MOST_ENTRY = 2**16 - 1


class Tiles:
    """The tiles and entries of a log of a certain size.

    Args:
        folder: Where the log is; tiles are in `tile/` below.
        size: How many entries the log has, as a checkpoint says.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self.size = size
        self._latest: dict[int, tuple[int, bytes]] = {}

    def read(self, level: int, index: int) -> bytes:
        """The root over the 2**level entries that start at entry index * 2**level.

        Raises:
            PosternError: `not_found` where its tile is missing; `invalid` where the tile has
                another length than it must have, or the log has no such entries;
                `unavailable` where the tile cannot be read now.
        """
        if not 0 <= index << level < (index + 1) << level <= self.size:
            raise invalid(f"A log of {self.size} entries has no such hash.")
        tile, first = divmod(index << level % _BITS, WIDTH)
        row = self.tile(level // _BITS, tile)
        return fold(row[first * HASH_SIZE : (first + (1 << level % _BITS)) * HASH_SIZE])

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, side by side; the latest of each level is kept at hand.

        Raises:
            PosternError: as `read`.
        """
        latest = self._latest.get(level)
        if latest is None or latest[0] != index:
            latest = self._latest[level] = index, self._tile(level, index)
        return latest[1]

    def edge(self, level: int) -> bytes:
        """The hashes of the partial tile of a level; none where all its tiles are full.

        Raises:
            PosternError: as `read`.
        """
        index, width = divmod(self.size >> _BITS * level, WIDTH)
        return self.tile(level, index) if width else b""

    def entries(self, index: int) -> list[bytes]:
        """The entries of a bundle.

        Raises:
            PosternError: as `read`.
        """
        return list(self.read_entries(index))

    def read_entries(self, index: int) -> Iterator[bytes]:
        """The entries of a bundle, one by one: what is damaged later does not hide the first.

        Raises:
            PosternError: as `read`.
        """
        name, whole, width = self._load(ENTRIES, index)
        count = 0
        for count, entry in enumerate(_split(whole, name, index), 1):
            if count <= width:
                yield entry
        if count != _name_width(name):
            raise invalid(f"{name} has {count} entries.")

    def width(self, level: int, index: int) -> int:
        """How many hashes a tile has; a bundle has as many entries as its tile of level 0."""
        return max(0, min(WIDTH, (self.size >> _BITS * level) - WIDTH * index))

    def _tile(self, level: int, index: int) -> bytes:
        name, whole, width = self._load(level, index)
        if len(whole) != _name_width(name) * HASH_SIZE:
            raise invalid(f"{name} has {len(whole)} bytes.")
        return whole[: width * HASH_SIZE]

    def _load(self, level: int | str, index: int) -> tuple[str, bytes, int]:
        """Name and content of a file, and how much of it is this log's.

        Where a log has grown, the full file may have taken the place of the partial one.
        """
        width = self.width(level if isinstance(level, int) else 0, index)
        partial = tile_path(level, index, width)
        for name in (partial, tile_path(level, index)):
            try:
                return name, read(self._folder, name), width
            except PosternError as error:
                if error.code is not Code.NOT_FOUND:
                    raise
        raise PosternError(Code.NOT_FOUND, f"{partial} is missing.", FROM_COPY)


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Where a tile is below the log's folder; `ENTRIES` in place of a level: where entries are."""
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *above, last = (digits[i : i + 3] for i in range(0, len(digits), 3))
    partial = f".p/{width}" if width < WIDTH else ""
    return "/".join(["tile", str(level), *(f"x{group}" for group in above), last + partial])


def pack(entries: Sequence[bytes]) -> bytes:
    """Entries as a bundle has them: each with its length before it."""
    return b"".join([len(entry).to_bytes(2) + entry for entry in entries])


def grow(folder: Path, size: int, root: bytes, entries: Sequence[bytes]) -> bytes:
    """Writes what comes of a log when entries are added; gives its new root.

    All is durable on return, and nothing that was there is changed but replaced by the same. What
    is there is compared with the root first, so that damage never gets into a signed tree.

    Args:
        folder: Where the log is.
        size: How many entries it has.
        root: Their root.
        entries: Those that come next.

    Raises:
        PosternError: `invalid` where what is there does not fit the root, or an entry is too long;
            `not_found` where it is missing; `unavailable` where the disk fails.
    """
    tiles = Tiles(folder, size)
    first, width = divmod(size, WIDTH)
    begun = tiles.entries(first) if width else []
    edge = read_edge(tiles, size)
    if edge.root() != root or b"".join(map(leaf_hash, begun)) != tiles.edge(0):
        raise invalid("The files of the log do not fit its last checkpoint.")
    leaves = [leaf_hash(entry) for entry in entries]
    for leaf in leaves:
        edge.append(leaf)
    folders = _put_entries(folder, first, [*begun, *entries])
    folders |= _put_tiles(tiles, folder, b"".join(leaves))
    for touched in folders:
        sync_folder(touched)
    return edge.root()


def drop_partials(folder: Path, old: int, new: int) -> None:
    """Removes partial tiles whose full ones came when a log grew, once that is published.

    What cannot be removed stays: the format allows for both.
    """
    _drop(folder, ENTRIES, old // WIDTH, new // WIDTH)
    level = 0
    while new >> _BITS * level:
        _drop(folder, level, old >> _BITS * (level + 1), new >> _BITS * (level + 1))
        level += 1


def _name_width(name: str) -> int:
    return int(name.rpartition("/")[2]) if ".p/" in name else WIDTH


def _split(bundle: bytes, name: str, index: int) -> Iterator[bytes]:
    at, number = 0, WIDTH * index
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start])
        if at > len(bundle):
            raise invalid(f"{name} is cut off in entry {number}.")
        yield bundle[start:at]
        number += 1


def _put_entries(folder: Path, first: int, entries: Sequence[bytes]) -> set[Path]:
    folders = set()
    for at in range(0, len(entries), WIDTH):
        bundle = entries[at : at + WIDTH]
        if max(map(len, bundle)) > MOST_ENTRY:
            raise invalid(f"An entry has more than {MOST_ENTRY} bytes.")
        path = folder / tile_path(ENTRIES, first + at // WIDTH, len(bundle))
        put(path, pack(bundle))
        folders.add(path.parent)
    return folders


def _put_tiles(tiles: Tiles, folder: Path, added: bytes) -> set[Path]:
    folders, level = set(), 0
    while added:
        row = tiles.edge(level) + added
        first = (tiles.size >> _BITS * level) // WIDTH
        added = b""
        for at in range(0, len(row), _FULL):
            part = row[at : at + _FULL]
            path = folder / tile_path(level, first + at // _FULL, len(part) // HASH_SIZE)
            put(path, part)
            folders.add(path.parent)
            added += fold(part) if len(part) == _FULL else b""
        level += 1
    return folders


def _drop(folder: Path, level: int | str, first: int, end: int) -> None:
    for index in range(first, end):
        shutil.rmtree(folder / f"{tile_path(level, index)}.p", ignore_errors=True)
