"""The tree is RFC 9162's, as a literal reading of it and other people's vectors say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import PosternError
from postern.ledger.tree import (
    EMPTY,
    Edge,
    consistency_proof,
    fold,
    inclusion_proof,
    leaf_hash,
    read_edge,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.samples import Memory
from tests.reference import merkle

#: transparency-dev/merkle, proof/verify_test.go at 02194e9: leaves, roots and proofs.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C, D, E, F, G, H = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
)
#: Entry (from 1 on), size, proof.
INCLUSIONS = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [D, E, ROOTS[3]]),
    (3, 3, [H]),
    (2, 5, [ROOTS[0], B, D]),
]
#: Old size, new size, proof.
CONSISTENCIES = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [F, E, ROOTS[3]]),
    (2, 5, [B, D]),
    (6, 7, [F, G, ROOTS[3]]),
]
WRONG = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")

sizes = st.integers(1, 80)


def entries(size: int) -> list[bytes]:
    """Entries of different lengths."""
    return [bytes([i % 251]) * (i % 7) + i.to_bytes(2) for i in range(size)]


def flipped(data: bytes, bit: int) -> bytes:
    """The data with one bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_that_others_compute(size: int) -> None:
    """For the eight trees of Certificate Transparency's own tests."""
    assert ROOTS[size - 1] == root(Memory(LEAVES[:size]), size).hex()


@pytest.mark.parametrize(("number", "size", "proof"), INCLUSIONS)
def test_inclusion_proofs_are_those_that_others_make(
    number: int, size: int, proof: list[str]
) -> None:
    """Ours are the same, and theirs verify."""
    theirs = [bytes.fromhex(hash_) for hash_ in proof]

    assert theirs == inclusion_proof(Memory(LEAVES[:size]), number - 1, size)
    verify_inclusion(
        number - 1, size, leaf_hash(LEAVES[number - 1]), theirs, bytes.fromhex(ROOTS[size - 1])
    )


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCIES)
def test_consistency_proofs_are_those_that_others_make(
    old: int, new: int, proof: list[str]
) -> None:
    """Ours are the same, and theirs verify."""
    theirs = [bytes.fromhex(hash_) for hash_ in proof]

    assert theirs == consistency_proof(Memory(LEAVES[:new]), old, new)
    verify_consistency(
        old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), theirs
    )


@pytest.mark.parametrize(("number", "size", "proof"), INCLUSIONS[1:])
def test_inclusion_proofs_that_others_corrupt_are_refused(
    number: int, size: int, proof: list[str]
) -> None:
    """The same corruptions as in transparency-dev/merkle's corruptInclusionProof."""
    index, hashes = number - 1, [bytes.fromhex(hash_) for hash_ in proof]
    leaf, top = leaf_hash(LEAVES[index]), bytes.fromhex(ROOTS[size - 1])
    corrupt = [
        *((other, size, leaf, hashes, top) for other in (index - 1, index + 1, index ^ 2)),
        *((index, other, leaf, hashes, top) for other in (size * 2, size // 2)),
        (index, size, b"WrongLeaf", hashes, top),
        *((index, size, leaf, hashes, other) for other in (EMPTY, WRONG)),
        *((index, size, leaf, [*hashes, other], top) for other in (b"", top)),
        *((index, size, leaf, [other, *hashes], top) for other in (b"", top)),
        (index, size, leaf, hashes[:-1], top),
        (index, size, leaf, [hashes[0], WRONG, *hashes[1:]], top),
    ]

    for case in corrupt:
        with pytest.raises(PosternError, match="not show that the entry is in the log"):
            verify_inclusion(*case)


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCIES[1:])
def test_consistency_proofs_that_others_corrupt_are_refused(
    old: int, new: int, proof: list[str]
) -> None:
    """The same corruptions as in transparency-dev/merkle's corruptConsistencyProof."""
    hashes = [bytes.fromhex(hash_) for hash_ in proof]
    first, second = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    corrupt = [
        *((other, new, first, second, hashes) for other in (old - 1, old + 1, old ^ 2)),
        *((old, other, first, second, hashes) for other in (new * 2, new // 2)),
        (old, new, b"WrongRoot", second, hashes),
        (old, new, first, b"WrongRoot", hashes),
        (old, new, second, first, hashes),
        (old, new, first, second, []),
        *((old, new, first, second, [*hashes, other]) for other in (b"", first, second)),
        *((old, new, first, second, [o, *hashes]) for o in (b"", first, second, hashes[0])),
        (old, new, first, second, hashes[:-1]),
    ]

    for case in corrupt:
        with pytest.raises(PosternError, match="not show that the log only grew"):
            verify_consistency(*case)


def test_trees_that_were_empty_or_did_not_grow_take_no_proof() -> None:
    """An empty tree has one root only: there the vectors are laxer than the definition."""
    one = root(Memory(LEAVES[:1]), 1)
    assert [] == consistency_proof(Memory(LEAVES), 0, 8) == consistency_proof(Memory(LEAVES), 8, 8)
    verify_consistency(0, 0, EMPTY, EMPTY, [])
    verify_consistency(0, 1, EMPTY, one, [])
    verify_consistency(1, 1, one, one, [])

    for case in (
        (0, 0, one, one, []),
        (0, 0, EMPTY, one, []),
        (0, 1, one, one, []),
        (0, 1, EMPTY, one, [EMPTY]),
        (0, 0, EMPTY, EMPTY, [EMPTY]),
        (1, 1, one, EMPTY, []),
        (1, 1, one, one, [one]),
        (1, 0, one, EMPTY, []),
        (2, 1, one, one, []),
        (1, 2, one, one, []),
        (-1, 1, one, one, []),
    ):
        with pytest.raises(PosternError):
            verify_consistency(*case)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 0), (2, 1), (1, 1), (-1, 1)])
