"""What lies in a segment of the journal: frames, each of what was appended at once.

A frame is its length, a checksum over that and all the rest, and its entries: each a leaf of the
tree, the salt that hides it, the length of the event's text, and the text.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes
from zlib import crc32

from postern.core.errors import PosternError, invalid
from postern.core.event import Event
from postern.event_text import decode
from postern.ledger import leaf

#: Length and checksum of a frame; the checksum covers the length too.
_HEAD = struct.Struct(">II")
#: Bytes. Before the rest of a frame can be measured.
HEAD_SIZE = _HEAD.size
#: An entry: leaf, salt, length of the text.
_ENTRY = struct.Struct(f">{leaf.LEAF_SIZE}s{leaf.SALT_SIZE}sI")
_RESTORE = "Keep a copy of the folder; what can be done next is in docs/ledger.md."


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the journal has it.

    Attributes:
        index: Its number, which is its place in the tree, from 0 on.
        salt: What hides the event behind its commitment.
        text: The event.
    """

    index: int
    salt: bytes
    text: str

    @property
    def leaf(self) -> bytes:
        """What the tree has of it."""
        return leaf.Leaf(self.index, leaf.commit(self.salt, self.text.encode())).encode()

    @property
    def event(self) -> Event:
        """The event; whom it is about stands under pseudonyms."""
        return decode(self.text)


def frame(texts: Sequence[bytes], index: int) -> bytes:
    """The bytes of a frame; salts are drawn anew.

    Args:
        texts: The events, in UTF-8.
        index: The first one's number.
    """
    parts = []
    salts = token_bytes(leaf.SALT_SIZE * len(texts))
    for number, text in enumerate(texts):
        salt = salts[leaf.SALT_SIZE * number : leaf.SALT_SIZE * (number + 1)]
        entry = leaf.Leaf(index + number, leaf.commit(salt, text)).encode()
        parts.append(_ENTRY.pack(entry, salt, len(text)) + text)
    payload = b"".join(parts)
    return _HEAD.pack(len(payload), _checksum(payload)) + payload


def payload_size(head: bytes) -> int:
    """How many bytes follow the first `HEAD_SIZE` bytes of a frame."""
    return int(_HEAD.unpack(head)[0])


def read_frames(content: bytes, index: int, published: int) -> tuple[list[Entry], int]:
    """The entries at the end of a journal, and how many bytes they take.

    What is left over is what a crash left half-written.

    Args:
        content: The bytes from the entry `index` on.
        index: The first entry's number.
        published: How many entries the published tree has: none of those can be half-written.

    Raises:
        PosternError: `invalid` where an entry is damaged or missing, naming it.
    """
    entries, whole = frames(content, index)
    end = index + len(entries)
    if whole < len(content) and (end < published or _resumes(content, whole)):
        raise damaged(end)
    return entries, whole


def frames(content: bytes, index: int) -> tuple[list[Entry], int]:
    """The entries of the whole frames that content begins with, and where these end.

    Args:
        content: The bytes from the entry `index` on.
        index: The first entry's number.

    Raises:
        PosternError: `invalid` where a frame is whole and yet not the one that comes next.
    """
    entries: list[Entry] = []
    end = 0
    while payload := _payload(content, end):
        entries += _entries(payload, index + len(entries))
        end += _HEAD.size + len(payload)
    return entries, end


def sound(content: bytes, index: int) -> list[Entry]:
    """The entries that content begins with; none where one of them is damaged."""
    try:
        return frames(content, index)[0]
    except PosternError:
        return []


def damaged(index: int) -> PosternError:
    """An entry that is not what it was, or not there."""
    return invalid(f"Entry {index} of the journal is damaged or missing.", _RESTORE)


def _checksum(payload: bytes) -> int:
    return crc32(payload, crc32(len(payload).to_bytes(4)))


def _payload(content: bytes, at: int) -> bytes:
    """What a frame holds; nothing where there is no whole one."""
    start = at + _HEAD.size
    if start > len(content):
        return b""
    length, checksum = _HEAD.unpack_from(content, at)
    payload = content[start : start + length]
    return payload if len(payload) == length and _checksum(payload) == checksum else b""


def _entries(payload: bytes, index: int) -> list[Entry]:
    found, at = [], 0
    while at < len(payload):
        try:
            entry, salt, length = _ENTRY.unpack_from(payload, at)
            text = payload[at + _ENTRY.size : at + _ENTRY.size + length].decode()
        except (struct.error, UnicodeDecodeError):
            raise damaged(index) from None
        at += _ENTRY.size + length
        found.append(Entry(index, salt, text))
        if found[-1].leaf != entry or at > len(payload):
            raise damaged(index)
        index += 1
    return found


def _resumes(content: bytes, at: int) -> bool:
    """Whether a whole frame comes after one that is not: then that one was not the last."""
    start = leaf.Leaf(0, bytes(leaf.COMMITMENT_SIZE)).encode()[:4]
    found = content.find(start, at + _HEAD.size + 1)
    while found >= 0:
        if _payload(content, found - _HEAD.size):
            return True
        found = content.find(start, found + 1)
    return False
