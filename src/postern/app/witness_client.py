"""Asking a witness to sign this site's log, and what its answer says of the log."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Protocol

import httpx

from postern.app.damage import own_files
from postern.app.witness import WitnessEntry, parse_witness_key
from postern.core.errors import PosternError
from postern.ledger.checkpoint import Checkpoint, Opened, from_decimal, open_checkpoint
from postern.ledger.files import make_folder, put, sync_folder, unwritable
from postern.ledger.note import Note, Signature, Verifier, parse
from postern.ledger.tree import Hashes, consistency_proof, root, verify_consistency
from postern.ledger.turn import Turn
from postern.ledger.witness import PATH, Request

#: Seconds for a whole exchange with a witness.
TIMEOUT_S = 10.0
#: Bytes of an answer. A signature line takes some 150; one of another kind of key, 3,300.
MOST_ANSWER = 32 * 1024
#: Answers after which trying again helps, without anybody having changed anything.
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class WitnessedLog(Protocol):
    """The log that is witnessed."""

    @property
    def verifier(self) -> Verifier:
        """Its key."""
        ...

    def checkpoint(self) -> Opened:
        """The checkpoint that is published now.

        Raises:
            PosternError: Where there is none that holds, or it cannot be read now.
        """
        ...

    def add_cosignatures(self, cosigned: Checkpoint, signatures: Sequence[Signature]) -> bool:
        """Keeps what witnesses signed of a checkpoint, as long as it is the published one.

        Raises:
            PosternError: `unavailable` where it cannot be written now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness has signed the log at this size."""

    size: int


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing came of it now; trying again may help."""

    sentence: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The witness has signed entries that the log does not have: it was wiped, rolled back, or
    written anew."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """The witness will never sign until its or this site's settings are changed."""

    sentence: str


Submission = Cosigned | Unreachable | RolledBack | Misconfigured


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes


