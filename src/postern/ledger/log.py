"""The log of a site: what `append` has taken is durable; what is published others can verify.

1. The journal comes first: an event is kept once the journal has it. Tiles and checkpoint are
   derived from it and can be late, by a crash or a full disk, but never ahead of it.
2. The checkpoint comes last: all that it speaks of is durable before it is put in place.
3. What was published is never taken back. A log whose journal, tiles and checkpoint do not
   continue one another, or what is remembered of it elsewhere, is not opened.
4. The checkpoint of a log without entries is the first file of it, so that one that is missing is
   never made anew of a journal, whose checksums anybody can make.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid
from postern.core.event import Event
from postern.core.ids import EventId
from postern.core.ports import Clock
from postern.ledger import proof as proofs
from postern.ledger.checkpoint import Checkpoint, Opened, open_checkpoint, sign
from postern.ledger.files import make_folder, put, sync_folder, unreadable, unwritable
from postern.ledger.journal import SEGMENT, SPAN, Journal
from postern.ledger.note import Note, Signature, Signer, Verifier, parse_vkey
from postern.ledger.proof import Proof
from postern.ledger.pseudonym import Pseudonyms, month
from postern.ledger.segment import Entry
from postern.ledger.tiles import WIDTH, Tiles, drop_partials, grow
from postern.ledger.tree import EMPTY, read_edge
from postern.ledger.turn import Turn
from postern.ledger.verify import CHECKPOINT, JOURNAL, VKEY, continues

#: Entries that are added to the tree at once.
_AT_ONCE = 256 * WIDTH
_DAY = timedelta(days=1)
#: Held by whoever makes or publishes the log.
_TURN = "publish.lock"
_RESTORE = "Keep a copy of the folder; what can be done next is in docs/ledger.md."


class Log:
    """An open log; usable from any thread. Implements the port `Ledger`.

    Args:
        folder: Where it is.
        signer: Signs its checkpoints.
        journal: Its journal.
        pseudonyms: Under which names its journal has people and vehicles.
        clock: Says how late it is when events expire.
        seen: Size and root of a checkpoint that it must continue.
    """

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        journal: Journal,
        pseudonyms: Pseudonyms,
        clock: Clock,
        seen: tuple[int, bytes],
    ) -> None:
        self.pseudonyms = pseudonyms
        self.verifier = signer.verifier
        self._folder = folder
        self._signer = signer
        self._journal = journal
        self._clock = clock
        self._publishing = Turn(folder / _TURN)
        self._seen = seen  # Guarded by the turn.

    def append(self, event: Event) -> EventId:
        """See `Ledger.append`.

        Raises:
            PosternError: `unavailable` where it cannot be made durable now; `invalid` where it
                cannot be written down, or the journal or a key is damaged.
        """
        return self.append_all((event,))[0]

    def append_all(self, events: Sequence[Event]) -> list[EventId]:
        """Keeps several events in one go, one after the other; as `append`.

        All of them are kept or none, unless they are more than an hour apart.
        """
        first = self._journal.append(self.pseudonyms.hide(events))
        return [EventId(str(index)) for index in range(first, first + len(events))]

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What is kept from that number on, under pseudonyms; what has expired is left out.

        Raises:
            PosternError: `invalid` where the journal is damaged, naming the entry; `unavailable`
                where it cannot be read now.
        """
        return self._journal.read(start)

    def size(self) -> int:
        """How many events have been kept, expired and unpublished ones included."""
        return self._journal.size()

    def publish(self) -> Opened:
        """Makes tiles and a checkpoint of all that is durable, and gives the checkpoint.

        Nothing is signed anew where nothing has come.

        Raises:
            PosternError: `unavailable` where the disk fails; `invalid` where what is there does
                not fit together, or does not continue what was published before; `not_found` where
                the checkpoint is missing. The log stands as it was published before.
        """
        with self._publishing.held():
            return self._publish()

    def checkpoint(self) -> Opened:
        """The checkpoint that is published now.

        Raises:
            PosternError: `not_found` where it is missing; `invalid` or `unauthorized` where it is
                damaged or signed by another key; `unavailable` where it cannot be read now.
        """
        return _read_checkpoint(self._folder, self.verifier)

    def prove(self, index: int, extra: bytes = b"") -> Proof:
        """The proof that the log has an entry; published first where that has not been done.

        Args:
            index: Which entry.
            extra: Travels along, such as the salt and the text of the event.

        Raises:
            PosternError: `invalid` where there is no such entry, or something is damaged;
                `not_found` or `unavailable` where a tile is missing or cannot be read.
        """
        opened = self.checkpoint()
        if index >= opened.checkpoint.size:
            opened = self.publish()
        size = opened.checkpoint.size
        return proofs.prove(Tiles(self._folder, size), index, size, opened.note.encode(), extra)

    def add_cosignatures(self, cosigned: Checkpoint, signatures: Sequence[Signature]) -> bool:
        """Puts witnesses' signatures below the published checkpoint, in place of older ones.

        Whether they hold is for the caller to check; of one key's the last is kept. False where the
        log has been published anew in the meantime, so that they are of a checkpoint of the past.

        Raises:
            PosternError: as `checkpoint`; `invalid` where they are more than are ever read again;
                `unavailable` where it cannot be written now.
        """
        with self._publishing.held():
            opened = self.checkpoint()
            if opened.checkpoint != cosigned:
                return False
            new = {(signature.name, signature.key_id): signature for signature in signatures}
            old = [s for s in opened.note.signatures if (s.name, s.key_id) not in new]
            note = Note(opened.note.text, (*old, *new.values())).encode()
            # A checkpoint that does not read back would stop the log.
            open_checkpoint(note, self.verifier)
            self._put(note)
        return True

    def expire(self, before: datetime) -> None:
        """Destroys what events before that time said; proofs stay.

        An event goes with those of its hour: an hour late at most where no clock was set back.
        Pseudonym keys go with the last event of their month. What is not published stays, also
        where publishing fails.

        Raises:
            PosternError: as `publish`. What was begun is finished at the next call.
        """
        now = self._clock.now().utc
        with self._publishing.held():
            try:
                self._publish()
            finally:
                # A full disk must not keep from making room.
                begun = self._journal.expire(before, now)
                days = (now - _DAY, now, now + _DAY)
                spans = [at + by for at in begun for by in (-SPAN, timedelta(), SPAN)]
                self.pseudonyms.expire({month(at) for at in (*days, *spans)})

    def close(self) -> None:
        """Lets go of the files."""
        self._journal.close()

    def _publish(self) -> Opened:
        opened = self.checkpoint()
        size, root = opened.checkpoint.size, opened.checkpoint.root
        _check_continues(self._folder, opened.checkpoint, self._seen)
        self._seen = size, root
        entries, grown = self._journal.read(size), size
        while leaves := [entry.leaf for entry in islice(entries, _AT_ONCE)]:
            root = grow(self._folder, grown, root, leaves)
            grown += len(leaves)
        if grown == size:
            return opened
        signed = sign(Checkpoint(self.verifier.name, grown, root), self._signer)
        self._put(signed)
        self._seen = grown, root
        drop_partials(self._folder, size, grown)
        return open_checkpoint(signed, self.verifier)

    def _put(self, signed: bytes) -> None:
        put(self._folder / CHECKPOINT, signed)
        sync_folder(self._folder)


