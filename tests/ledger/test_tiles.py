"""Tiles and bundles: named as C2SP has it, whole or not there, and the same however a log grew."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.ledger.files import put
from postern.ledger.tiles import ENTRIES, MOST_ENTRY, Tiles, drop_partials, grow, tile_path
from postern.ledger.tree import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.samples import entries, root, write_log
from tests.reference import merkle


def files(folder: Path) -> set[str]:
    """What there is below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        # C2SP tlog-tiles at 0ad71eb: its example of an index.
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        # golang.org/x/mod, sumdb/tlog/tlog_test.go at 822dc48, tilePaths: those of height 8 there
        # are `tile/8/L/...`; C2SP leaves the height out and calls data entries.
        (0, 1, 256, "tile/0/001"),
        (0, 1, 5, "tile/0/001.p/5"),
        (5, 123456078, 256, "tile/5/x123/x456/078"),
        (5, 123456078, 2, "tile/5/x123/x456/078.p/2"),
        (ENTRIES, 3057500, 256, "tile/entries/x003/x057/500"),
        (0, 0, 256, "tile/0/000"),
        (0, 999, 255, "tile/0/999.p/255"),
        (63, 1000, 1, "tile/63/x001/000.p/1"),
    ],
)
def test_tiles_are_named_as_others_name_them(
    level: int | str, index: int, width: int, path: str
) -> None:
    """In groups of three digits, all but the last with an x."""
    assert path == tile_path(level, index, width)


def test_a_log_of_70000_entries_has_the_tiles_of_the_specifications_example(tmp_path: Path) -> None:
    """C2SP tlog-tiles, "Partial Tiles"; and it proves what it must across the borders."""
    checkpoint = write_log(tmp_path, 70_000)
    found = files(tmp_path)

    assert {f"tile/0/{n:03}" for n in range(273)} | {
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    } == {name for name in found if name.startswith("tile/") and not name.startswith("tile/e")}
    assert 274 == len([name for name in found if name.startswith("tile/entries/")])
    tiles = Tiles(tmp_path, 70_000)
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        proof = inclusion_proof(tiles, index, 70_000)
        leaf = leaf_hash(entries(index + 1, index)[0])
        verify_inclusion(index, 70_000, leaf, proof, checkpoint.root)
    for old in (1, 256, 65_535, 65_536, 65_537, 69_999):
        proof = consistency_proof(tiles, old, 70_000)
        verify_consistency(old, 70_000, root(old), checkpoint.root, proof)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 600])