class WitnessClient:
    """Asks one witness. One thread at a time.

    Args:
        entry: Which.
        folder: Where the checkpoint that it signed last is kept, in a file of the witness's name.
        log: The log.
        hashes: Its tree at a size that was published.
        timeout_s: Seconds for a whole submission; looking up the witness's name may add what the
            system's resolver takes.
    """

    def __init__(
        self,
        entry: WitnessEntry,
        folder: Path,
        log: WitnessedLog,
        hashes: Callable[[int], Hashes],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = entry.name
        self.verifier = parse_witness_key(entry.key)
        self._url = entry.url.rstrip("/") + PATH
        self._file = folder / entry.name
        self._turn = Turn(folder / f"{entry.name}.lock")
        self._log = log
        self._hashes = hashes
        self._timeout_s = timeout_s

    def submit(self) -> Submission:
        """What came of asking for a signature of the log as it is published now.

        Raises:
            PosternError: Where the log is damaged or cannot be read, or the signature cannot be
                kept.
        """
        try:
            return self._negotiate(monotonic() + self._timeout_s)
        except TimeoutError:
            why = f"it took longer than {self._timeout_s:g} seconds"
        except httpx.InvalidURL:
            return Misconfigured("The witness's address cannot be used.")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            # Further words of the library's would be about its own parts.
            why = f"the connection failed ({type(error).__name__})"
        return Unreachable(f"The witness cannot be reached: {why}.")

    def published(self) -> int:
        """The size at which the log is published now.

        Raises:
            PosternError: Where the log cannot be read.
        """
        return self._log.checkpoint().checkpoint.size

    def latest(self) -> Opened | None:
        """The checkpoint that the witness signed last, as far as is known here."""
        try:
            data = self._file.read_bytes()
            opened = open_checkpoint(data, self._log.verifier, (self.verifier,))
        except (OSError, PosternError):
            # The witness itself tells where it stands.
            return None
        by_witness = any(signed.verifier == self.verifier for signed in opened.signed)
        return opened if by_witness else None

    def acknowledged(self) -> int:
        """The size at which the witness signed last, as far as is known here; else 0."""
        latest = self.latest()
        return latest.checkpoint.size if latest else 0

    def _negotiate(self, until_s: float) -> Submission:
        """Asks, and a second time where the witness stands elsewhere than is known here."""
        opened = self._log.checkpoint()
        old = min(self.acknowledged(), opened.checkpoint.size)
        for _ in range(2):
            reply = asyncio.run(self._ask(self._request(old, opened), until_s - monotonic()))
            if reply.status != HTTPStatus.CONFLICT:
                return self._judge(reply, opened, old)
            latest = _size(reply.body)
            if latest is None and old == opened.checkpoint.size:
                # Of the same size and another root. tlog-witness asks for no size to be told here.
                return self._rolled_back(old, old)
            if latest is None:
                return Misconfigured("The witness tells no size that could be understood.")
            # Another process of this site may have published and submitted meanwhile.
            opened = self._log.checkpoint()
            if latest > opened.checkpoint.size or latest == old:
                return self._rolled_back(latest, opened.checkpoint.size)
            old = latest
        return Unreachable("The witness was busy with other checkpoints of this log.")

    def _request(self, old: int, opened: Opened) -> bytes:
        proof = self._proof(old, opened.checkpoint)
        return Request(old, proof, opened.note.encode()).encode()

    def _proof(self, old: int, new: Checkpoint) -> tuple[bytes, ...]:
        """That the log only grew. It is tried first: a witness could not tell a damaged tile of
        this log from another history."""
        hashes = self._hashes(new.size)
        with own_files():
            proof = tuple(consistency_proof(hashes, old, new.size))
            if 0 < old < new.size:
                verify_consistency(old, new.size, root(hashes, old), new.root, proof)
        return proof

    async def _ask(self, body: bytes, timeout_s: float) -> _Reply:
        """What the witness answers; a coroutine, because only those end at a given time."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
        async with (
            asyncio.timeout(timeout_s),
            # No proxy and no further certificates from the environment, which only the
            # configuration reads; a proxy for this belongs to the network.
            httpx.AsyncClient(
                verify=self._trusted,
                trust_env=False,
                # The whole has one; but httpcore closes the socket of a handshake only where one
                # of its own ends it, which comes first.
                timeout=httpx.Timeout(None, connect=timeout_s / 2),
            ) as client,
            client.stream("POST", self._url, content=body, headers=headers) as response,
        ):
            data = b""
            # As it came: what is packed small could unfold to any size.
            async for part in response.aiter_raw():
                data += part
                if len(data) > MOST_ANSWER:
                    break
            return _Reply(response.status_code, data)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """The usual authorities, and those that this system's operator added."""
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context

    def _judge(self, reply: _Reply, opened: Opened, old: int) -> Submission:
        """What an answer that is no conflict comes to."""
        if reply.status == HTTPStatus.OK:
            return self._signed(reply.body, opened)
        if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return self._rolled_back(old, opened.checkpoint.size)
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _PASSING:
            return Unreachable(f"The witness cannot answer now (status {reply.status}).")
        if reply.status == HTTPStatus.NOT_FOUND:
            return Misconfigured(
                "The witness does not know this log, or its address is wrong: give its operator "
                f"the key {self._log.verifier.vkey}"
            )
        if reply.status == HTTPStatus.FORBIDDEN:
            return Misconfigured(
                "The witness has another key for this log: give its operator the key "
                f"{self._log.verifier.vkey}"
            )
        return Misconfigured(f"The witness refused with status {reply.status}: check its address.")

    def _signed(self, body: bytes, opened: Opened) -> Submission:
        text = opened.note.text
        try:
            # As a note of its own, so that it can be nothing but signature lines.
            lines = parse(f"{text}\n".encode() + body).signatures
            # One is enough: no witness can fill the checkpoint, so that nobody reads it again.
            signatures = tuple(line for line in lines if self.verifier.made(line))[:1]
            for signature in signatures:
                self.verifier.check(text, signature)
        except PosternError:
            return Misconfigured("The witness answered with something that is not its signature.")
        if not signatures:
            return Misconfigured("The witness signed with another key than its configured one.")
        self._log.add_cosignatures(opened.checkpoint, signatures)
        ours = tuple(s for s in opened.note.signatures if self._log.verifier.made(s))
        self._keep(Note(text, (*ours, *signatures)))
        return Cosigned(opened.checkpoint.size)

    def _keep(self, note: Note) -> None:
        """Keeps what the witness signed last; other processes of this site may, too, just now."""
        try:
            make_folder(self._file.parent)
        except OSError as error:
            raise unwritable(error) from None
        with self._turn.held():
            put(self._file, note.encode())
            sync_folder(self._file.parent)

    def _rolled_back(self, latest: int, size: int) -> Submission:
        known = f" {latest} entries of" if latest else ""
        return RolledBack(
            f"The witness has signed{known} a history that this log of {size} entries does not "
            "continue: the log was wiped, rolled back or restored from a backup."
        )


def _size(body: bytes) -> int | None:
    """The size that a conflict tells; None where it tells none."""
    try:
        return from_decimal(body.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, PosternError):
        return None