def test_an_entry_that_a_tree_has_not_is_neither_proven_nor_verified(index: int, size: int) -> None:
    """Not even against the empty tree's root."""
    with pytest.raises(PosternError, match=f"{size} entries has no entry {index}"):
        inclusion_proof(Memory(LEAVES), index, size)
    with pytest.raises(PosternError):
        verify_inclusion(index, size, WRONG, [], EMPTY)
    with pytest.raises(PosternError):
        verify_inclusion(index, size, EMPTY, [], EMPTY)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1)])
def test_no_proof_is_made_for_a_tree_that_shrank(old: int, new: int) -> None:
    """It could not be consistent."""
    with pytest.raises(PosternError, match="never had"):
        consistency_proof(Memory(LEAVES), old, new)


@given(sizes)
def test_roots_are_those_of_the_reference(size: int) -> None:
    """Computed at once, entry by entry, and from an edge that was read."""
    every = entries(size)
    edge = Edge()
    for entry in every:
        edge.append(leaf_hash(entry))

    assert merkle.mth(every) == root(Memory(every), size) == edge.root()
    assert merkle.mth(every) == read_edge(Memory(every), size).root()
    assert size == edge.size


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """RFC 9162, section 2.1.1."""
    assert merkle.mth([]) == EMPTY == root(Memory([]), 0) == Edge().root()


def test_an_edge_needs_as_many_subtrees_as_its_size_has() -> None:
    """Seven entries make subtrees of four, two and one."""
    with pytest.raises(PosternError, match="3 complete subtrees"):
        Edge(7, [EMPTY])


@given(sizes, st.data())
def test_an_edge_that_was_read_grows_like_one_from_the_start(
    size: int, data: st.DataObject
) -> None:
    """From any size to any other."""
    every = entries(size)
    edge = read_edge(Memory(every), data.draw(st.integers(0, size)))
    for entry in every[edge.size :]:
        edge.append(leaf_hash(entry))

    assert merkle.mth(every) == edge.root()


@given(st.integers(0, 6))
def test_a_row_folds_to_the_root_over_it(height: int) -> None:
    """For every power of two."""
    every = entries(1 << height)

    assert merkle.mth(every) == fold(b"".join(map(leaf_hash, every)))


@given(sizes, st.data())
def test_inclusion_proofs_are_those_of_the_reference(size: int, data: st.DataObject) -> None:
    """They verify, and with any single bit turned they do not."""
    every = entries(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(Memory(every), index, size)
    leaf, top = leaf_hash(every[index]), merkle.mth(every)

    assert merkle.path(index, every) == proof
    verify_inclusion(index, size, leaf, proof, top)
    whole = b"".join([leaf, *proof, top])
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    hashes = [flipped(whole, bit)[i : i + 32] for i in range(0, len(whole), 32)]
    with pytest.raises(PosternError):
        verify_inclusion(index, size, hashes[0], hashes[1:-1], hashes[-1])


@given(sizes, sizes, st.data())
def test_consistency_proofs_are_those_of_the_reference(
    one: int, other: int, data: st.DataObject
) -> None:
    """They verify, and with any single bit turned they do not."""
    old, new = sorted((one, other))
    every = entries(new)
    proof = consistency_proof(Memory(every), old, new)
    first, second = merkle.mth(every[:old]), merkle.mth(every)

    assert (merkle.proof(old, every) if old < new else []) == proof
    verify_consistency(old, new, first, second, proof)
    whole = b"".join([first, second, *proof])
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    hashes = [flipped(whole, bit)[i : i + 32] for i in range(0, len(whole), 32)]
    with pytest.raises(PosternError):
        verify_consistency(old, new, hashes[0], hashes[1], hashes[2:])


@settings(max_examples=25)
@given(st.integers(1, 40), st.data())
def test_a_proof_holds_for_one_place_in_one_tree(size: int, data: st.DataObject) -> None:
    """Hashes one too many or too few, and any other index or size, are refused.

    Another size may have a tree of the same shape over the same path; its root is another one.
    """
    every = entries(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(Memory(every), index, size)
    leaf, top = leaf_hash(every[index]), merkle.mth(every)
    wrong = [(other, size, proof) for other in range(size + 1) if other != index]
    wrong += [(index, size, [*proof, leaf]), (index, size, [leaf, *proof])]
    wrong += [(index, size, proof[:-1]), (index, size, proof[1:])] if proof else []

    for case_index, case_size, case in wrong:
        with pytest.raises(PosternError):
            verify_inclusion(case_index, case_size, leaf, case, top)