def test_every_hash_of_a_small_log_is_read_from_its_tiles(tmp_path: Path, size: int) -> None:
    """And its entries, each of them."""
    checkpoint = write_log(tmp_path, size)
    tiles, every = Tiles(tmp_path, size), entries(size)

    assert merkle.mth(every) == checkpoint.root
    for level in range(size.bit_length()):
        for index in range(size >> level):
            under = every[index << level : (index + 1) << level]
            assert merkle.mth(under) == tiles.read(level, index)
    assert every == [e for n in range(-(-size // 256)) for e in tiles.entries(n)]


def test_a_log_grows_by_one_entry_at_a_time(tmp_path: Path) -> None:
    """From nothing to 520; every root is the reference's, and proofs of every size are read."""
    every, old_root = entries(520), EMPTY
    for size in range(520):
        old_root = grow(tmp_path, size, old_root, every[size : size + 1])
        if size % 37 == 0:
            assert merkle.mth(every[: size + 1]) == old_root
            proof = consistency_proof(Tiles(tmp_path, size + 1), size, size + 1)
            verify_consistency(size, size + 1, merkle.mth(every[:size]), old_root, proof)

    assert merkle.mth(every) == old_root
    # The partial tiles of every checkpoint are there, as the text asks.
    assert merkle.mth(every[:300]) == merkle.mth(
        [e for n in range(2) for e in Tiles(tmp_path, 300).entries(n)]
    )


@settings(max_examples=20)
@given(steps=st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_how_a_log_grew_does_not_show(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    """The full tiles and the last partial ones are the same as if it had been written at once."""
    stepwise, at_once = tmp_path_factory.mktemp("steps"), tmp_path_factory.mktemp("once")
    sizes = [sum(steps[:n]) for n in range(1, len(steps) + 1)]
    checkpoint = write_log(stepwise, *sizes)

    assert write_log(at_once, sizes[-1]) == checkpoint
    for name in files(at_once):
        assert (at_once / name).read_bytes() == (stepwise / name).read_bytes(), name
    for name in files(stepwise) - files(at_once):
        folder, _, partial = name.rpartition(".p/")
        assert (stepwise / folder).exists() is False
        assert 1 <= int(partial) <= 255


def test_partial_tiles_go_once_the_full_one_is_published(tmp_path: Path) -> None:
    """And those at the right edge stay, of every checkpoint."""
    write_log(tmp_path, 100, 200, 300, 400)

    assert {
        "tile/entries/000", "tile/entries/001.p/44", "tile/entries/001.p/144",
        "tile/0/000", "tile/0/001.p/44", "tile/0/001.p/144", "tile/1/000.p/1",
    } == {name for name in files(tmp_path) if name.startswith("tile/")}  # fmt: skip


def test_an_earlier_size_is_read_where_full_tiles_took_the_place_of_its_partial_ones(
    tmp_path: Path,
) -> None:
    """As a client does that holds an older checkpoint."""
    write_log(tmp_path, 100, 600)

    assert entries(100) == Tiles(tmp_path, 100).entries(0)
    proof = consistency_proof(Tiles(tmp_path, 600), 100, 600)
    verify_consistency(100, 600, root(100), root(600), proof)
    assert inclusion_proof(Tiles(tmp_path, 100), 7, 100) == merkle.path(7, entries(100))


def test_partial_tiles_of_upper_levels_go_too(tmp_path: Path) -> None:
    """When the level above gets its first hash."""
    write_log(tmp_path, 65_000, 65_600)

    assert {"tile/1/000", "tile/2/000.p/1"} == {
        name for name in files(tmp_path) if name.startswith(("tile/1/", "tile/2/"))
    }


def test_a_log_that_a_crash_left_half_grown_grows_again(tmp_path: Path) -> None:
    """What is there beyond the checkpoint is written over, drafts and other contents included."""
    write_log(tmp_path, 250)
    grow(tmp_path, 250, root(250), [b"never published"] * 300)
    (tmp_path / "tile/0/000.new").write_bytes(b"half")
    (tmp_path / "tile/0/001.p").mkdir()
    (tmp_path / "tile/0/001.p/44.new").write_bytes(b"half")

    assert root(300) == grow(tmp_path, 250, root(250), entries(300, 250))
    assert entries(300) == [e for n in range(2) for e in Tiles(tmp_path, 300).entries(n)]


@pytest.mark.parametrize("name", ["tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"])
@pytest.mark.parametrize("bit", [0, 7, 90])
def test_damage_at_the_right_edge_never_gets_into_a_new_root(
    tmp_path: Path, name: str, bit: int
) -> None:
    """The log does not grow on, and nothing of it changes."""
    write_log(tmp_path, 300)
    path = tmp_path / name
    changed = bytearray(path.read_bytes())
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}

    with pytest.raises(PosternError) as raised:
        grow(tmp_path, 300, root(300), entries(400, 300))
    assert raised.value.code is Code.INVALID
    assert before == {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}


def test_a_log_does_not_grow_from_a_root_that_is_not_its_own(tmp_path: Path) -> None:
    """Such as that of another size."""
    write_log(tmp_path, 300)

    with pytest.raises(PosternError, match="do not fit its last checkpoint"):
        grow(tmp_path, 300, root(299), entries(400, 300))


def test_a_missing_tile_is_named(tmp_path: Path) -> None:
    """As is one that is cut, and one that cannot be read."""
    write_log(tmp_path, 300)
    tile = tmp_path / "tile/0/001.p/44"

    tile.write_bytes(tile.read_bytes()[:-1])
    with pytest.raises(PosternError, match="tile/0/001.p/44 has 1407 bytes"):
        Tiles(tmp_path, 300).read(0, 299)
    tile.unlink()
    with pytest.raises(PosternError, match="tile/0/001.p/44 is missing") as raised:
        Tiles(tmp_path, 300).read(0, 299)
    assert raised.value.code is Code.NOT_FOUND
    tile.mkdir()
    with pytest.raises(PosternError, match="tile/0/001.p/44 cannot be read") as raised:
        Tiles(tmp_path, 300).read(0, 299)
    assert raised.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize(("level", "index"), [(0, 300), (0, -1), (8, 1), (9, 0), (1, 150)])
def test_hashes_that_a_log_has_not_are_refused(tmp_path: Path, level: int, index: int) -> None:
    """Rather than read from what lies beyond its checkpoint."""
    write_log(tmp_path, 300)

    with pytest.raises(PosternError, match="no such hash"):
        Tiles(tmp_path, 300).read(level, index)


@settings(max_examples=20)
@given(every=st.lists(st.binary(max_size=300), max_size=20))
def test_entries_of_any_length_read_back(
    tmp_path_factory: pytest.TempPathFactory, every: list[bytes]
) -> None:
    """Each with its length before it."""
    folder = tmp_path_factory.mktemp("log")

    assert merkle.mth(every) == grow(folder, 0, EMPTY, every)
    if every:
        assert every == Tiles(folder, len(every)).entries(0)
        bundle = (folder / tile_path(ENTRIES, 0, len(every))).read_bytes()
        assert b"".join(len(entry).to_bytes(2) + entry for entry in every) == bundle


def test_an_entry_has_at_most_65535_bytes(tmp_path: Path) -> None:
    """Its length is written in two."""
    assert grow(tmp_path, 0, EMPTY, [bytes(MOST_ENTRY)])
    with pytest.raises(PosternError, match="more than 65535 bytes"):
        grow(tmp_path / "other", 0, EMPTY, [bytes(MOST_ENTRY + 1)])


@pytest.mark.parametrize("cut", range(1, 90))
def test_a_bundle_that_is_cut_is_refused(tmp_path: Path, cut: int) -> None:
    """Anywhere within its last two entries."""
    write_log(tmp_path, 20)
    bundle = tmp_path / "tile/entries/000.p/20"
    bundle.write_bytes(bundle.read_bytes()[:-cut])

    with pytest.raises(PosternError, match=r"000\.p/20 (has 1[89] entries|is cut off in entry 1)"):
        Tiles(tmp_path, 20).entries(0)


def test_an_empty_bundle_is_refused(tmp_path: Path) -> None:
    """There is none that could be empty."""
    write_log(tmp_path, 1)
    (tmp_path / "tile/entries/000.p/1").write_bytes(b"")

    with pytest.raises(PosternError, match=r"000\.p/1 has 0 entries"):
        Tiles(tmp_path, 1).entries(0)


def test_a_disk_that_takes_nothing_is_reported(tmp_path: Path) -> None:
    """Nothing is half-written under the file's own name."""
    path = tmp_path / "folder" / "file"
    put(path, b"before")
    (tmp_path / "folder" / "file.new").mkdir()

    with pytest.raises(PosternError, match="cannot be written") as raised:
        put(path, b"after")
    assert raised.value.code is Code.UNAVAILABLE
    assert b"before" == path.read_bytes()


def test_a_file_is_put_with_its_mode(tmp_path: Path) -> None:
    """And over what a crash left behind."""
    (tmp_path / "file.new").write_bytes(b"something longer")
    mask = os.umask(0)
    try:
        put(tmp_path / "file", b"it", 0o600)
        put(tmp_path / "other", b"it")
    finally:
        os.umask(mask)

    assert b"it" == (tmp_path / "file").read_bytes()
    assert 0o644 == (tmp_path / "other").stat().st_mode & 0o777
    assert {"file", "other"} == files(tmp_path)


def test_partials_of_no_growth_stay(tmp_path: Path) -> None:
    """Dropping is for what became full."""
    write_log(tmp_path, 300)
    before = files(tmp_path)
    for old, new in pairwise([0, 100, 200, 255]):
        drop_partials(tmp_path, old, new)

    assert before == files(tmp_path)
