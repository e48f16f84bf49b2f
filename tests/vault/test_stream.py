"""Bytes sealed in chunks: whole and in order, or not at all."""

import io
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.vault.stream import CHUNK, TAG, open_stream, seal_stream

KEY = bytes(range(32))
BLOCK = CHUNK + TAG
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7)


def sealed(content: bytes, key: bytes = KEY) -> bytes:
    return b"".join(seal_stream(key, [content]))


def opened(stream: bytes, key: bytes = KEY) -> bytes:
    return b"".join(open_stream(key, io.BytesIO(stream)))


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def written_out(plain: bytes) -> bytes:
    """The same by the construction's own words, all of it in memory."""
    chunks = [plain[at : at + CHUNK] for at in range(0, len(plain), CHUNK)] or [b""]
    last = len(chunks) - 1
    return b"".join(
        AESGCM(KEY).encrypt(n.to_bytes(11, "big") + (b"\1" if n == last else b"\0"), chunk, None)
        for n, chunk in enumerate(chunks)
    )


@pytest.mark.parametrize("size", SIZES)
def test_stream_is_what_the_construction_says_and_opens(size: int) -> None:
    """Around the bounds of chunks."""
    assert written_out(content(size)) == sealed(content(size))
    assert content(size) == opened(sealed(content(size)))


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 3))
def test_pieces_make_no_difference(pieces: list[bytes], large: int) -> None:
    """However a content is cut up before it is sealed."""
    parts = [*pieces, bytes(large * CHUNK), *pieces]
    assert written_out(b"".join(parts)) == b"".join(seal_stream(KEY, parts))


def _attacks() -> Iterator[tuple[str, bytes]]:
    stream = sealed(content(2 * CHUNK + 7))
    one, two, three = stream[:BLOCK], stream[BLOCK : 2 * BLOCK], stream[2 * BLOCK :]
    yield from (
        ("end cut off at a chunk", one + two),
        ("all but the first cut off", one),
        ("all cut off", b""),
        ("end cut off in a chunk", stream[:-1]),
        ("order changed", two + one + three),
        ("one left out", one + three),
        ("first left out", two + three),
        ("one repeated", one + one + two + three),
        ("end repeated", stream + three),
        ("bytes added", stream + b"\0"),
        ("empty end added", stream + AESGCM(KEY).encrypt(bytes(10) + b"\3\1", b"", None)),
        ("another stream's chunk", one + sealed(bytes(3 * CHUNK))[BLOCK : 2 * BLOCK] + three),
    )
    # What nobody may make who holds to the construction: an end that is empty.
    full = content(CHUNK)
    first = AESGCM(KEY).encrypt(bytes(12), full, None)
    yield "empty end", first + AESGCM(KEY).encrypt(bytes(10) + b"\1\1", b"", None)
    for place in (0, CHUNK, BLOCK, 2 * BLOCK + 3, len(stream) - 1):
        flipped = bytearray(stream)
        flipped[place] ^= 1
        yield f"bit {place} flipped", bytes(flipped)


# The chunk of another stream under the same key opens in its place: a key is for one stream only.
ATTACKS = {name: stream for name, stream in _attacks() if not name.startswith("another")}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_on_a_stream_is_refused(name: str) -> None:
    """Cut off, moved, repeated, added to or changed."""
    with pytest.raises(PosternError) as refused:
        opened(ATTACKS[name])
    assert Code.INVALID is refused.value.code


def test_limit_streams_under_one_key_can_be_mixed() -> None:
    """Hence every backup has a key of its own: `tests/app/test_backup.py` tries the same there."""
    assert opened(dict(_attacks())["another stream's chunk"])


def test_another_key_opens_nothing() -> None:
    """Not even the first chunk."""
    with pytest.raises(PosternError):
        next(open_stream(bytes(32), io.BytesIO(sealed(b"content"))))
