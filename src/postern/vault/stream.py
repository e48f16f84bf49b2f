"""Bytes of any length under one key, in chunks, so that memory does not grow with them.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar: "Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance", CRYPTO 2015), as age has it (https://age-encryption.org/v1,
"Payload"), with AES-256-GCM:

1. Chunks have 64 KiB but for the last, which is empty only where everything is.
2. The nonce of each is its number in 11 bytes, and one byte that is 1 for the last: a chunk that is
   left out, moved, repeated or added, and an end that is cut off, do not open.
3. A key is used for one stream only.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from postern.core.errors import PosternError, invalid

#: Bytes.
CHUNK = 64 * 1024
TAG = 16


def seal_stream(key: bytes, content: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed bytes of a content.

    Args:
        key: 32 bytes that nothing else was sealed with.
        content: Pieces of any length.
    """
    cipher, number, held = AESGCM(key), 0, bytearray()
    for piece in content:
        for start in range(0, len(piece), CHUNK):
            held += piece[start : start + CHUNK]
            # More than a chunk: the first of it is not the last one.
            if len(held) > CHUNK:
                yield cipher.encrypt(_nonce(number, last=False), bytes(held[:CHUNK]), None)
                del held[:CHUNK]
                number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(held), None)


def open_stream(key: bytes, sealed: BinaryIO) -> Iterator[bytes]:
    """The content of what `seal_stream` gave; nothing counts before all of it has come.

    Args:
        key: The key that it was sealed with.
        sealed: A file at its beginning; read to the end.

    Raises:
        PosternError: `invalid` where any of it was changed, moved, added or cut off.
    """
    cipher, number = AESGCM(key), 0
    block = sealed.read(CHUNK + TAG)
    while True:
        following = sealed.read(CHUNK + TAG)
        try:
            chunk = cipher.decrypt(_nonce(number, last=not following), block, None)
        except (InvalidTag, ValueError):
            raise _altered() from None
        if number and not chunk:
            raise _altered()
        yield chunk
        if not following:
            return
        block, number = following, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _altered() -> PosternError:
    return invalid("What was sealed was altered, cut off, or sealed with another key.")