def open_log(
    folder: Path, seed: bytes, origin: str, clock: Clock, seen: tuple[int, bytes] | None = None
) -> Log:
    """The log in a folder, made if there is none.

    Args:
        folder: The log's own folder.
        seed: The private key of RFC 8032 that signs checkpoints, 32 bytes.
        origin: The name of a log that is new; one that is there keeps its name.
        clock: Says how late it is when events expire.
        seen: Size and root of the last checkpoint that is remembered elsewhere, if one is. A log
            that has fewer entries was taken away: that is for whoever remembers to tell.

    Raises:
        PosternError: `invalid` where journal, tiles and checkpoint do not continue one another or
            what was seen, or something is damaged; `unauthorized` where the log belongs to another
            key; `not_found` where a tile or the checkpoint is missing; `unavailable` where the disk
            fails.
    """
    try:
        for part in (JOURNAL, "pseudonyms"):
            make_folder(folder / part)
    except OSError as error:
        raise unwritable(error) from None
    with Turn(folder / _TURN).held():
        signer = _signer(folder, seed, origin)

    journal = Journal(
        folder / JOURNAL, lambda: _read_checkpoint(folder, signer.verifier).checkpoint.size
    )
    try:
        published = _read_checkpoint(folder, signer.verifier).checkpoint
        _check(folder, published, journal)
        if seen is None or seen[0] > journal.size():
            seen = published.size, published.root
        _check_continues(folder, published, seen)
    except BaseException:
        journal.close()
        raise
    pseudonyms = Pseudonyms(
        folder / "pseudonyms", lambda named: journal.has(lambda at: month(at) == named)
    )
    return Log(folder, signer, journal, pseudonyms, clock, seen)


