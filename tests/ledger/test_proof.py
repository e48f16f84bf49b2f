"""Proofs that travel hold for one entry of one log, and are written in one way."""

from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.note import Note
from postern.ledger.proof import Proof, decode, prove, verify
from tests.ledger.samples import LOG, NOW_S, ORIGIN, OTHER, WITNESS, Memory, entries, root

SIZE = 300
ENTRIES = entries(SIZE)
HASHES = Memory(ENTRIES)
CHECKPOINT = sign(Checkpoint(ORIGIN, SIZE, root(SIZE)), LOG)
PROOF = prove(HASHES, 77, SIZE, CHECKPOINT)


@given(st.integers(0, SIZE - 1), st.binary(max_size=20))
def test_a_proof_reads_back_and_holds_for_its_entry(index: int, extra: bytes) -> None:
    """And for no other."""
    proof = prove(HASHES, index, SIZE, CHECKPOINT, extra)

    assert proof == decode(proof.encode())
    assert SIZE == verify(proof, ENTRIES[index], LOG.verifier).checkpoint.size
    with pytest.raises(PosternError, match="not show that the entry is in the log"):
        verify(proof, ENTRIES[index - 1], LOG.verifier)


def test_a_proof_is_written_as_others_write_it() -> None:
    """transparency-dev/formats, proof/tlog_proof_test.go at 1a07eea: TestMarshal."""
    one, two = (sha256(text).digest() for text in (b"hash1", b"hash2"))
    lines = [b64encode(hash_).decode() for hash_ in (one, two)]

    assert (
        f"c2sp.org/tlog-proof@v1\nindex 5\n{lines[0]}\n{lines[1]}\n\ntest checkpoint\n"
        == Proof(5, (one, two), b"test checkpoint\n").encode().decode()
    )
    assert (
        "c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n"
        f"{lines[0]}\n\ncheckpoint data\n"
        == Proof(10, (one,), b"checkpoint data\n", b"extra information").encode().decode()
    )
    assert (
        b"c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n" == Proof(0, (), b"checkpoint\n").encode()
    )


def test_a_log_of_one_entry_has_a_proof_without_hashes() -> None:
    """The entry's hash is the root."""
    alone = entries(1)
    checkpoint = sign(Checkpoint(ORIGIN, 1, root(1)), LOG)
    proof = decode(prove(Memory(alone), 0, 1, checkpoint).encode())

    assert () == proof.hashes
    verify(proof, alone[0], LOG.verifier)


def test_a_proof_says_which_witnesses_saw_its_checkpoint() -> None:
    """Whoever relies on it can ask for some of them."""
    text = Checkpoint(ORIGIN, SIZE, root(SIZE)).encode()
    seen = Note(text, (LOG.sign(text), WITNESS.sign(text, NOW_S))).encode()
    proof = replace(PROOF, checkpoint=seen)

    opened = verify(proof, ENTRIES[77], LOG.verifier, (WITNESS.verifier,))
    assert [(WITNESS.verifier, NOW_S)] == [(s.verifier, s.time_s) for s in opened.signed[1:]]


def test_a_proof_of_another_log_is_refused() -> None:
    """Its checkpoint is not signed by this one's key."""
    with pytest.raises(PosternError) as raised:
        verify(PROOF, ENTRIES[77], OTHER.verifier)
    assert raised.value.code is Code.UNAUTHORIZED


@given(st.data())
def test_any_single_bit_turned_in_a_proof_refuses_it(data: st.DataObject) -> None:
    """In its head, its number, its hashes or its checkpoint. Nothing vouches for what is extra."""
    whole = PROOF.encode()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PosternError):
        verify(decode(bytes(changed)), ENTRIES[77], LOG.verifier)


@given(st.integers(0, len(PROOF.encode()) - 1))
def test_a_proof_that_is_cut_is_refused(size: int) -> None:
    """Anywhere."""
    with pytest.raises(PosternError):
        decode(PROOF.encode()[:size])


HEAD = "c2sp.org/tlog-proof@v1\n"
HASH = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "head",
    [
        "",
        # transparency-dev/formats, proof/tlog_proof_test.go at 1a07eea: TestUnmarshalErrors.
        "wrong-header\nindex 0\n",
        f"{HEAD}extra !!notbase64!!\nindex 0\n",
        f"{HEAD}\n",
        f"{HEAD}index notanumber\n",
        f"{HEAD}index -5\n",
        f"{HEAD}index 0\n!!notbase64!!\n",
        f"{HEAD}index 0\n{b64encode(bytes(64)).decode()}\n",
        f"{HEAD}index 0\n{'a' * 65 * 1024}\n",
        f"{HEAD}index 00\n",
        f"{HEAD}index 1 \n",
        f"{HEAD}index {2**63}\n",
        f"{HEAD}Index 0\n",
        f"{HEAD}extra \nindex 0\n",
        f"{HEAD}extra QQ==\nextra QQ==\nindex 0\n",
        f"{HEAD}index 0\nextra QQ==\n",
        f"{HEAD}index 0\n" + f"{HASH}\n" * 64,
        f"{HEAD}index 0\né\n",
        f"{HEAD}index 0\r\n",
    ],
)
def test_what_is_no_proof_is_refused(head: str) -> None:
    """Each for its own reason."""
    assert decode(f"{HEAD}index 0\n".encode() + b"\n" + CHECKPOINT)
    with pytest.raises(PosternError) as raised:
        decode(head.encode() + b"\n" + CHECKPOINT)
    assert raised.value.code is Code.INVALID


def test_a_proof_has_as_many_hashes_as_the_highest_tree_has_levels() -> None:
    """63, which nobody will ever see."""
    longest = f"{HEAD}index 0\n" + f"{HASH}\n" * 63

    assert 63 == len(decode(longest.encode() + b"\n" + CHECKPOINT).hashes)


def test_a_proof_without_a_signed_note_is_refused() -> None:
    """Also one that ends with its hashes."""
    for tail in (b"", b"\n", b"\nno note\n"):
        with pytest.raises(PosternError):
            decode(f"{HEAD}index 0\n{HASH}\n".encode() + tail)


@given(st.binary(max_size=100))
def test_bytes_of_any_kind_are_refused_in_one_way(data: bytes) -> None:
    """Never with another exception."""
    for hostile in (data, HEAD.encode() + data, HEAD.encode() + b"index 0\n" + data):
        with suppress(PosternError):
            assert hostile == decode(hostile).encode()
