"""Checking a whole log, offline, from a copy of its folder.

Everything is computed again from the entries, 256 at a time, and compared with the tiles and the
signed root. Where two files disagree, the level above tells which of them was changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid
from postern.ledger.checkpoint import MOST, Checkpoint, Opened, open_checkpoint
from postern.ledger.files import FROM_COPY, read
from postern.ledger.journal import SEGMENT, first_of
from postern.ledger.leaf import decode
from postern.ledger.note import KeyType, Signed, Verifier, parse_vkey
from postern.ledger.segment import read_frames
from postern.ledger.tiles import ENTRIES, WIDTH, Tiles, pack, tile_path
from postern.ledger.tree import HASH_SIZE, Edge, fold, leaf_hash, read_edge

#: What the files of a log are called.
CHECKPOINT = "checkpoint"
VKEY = "log.vkey"
JOURNAL = "journal"
_PARTIALS = frozenset(map(str, range(1, WIDTH)))


@dataclass(frozen=True, slots=True)
class Verified:
    """A log in which everything fits.

    Attributes:
        checkpoint: What it was checked against.
        log: The key that signed the checkpoint.
        given: Whether that key was given. One that was found beside the log shows damage, but
            whoever forged the log would have put their own there.
        cosigned: The witnesses' signatures that hold, of those that were asked for.
        contents: How many events the journal still has, and are what the log commits to.
        absent: The entries whose events it does not have. What expires goes from the oldest on, so
            that only those from 0 on need not be anybody's doing, or a wrong clock's.
        decoding_s: Seconds that went into reading and decoding the entries.
        hashing_s: Seconds that went into hashing them and comparing the tiles.
    """

    checkpoint: Checkpoint
    log: Verifier
    given: bool
    cosigned: tuple[Signed, ...]
    contents: int
    absent: tuple[range, ...]
    decoding_s: float
    hashing_s: float


def verify_log(
    folder: Path,
    vkey: str | None,
    clock_s: Callable[[], float],
    progress: Callable[[int, int], None],
    *,
    witnesses: tuple[Verifier, ...] = (),
    earlier: bytes | None = None,
) -> Verified:
    """A log in which every entry, tile and the checkpoint fit.

    Memory does not grow with the log.

    Args:
        folder: The log, or a copy of it.
        vkey: The text of the log's public key; None for the one in the folder.
        clock_s: A clock that never goes back, in seconds.
        progress: Is told how many entries of how many are done.
        witnesses: Whose signatures must hold if they are there.
        earlier: A checkpoint that somebody kept, which the log must continue.

    Raises:
        PosternError: At the first thing that does not fit, named in one sentence.
    """
    log = _key(folder, vkey)
    opened = _opened(CHECKPOINT, read(folder, CHECKPOINT), log, witnesses)
    checkpoint = opened.checkpoint
    walk = _Walk(folder, checkpoint)
    decoding_s = hashing_s = 0.0
    for index in range(-(-checkpoint.size // WIDTH)):
        started_s = clock_s()
        entries = list(walk.decoded(index))
        decoded_s = clock_s()
        walk.take(index, entries)
        hashing_s += clock_s() - decoded_s
        decoding_s += decoded_s - started_s
        progress(WIDTH * index + len(entries), checkpoint.size)
    walk.finish()
    if earlier is not None:
        _check_continues(folder, checkpoint, earlier, log, witnesses)
    cosigned = tuple(one for one in opened.signed if one.verifier != log)
    contents, absent = _contents(folder, checkpoint.size)
    return Verified(
        checkpoint, log, vkey is not None, cosigned, contents, absent, decoding_s, hashing_s
    )


def continues(folder: Path, published: Checkpoint, size: int, root: bytes) -> bool:
    """Whether a log whose tiles fit its checkpoint begins with what had that size and root.

    Raises:
        PosternError: Where a tile is missing, or cannot be read now.
    """
    if size < published.size:
        return read_edge(Tiles(folder, published.size), size).root() == root
    return (size, root) == (published.size, published.root)


class _Walk:
    """One pass over a log from its first entry to its last.

    Args:
        folder: The log.
        checkpoint: What it must fit.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint) -> None:
        self._folder = folder
        self._checkpoint = checkpoint
        self._tiles = Tiles(folder, checkpoint.size)
        #: What was computed of the tile that each level is at: hashes side by side.
        self._rows: list[bytes] = []
        self._entries: list[bytes] = []

    def decoded(self, index: int) -> Iterator[bytes]:
        """The entries of a bundle, each of which says its own number."""
        for number, entry in enumerate(self._tiles.read_entries(index), WIDTH * index):
            try:
                sequence = decode(entry).sequence
            except PosternError:
                raise invalid(f"Entry {number} is damaged, {self._where(index)}.") from None
            if sequence != number:
                raise invalid(f"Entry {number} says it is {sequence}, {self._where(index)}.")
            yield entry

    def take(self, index: int, entries: list[bytes]) -> None:
        """Compares the tiles that a bundle completes."""
        self._entries = entries
        level, hashes = 0, b"".join(map(leaf_hash, entries))
        while hashes:
            if level == len(self._rows):
                self._rows.append(b"")
            row, hashes = self._rows[level] + hashes, b""
            if len(row) == WIDTH * HASH_SIZE:
                self._compare(level, index, row)
                row, hashes = b"", fold(row)
            self._rows[level] = row
            level, index = level + 1, index // WIDTH

    def finish(self) -> None:
        """Compares the tiles at the right edge, and the root."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level, self._checkpoint.size >> 8 * (level + 1), row)
        if self._root(self._rows) != self._checkpoint.root:
            raise invalid(
                "The checkpoint is not of these entries, though all tiles fit them: both were "
                "changed, or are of another time."
            )

    def _compare(self, level: int, index: int, row: bytes) -> None:
        stored = self._tiles.tile(level, index)
        if stored != row:
            raise self._blame(level, index, row, stored)
        self._compare_older(level, index, row, lambda width: row[: width * HASH_SIZE])
        if level == 0:
            self._compare_older(ENTRIES, index, row, lambda width: pack(self._entries[:width]))

    def _compare_older(
        self, kind: int | str, index: int, row: bytes, expected: Callable[[int], bytes]
    ) -> None:
        """Compares the partial files that lie there from earlier checkpoints."""
        level = kind if isinstance(kind, int) else 0
        most = self._tiles.width(level, index)
        for width in _widths(self._folder / f"{tile_path(kind, index)}.p"):
            name = tile_path(kind, index, width)
            if width >= most or _read_kept(self._folder, name) in (None, expected(width)):
                continue
            now = tile_path(kind, index, most)
            if self._fits(level, index, row):
                raise invalid(f"{name} is damaged: {now} does not begin with it.")
            raise invalid(f"{name} or {now} was changed: neither fits what is above.")

    def _blame(self, level: int, index: int, row: bytes, stored: bytes) -> PosternError:
        """Which of a tile and what is below it was changed, as the level above tells."""
        at = next(i for i in range(WIDTH) if _differ(row, stored, i * HASH_SIZE))
        first = (WIDTH * index + at) << 8 * level
        below = f"Entry {first}"
        if level:
            below = f"What is logged from entry {first} to {first + (1 << 8 * level) - 1}"
        tile = tile_path(level, index, self._tiles.width(level, index))
        if self._fits(level, index, row):
            return invalid(f"{tile} is damaged: the entries below fit what is above it.")
        if self._fits(level, index, stored):
            return invalid(f"{below} was changed: it does not fit {tile}, which is right.")
        return invalid(f"{below} or {tile} was changed: neither fits what is above.")

    def _fits(self, level: int, index: int, row: bytes) -> bool:
        """Whether a tile's hashes are what the level above was made from."""
        if len(row) < WIDTH * HASH_SIZE:
            rows = [*self._rows[:level], row, *self._rows[level + 1 :]]
            return self._root(rows) == self._checkpoint.root
        try:
            return fold(row) == self._tiles.read(8 * (level + 1), index)
        except PosternError:
            return False

    def _root(self, rows: list[bytes]) -> bytes:
        """The root over the right edge's partial tiles."""
        peaks = []
        for row in reversed(rows):
            while row:
                count = 1 << (len(row) // HASH_SIZE).bit_length() - 1
                peaks.append(fold(row[: count * HASH_SIZE]))
                row = row[count * HASH_SIZE :]
        return Edge(self._checkpoint.size, peaks).root()

    def _where(self, index: int) -> str:
        return f"in {tile_path(ENTRIES, index, self._tiles.width(0, index))}"


def _opened(what: str, data: bytes, log: Verifier, witnesses: tuple[Verifier, ...]) -> Opened:
    try:
        return open_checkpoint(data, log, witnesses)
    except PosternError as error:
        message = f"{what} is damaged, or was made with another key: {error.message}"
        raise PosternError(error.code, message, FROM_COPY) from None


def _check_continues(
    folder: Path,
    checkpoint: Checkpoint,
    earlier: bytes,
    log: Verifier,
    witnesses: tuple[Verifier, ...],
) -> None:
    """Sees that the log has all that a checkpoint speaks of which somebody kept."""
    kept = _opened("The checkpoint that was kept", earlier, log, witnesses).checkpoint
    if kept.size > checkpoint.size:
        raise invalid(
            f"Entries from {checkpoint.size} on are missing: the checkpoint that was kept is of "
            f"{kept.size}."
        )
    if not continues(folder, checkpoint, kept.size, kept.root):
        raise invalid(
            "The log does not continue the checkpoint that was kept: before entry "
            f"{kept.size} another history was written."
        )


def _key(folder: Path, vkey: str | None) -> Verifier:
    beside = folder / VKEY
    found = None
    if vkey is None or beside.exists():
        found = read(folder, VKEY).decode(errors="replace")
    try:
        log = parse_vkey((found or "").removesuffix("\n") if vkey is None else vkey)
    except PosternError as error:
        raise error if vkey is not None else invalid(f"{VKEY} is damaged.", FROM_COPY) from None
    if log.type is not KeyType.LOG:
        raise invalid("This is the key of a witness, not of a log.", "Give that with --witness.")
    if found not in (None, f"{log.vkey}\n"):
        raise invalid(f"{VKEY} is not the key that was given.")
    return log


def _contents(folder: Path, size: int) -> tuple[int, tuple[range, ...]]:
    """Compares the events that are there with the entries, which are right; gives those that are
    not."""
    paths = sorted((folder / JOURNAL).glob(f"*{SEGMENT}"))
    tiles, count, end, absent = Tiles(folder, size), 0, 0, list[range]()
    for path in paths:
        name, first = f"{JOURNAL}/{path.name}", first_of(path)
        # Before the published size events may have expired, also between others.
        if not (end == first or end < first <= size):
            raise invalid(f"{name} does not follow entry {end - 1} of the journal.")
        content = _read_kept(folder, name)
        if content is None:
            continue
        # A crash leaves half an entry only at the end of the last one, which alone may be empty.
        sound = size if path == paths[-1] else MOST
        try:
            entries, _ = read_frames(content, first, sound)
        except PosternError as error:
            raise invalid(f"{name} is damaged: {error.message}", error.hint) from None
        if not (entries or path == paths[-1]):
            raise invalid(f"{name} is empty.")
        for entry in entries:
            if entry.index < size and leaf_hash(entry.leaf) != tiles.read(0, entry.index):
                raise invalid(f"Entry {entry.index} in {name} is not what was logged.")
        if end < first:
            absent.append(range(end, first))
        count, end = count + len(entries), first + len(entries)
    if paths and end < size:
        raise invalid(f"The journal ends before entry {end}, and {size} are published.")
    return count, tuple(absent if paths or not size else [range(size)])


def _read_kept(folder: Path, name: str) -> bytes | None:
    """A file that a log in use may remove at any moment; None where it has."""
    try:
        content = read(folder, name)
    except PosternError as error:
        if error.code is Code.NOT_FOUND:
            return None
        raise
    # What expires has another name before it is overwritten.
    return content if (folder / name).exists() else None


def _widths(folder: Path) -> list[int]:
    """The widths of the partial files in a folder; what is no such file is not of the log."""
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in names if name in _PARTIALS)


def _differ(row: bytes, stored: bytes, at: int) -> bool:
    return row[at : at + HASH_SIZE] != stored[at : at + HASH_SIZE]