def _signer(folder: Path, seed: bytes, origin: str) -> Signer:
    """The key under the name that it had when the log was made."""
    path = folder / VKEY
    try:
        known = parse_vkey(path.read_text().removesuffix("\n"))
    except FileNotFoundError:
        return _begin(folder, Signer(origin, seed))
    except (UnicodeDecodeError, PosternError):
        raise invalid(f"{VKEY} is damaged.", _RESTORE) from None
    except OSError as error:
        raise unreadable(path, error) from None
    signer = Signer(known.name, seed)
    if signer.verifier != known:
        raise PosternError(
            Code.UNAUTHORIZED,
            f"The signing key is not that of the log {known.name}.",
            "Put back the key that this site was set up with.",
        )
    return signer


def _begin(folder: Path, signer: Signer) -> Signer:
    """Gives a log its name and key; one of which there is nothing yet is published as empty."""
    parts = (folder / CHECKPOINT, folder / "tile", *(folder / JOURNAL).glob(f"*{SEGMENT}"))
    if not any(map(os.path.lexists, parts)):
        put(folder / CHECKPOINT, sign(Checkpoint(signer.verifier.name, 0, EMPTY), signer))
        sync_folder(folder)
    # Another key must not leave its name behind.
    _read_checkpoint(folder, signer.verifier)
    put(folder / VKEY, f"{signer.verifier.vkey}\n".encode())
    sync_folder(folder)
    return signer


def _check(folder: Path, published: Checkpoint, journal: Journal) -> None:
    """Sees that tiles, checkpoint and journal continue one another."""
    size = published.size
    tiles = Tiles(folder, size)
    if read_edge(tiles, size).root() != published.root:
        raise invalid("The tiles of the log do not fit its checkpoint.", _RESTORE)
    if journal.size() < size:
        raise invalid(
            f"The journal ends before entry {journal.size()}, and {size} are published.", _RESTORE
        )
    last = max(0, size - 1) // WIDTH
    bundle = tiles.entries(last) if size else []
    for entry in journal.read(last * WIDTH):
        if entry.index < size and entry.leaf != bundle[entry.index - last * WIDTH]:
            raise invalid(f"Entry {entry.index} is not the one that was published.", _RESTORE)


def _check_continues(folder: Path, published: Checkpoint, seen: tuple[int, bytes]) -> None:
    """Sees that what is published has what was seen before, unchanged."""
    if not continues(folder, published, *seen):
        raise invalid(
            "The log does not continue what this site published before, up to entry "
            f"{seen[0] - 1}: it was changed, or an older state of it was put back.",
            _RESTORE,
        )


def _read_checkpoint(folder: Path, log: Verifier) -> Opened:
    path = folder / CHECKPOINT
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise PosternError(Code.NOT_FOUND, f"{CHECKPOINT} is missing.", _RESTORE) from None
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        return open_checkpoint(data, log)
    except PosternError as error:
        what = f"{path} is damaged, or was made with another key: {error.message}"
        raise PosternError(error.code, what, _RESTORE) from None
