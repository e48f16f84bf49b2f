"""The witness of logs: signs a log's checkpoint only if the log grew (C2SP tlog-witness v1.0.0).

1. Of every log it keeps one checkpoint, the latest that it signed.
2. Comparing with that checkpoint and putting the new one in its place is one step under a lock,
   which threads and processes share.
3. The new one is durable before anybody sees the signature. A crash between the two costs nothing:
   the log asks again and is signed again.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from postern.core.errors import Code, PosternError, invalid
from postern.core.ports import Clock
from postern.ledger import checkpoint as checkpoints
from postern.ledger.checkpoint import Checkpoint, from_decimal
from postern.ledger.files import make_folder, put, sync_folder, unreadable
from postern.ledger.note import Note, Signer, Verifier, from_base64, open_note, parse
from postern.ledger.tree import EMPTY, HASH_SIZE, MOST_HASHES, verify_consistency
from postern.ledger.turn import Turn

#: Bytes of a request. 63 hashes and a note with 100 Ed25519 signatures take a third of it.
MOST_BODY = 64 * 1024
#: Where witnesses are asked.
PATH = "/add-checkpoint"
#: The types of an answer's body, byte for byte; the second one has no encoding in tlog-witness.
PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"

_DAMAGED = (
    "It signs this log no more. Never put back an older copy; docs/ledger.md says what can be done."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a log asks of a witness.

    Attributes:
        old: The size at which the witness signed this log last; 0 where it never did.
        hashes: The proof that the log only grew since then.
        note: The signed checkpoint.
    """

    old: int
    hashes: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The body of the request, which `decode` reads back."""
        lines = (f"old {self.old}", *(b64encode(hash_).decode() for hash_ in self.hashes), "")
        return "".join(f"{line}\n" for line in lines).encode() + self.note


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness says: a status of HTTP, and a body with its type."""

    status: HTTPStatus
    text: str
    media_type: str = PLAIN


class Witness:
    """Signs the checkpoints of the logs that it was told of.

    Args:
        folder: Where it keeps the latest checkpoint of each. Whoever empties or restores it makes
            the witness forget.
        signer: Its key, a witness's.
        logs: The keys of the logs, whose names are their origins; several may share one.
        clock: For the time that a signature states.
    """

    def __init__(
        self, folder: Path, signer: Signer, logs: Iterable[Verifier], clock: Clock
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._clock = clock
        self._logs: dict[str, tuple[Verifier, ...]] = {}
        for log in logs:
            self._logs[log.name] = (*self._logs.get(log.name, ()), log)

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a request; with the witness's signature line where all is well.

        Raises:
            PosternError: `unavailable` where what it keeps cannot be read or written now;
                `invalid` or `unauthorized` where that is damaged or another key's.
        """
        try:
            request = decode(body)
            note = parse(request.note)
            claimed = checkpoints.decode(note.text, foreign=True)
        except PosternError as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error.message}\n")
        keys = self._logs.get(claimed.origin)
        if keys is None:
            return Answer(HTTPStatus.NOT_FOUND, "This log is not known here.\n")
        try:
            open_note(request.note, keys)
        except PosternError:
            return Answer(HTTPStatus.FORBIDDEN, "The log has not signed this.\n")
        if request.old > claimed.size:
            return Answer(HTTPStatus.BAD_REQUEST, "The log is smaller than the old size.\n")
        signed = next(s for s in note.signatures if any(key.made(s) for key in keys))
        return self._judge(request, claimed, Note(note.text, (signed,)))

    def _judge(self, request: Request, claimed: Checkpoint, note: Note) -> Answer:
        file = self._folder / sha256(claimed.origin.encode()).hexdigest()
        make_witness_folder(self._folder)
        with Turn(file.with_suffix(".lock")).held():
            latest = self._latest(file, claimed.origin)
            grown = claimed.size > latest.size
            if request.old != latest.size or not (grown or claimed.root == latest.root):
                return Answer(HTTPStatus.CONFLICT, f"{latest.size}\n", SIZE)
            try:
                verify_consistency(
                    latest.size, claimed.size, latest.root, claimed.root, request.hashes
                )
            except PosternError as error:
                return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error.message}\n")
            signature = self._signer.sign(note.text, int(self._clock.now().utc.timestamp()))
            if grown:
                put(file, Note(note.text, (*note.signatures, signature)).encode())
            # Also where it did not grow: an earlier request may have failed or died just here.
            sync_folder(self._folder)
            return Answer(HTTPStatus.OK, signature.line())

    def _latest(self, file: Path, origin: str) -> Checkpoint:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return Checkpoint(origin, 0, EMPTY)
        except OSError as error:
            raise unreadable(file, error) from None
        try:
            note, _ = open_note(data, (self._signer.verifier,))
            latest = checkpoints.decode(note.text, foreign=True)
            if latest.origin != origin:
                raise invalid(f"It is of {latest.origin}.")
        except PosternError as error:
            what = f"{file}, which the witness keeps of {origin}, is damaged: {error.message}"
            raise PosternError(error.code, what, _DAMAGED) from None
        return latest


def make_witness_folder(folder: Path) -> None:
    """Makes a folder of a witness, where there is none.

    Raises:
        PosternError: `unavailable` where it cannot be made.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The folder {folder} cannot be made: {error.strerror}.",
            "Check that no file is in its place, and that the disk is not full or read-only.",
        ) from None


def decode(body: bytes) -> Request:
    """A request from its body; nothing in it has been checked but how it is written.

    Raises:
        PosternError: `invalid` where it is not exactly what a request is written as.
    """
    head, _, note = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed() from None
    if not (first.startswith("old ") and len(lines) <= MOST_HASHES and len(body) <= MOST_BODY):
        raise _malformed()
    hashes = tuple(from_base64(line) for line in lines)
    if any(len(hash_) != HASH_SIZE for hash_ in hashes):
        raise _malformed()
    return Request(from_decimal(first.removeprefix("old ")), hashes, note)


def _malformed() -> PosternError:
    return invalid("This is not a request of a log.")
