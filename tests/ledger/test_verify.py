"""A whole log is checked offline: whatever was changed is found, and named."""

import os
import shutil
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.core.event import Changed
from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.files import destroy
from postern.ledger.leaf import Leaf
from postern.ledger.log import Log, open_log
from postern.ledger.note import Note, Signer, Verifier, parse
from postern.ledger.tiles import grow, pack
from postern.ledger.tree import EMPTY, leaf_hash
from postern.ledger.verify import CHECKPOINT, VKEY, Verified, verify_log
from tests.clocks import SteppedClock
from tests.ledger.samples import (
    LOG,
    ORIGIN,
    OTHER,
    WITNESS,
    entries,
    rewrite_event,
    root,
    write_log,
)

KEY = LOG.verifier.vkey


def verified(
    folder: Path,
    vkey: str | None = KEY,
    witnesses: tuple[Verifier, ...] = (),
    earlier: bytes | None = None,
) -> Verified:
    """The outcome with a real clock."""
    return verify_log(
        folder, vkey, perf_counter, lambda *_: None, witnesses=witnesses, earlier=earlier
    )


def refusal(folder: Path, vkey: str | None = KEY) -> PosternError:
    """Why a log is refused."""
    with pytest.raises(PosternError) as raised:
        verified(folder, vkey)
    assert len(raised.value.message) < 250
    return raised.value


def change(path: Path, at: int, bit: int = 0) -> None:
    """Turns one bit of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def rewrite(folder: Path, name: str, count: int, at: int, first: int = 0) -> bytes:
    """A bundle whose entry `at` commits to something else; gives that entry."""
    kept = entries(first + count, first)
    kept[at] = Leaf(first + at, sha256(b"something else").digest()).encode()
    (folder / name).write_bytes(pack(kept))
    return kept[at]


@pytest.mark.parametrize("sizes", [(0,), (1,), (5, 7), (255,), (256,), (257,), (300, 600), (512,)])
def test_a_sound_log_verifies(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """Whatever its size is, and however it grew."""
    checkpoint = write_log(tmp_path, *sizes)
    found = verified(tmp_path)

    assert (checkpoint, LOG.verifier, True) == (found.checkpoint, found.log, found.given)
    assert 0 <= found.decoding_s < 10
    assert 0 <= found.hashing_s < 10


def test_a_log_with_three_levels_of_tiles_verifies(tmp_path: Path) -> None:
    """65,536 entries fill a tile of tiles."""
    assert 66_000 == verified_size(tmp_path, 65_536, 66_000)
    change(tmp_path / "tile/0/003", 32 * 5)
    assert "tile/0/003 is damaged" in refusal(tmp_path).message
    change(tmp_path / "tile/0/003", 32 * 5)
    change(tmp_path / "tile/1/000", 32 * 200)
    assert "tile/1/000 is damaged" in refusal(tmp_path).message
    change(tmp_path / "tile/1/000", 32 * 200)
    change(tmp_path / "tile/2/000.p/1", 0)
    assert "tile/2/000.p/1 is damaged" in refusal(tmp_path).message


def verified_size(folder: Path, *sizes: int) -> int:
    """How many entries a log has that was written and checked."""
    write_log(folder, *sizes)
    return verified(folder).checkpoint.size


def test_progress_and_both_durations_are_told(tmp_path: Path) -> None:
    """By the clock that was given: two readings a bundle, a second apart here."""
    write_log(tmp_path, 600)
    ticks: Iterator[float] = map(float, range(1000))
    told: list[tuple[int, int]] = []
    found = verify_log(tmp_path, KEY, lambda: next(ticks), lambda *step: told.append(step))

    assert [(256, 600), (512, 600), (600, 600)] == told
    assert (3.0, 3.0) == (found.decoding_s, found.hashing_s)


def test_the_key_beside_the_log_is_used_where_none_is_given(tmp_path: Path) -> None:
    """And the answer says that it was."""
    write_log(tmp_path, 5)

    assert verified(tmp_path, None).given is False
    (tmp_path / VKEY).unlink()
    assert verified(tmp_path).given is True
    assert "log.vkey is missing" in refusal(tmp_path, None).message


def test_a_log_that_somebody_made_anew_is_refused_with_its_own_key(tmp_path: Path) -> None:
    """The key that came with it cannot tell; that is why one is given."""
    write_log(tmp_path, 5)
    (tmp_path / CHECKPOINT).write_bytes(sign(Checkpoint(ORIGIN, 5, root(5)), OTHER))
    (tmp_path / VKEY).write_text(f"{OTHER.verifier.vkey}\n")

    assert verified(tmp_path, None).log == OTHER.verifier
    assert "log.vkey is not the key that was given" in refusal(tmp_path).message
    (tmp_path / VKEY).unlink()
    assert Code.UNAUTHORIZED == refusal(tmp_path).code


def test_a_key_of_a_witness_is_no_key_of_a_log(tmp_path: Path) -> None:
    """Nor is what is no key at all."""
    write_log(tmp_path, 5)
    assert "key of a witness" in refusal(tmp_path, WITNESS.verifier.vkey).message
    (tmp_path / VKEY).unlink()

    assert "key of a witness" in refusal(tmp_path, WITNESS.verifier.vkey).message
    for nonsense in ("nonsense", "", "+1+2"):
        error = refusal(tmp_path, nonsense)
        assert "not the text of a public key" in error.message
        assert "log.vkey" in error.hint
    (tmp_path / VKEY).write_text("nonsense\n")
    assert refusal(tmp_path, None).message == "log.vkey is damaged."


def cosign(folder: Path, *witnesses: Signer) -> None:
    """Witnesses sign the checkpoint."""
    note = parse((folder / CHECKPOINT).read_bytes())
    lines = (witness.sign(note.text, 1_790_000_000) for witness in witnesses)
    (folder / CHECKPOINT).write_bytes(Note(note.text, (*note.signatures, *lines)).encode())


def test_signatures_of_witnesses_must_hold(tmp_path: Path) -> None:
    """Attack: any byte of a witness's line is changed. What does not hold is named; what has
    another key or name than the witness's is none of its."""
    write_log(tmp_path, 20)
    asked = (WITNESS.verifier,)
    assert () == verified(tmp_path, witnesses=asked).cosigned
    plain = len((tmp_path / CHECKPOINT).read_bytes())
    cosign(tmp_path, WITNESS)
    (signed,) = verified(tmp_path, witnesses=asked).cosigned
    assert (WITNESS.verifier, 1_790_000_000) == (signed.verifier, signed.time_s)
    assert () == verified(tmp_path).cosigned

    whole = (tmp_path / CHECKPOINT).read_bytes()
    refused = 0
    for at in range(plain, len(whole)):
        change(tmp_path / CHECKPOINT, at)
        try:
            assert () == verified(tmp_path, witnesses=asked).cosigned
        except PosternError as error:
            refused += "The signature by witness.example/w1 does not hold" in error.message
        (tmp_path / CHECKPOINT).write_bytes(whole)
    assert refused > 60


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 599, 600])
def test_a_log_continues_each_of_its_checkpoints(tmp_path: Path, size: int) -> None:
    """Whoever kept one, such as a witness, can tell."""
    write_log(tmp_path, 256, 600)
    kept = sign(Checkpoint(ORIGIN, size, root(size)), LOG)

    assert 600 == verified(tmp_path, earlier=kept).checkpoint.size


def test_a_history_that_was_written_anew_does_not_continue_what_was_kept(tmp_path: Path) -> None:
    """Attack: with the log's key, or rolled back; both are whole in themselves."""
    write_log(tmp_path, 300)
    other = sign(Checkpoint(ORIGIN, 200, root(199)), LOG)
    for earlier, words in (
        (other, "does not continue the checkpoint that was kept: before entry 200 another history"),
        (sign(Checkpoint(ORIGIN, 300, root(299)), LOG), "before entry 300 another history"),
        (sign(Checkpoint(ORIGIN, 301, root(301)), LOG), "Entries from 300 on are missing"),
        (
            sign(Checkpoint(ORIGIN, 200, root(200)), OTHER),
            "The checkpoint that was kept is damaged",
        ),
        (b"", "The checkpoint that was kept is damaged"),
    ):
        with pytest.raises(PosternError, match=words):
            verified(tmp_path, earlier=earlier)


@pytest.mark.parametrize("size", [20, 300])
def test_every_bit_of_every_file_counts(tmp_path: Path, size: int) -> None:
    """One bit of every byte in turn; the file is named, or its entry.

    The partial files of an earlier checkpoint are among them.
    """
    write_log(tmp_path, size // 2, size)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        name = str(path.relative_to(tmp_path))
        whole = path.read_bytes()
        for at in range(0, len(whole), 5 if size < 100 else 97):
            change(path, at, at % 8)
            message = refusal(tmp_path).message
            if "entries" in name:
                assert named_entry(message, at // 43, name), (name, at, message)
            elif name.startswith("tile"):
                assert message.startswith(f"{name} is damaged"), (name, at, message)
            elif name == CHECKPOINT:
                assert message.startswith("checkpoint is damaged, or was made"), (at, message)
            path.write_bytes(whole)

    assert size == verified(tmp_path).checkpoint.size


def named_entry(message: str, at: int, name: str) -> bool:
    """Whether it is about that entry of a bundle, or about an older copy of the bundle."""
    first = 256 if "/001" in name else 0
    if message.startswith(f"{name} is damaged"):
        return True
    return any(
        message.startswith(start)
        for start in (
            f"Entry {first + at} was changed: it does not fit tile/0/",
            f"Entry {first + at} is damaged, in {name}",
            f"Entry {first + at} says it is ",
            f"{name} is cut off in entry {first + at}.",
        )
    )


@pytest.mark.parametrize("size", [20, 300])
def test_every_file_that_is_missing_is_named(tmp_path: Path, size: int) -> None:
    """But for the partial ones of earlier checkpoints, which may go."""
    write_log(tmp_path, size)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        name = str(path.relative_to(tmp_path))
        kept = path.read_bytes()
        path.unlink()
        error = refusal(tmp_path, None)
        assert (Code.NOT_FOUND, f"{name} is missing.") == (error.code, error.message)
        assert "copy of the log" in error.hint
        path.write_bytes(kept)


@pytest.mark.parametrize("size", [20, 300])
def test_every_file_that_is_cut_is_named(tmp_path: Path, size: int) -> None:
    """Anywhere: a few cuts each, the empty file among them."""
    write_log(tmp_path, size)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        name = str(path.relative_to(tmp_path))
        kept = path.read_bytes()
        for cut in (0, 1, len(kept) // 2, len(kept) - 1):
            path.write_bytes(kept[:cut])
            message = refusal(tmp_path, None).message
            if name.startswith("tile"):
                assert name in message, message
        path.write_bytes(kept)


@settings(max_examples=60)
@given(data=st.data())
def test_any_single_bit_anywhere_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """In logs of random sizes with random checkpoints before the last."""
    folder = tmp_path_factory.mktemp("log")
    sizes = sorted(data.draw(st.lists(st.integers(1, 600), min_size=1, max_size=3)))
    write_log(folder, *sizes)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(paths))
    change(path, data.draw(st.integers(0, path.stat().st_size - 1)), data.draw(st.integers(0, 7)))

    refusal(folder)


@pytest.mark.parametrize(
    ("name", "count", "at", "first"),
    [
        ("tile/entries/000", 256, 0, 0),
        ("tile/entries/000", 256, 255, 0),
        ("tile/entries/001.p/44", 44, 17, 256),
    ],
)
def test_an_entry_that_was_replaced_is_named(
    tmp_path: Path, name: str, count: int, at: int, first: int
) -> None:
    """It is well-formed and has its number, and does not fit its tile."""
    write_log(tmp_path, 300)
    rewrite(tmp_path, name, count, at, first)

    tile = name.replace("entries", "0")
    assert (
        f"Entry {first + at} was changed: it does not fit {tile}, which is right."
        == refusal(tmp_path).message
    )


def test_the_first_of_several_replaced_entries_is_named(tmp_path: Path) -> None:
    """Though later ones are damaged beyond reading."""
    write_log(tmp_path, 600)
    rewrite(tmp_path, "tile/entries/001", 256, 3, 256)
    change(tmp_path / "tile/entries/002.p/88", 0)

    assert refusal(tmp_path).message.startswith("Entry 259 was changed")


def test_an_entry_and_its_hash_that_were_replaced_together_are_narrowed_down(
    tmp_path: Path,
) -> None:
    """The tile above tells which 256 entries are not what was logged."""
    write_log(tmp_path, 600)
    entry = rewrite(tmp_path, "tile/entries/001", 256, 3, 256)
    tile = bytearray((tmp_path / "tile/0/001").read_bytes())
    tile[32 * 3 : 32 * 4] = leaf_hash(entry)
    (tmp_path / "tile/0/001").write_bytes(tile)

    assert (
        "What is logged from entry 256 to 511 was changed: it does not fit tile/1/000.p/2, which "
        "is right." == refusal(tmp_path).message
    )


def test_an_entry_and_its_hash_that_do_not_even_fit_each_other_are_both_named(
    tmp_path: Path,
) -> None:
    """Nobody can tell which was first."""
    write_log(tmp_path, 600)
    rewrite(tmp_path, "tile/entries/001", 256, 3, 256)
    change(tmp_path / "tile/0/001", 32 * 3)

    assert (
        "Entry 259 or tile/0/001 was changed: neither fits what is above."
        == refusal(tmp_path).message
    )


def test_an_earlier_state_of_a_tile_is_not_blamed_for_what_came_after(tmp_path: Path) -> None:
    """Where a tile and its entry were changed, the partial tile of before is still right."""
    write_log(tmp_path, 300, 600)
    entry = rewrite(tmp_path, "tile/entries/001", 256, 3, 256)
    tile = tmp_path / "tile/0/001"
    hashes = tile.read_bytes()
    (tmp_path / "tile/0/001.p").mkdir()
    (tmp_path / "tile/0/001.p/44").write_bytes(hashes[: 32 * 44])

    tile.write_bytes(hashes[: 32 * 3] + leaf_hash(entry) + hashes[32 * 4 :])
    assert (
        "tile/0/001.p/44 or tile/0/001 was changed: neither fits what is above."
        == refusal(tmp_path).message
    )


def test_a_log_that_was_written_anew_does_not_fit_its_checkpoint(tmp_path: Path) -> None:
    """All its tiles fit one another; only the signature could not be made."""
    write_log(tmp_path, 600)
    for name in ("tile",):
        shutil.rmtree(tmp_path / name)
    changed = entries(600)
    changed[400] = Leaf(400, bytes(32)).encode()
    grow(tmp_path, 0, EMPTY, changed)

    assert refusal(tmp_path).message.startswith("The checkpoint is not of these entries")


@pytest.mark.parametrize(
    "edit",
    [
        lambda every: every[:7] + every[8:] + [Leaf(19, bytes(32)).encode()],
        lambda every: [*every[:7], every[8], every[7], *every[9:]],
        lambda every: [*every[:7], every[6], *every[8:]],
    ],
    ids=["deleted", "swapped", "repeated"],
)
def test_entries_that_were_moved_are_found_by_their_numbers(
    tmp_path: Path, edit: Callable[[list[bytes]], list[bytes]]
) -> None:
    """Even where tiles and checkpoint were signed anew over them."""
    changed = edit(entries(20))
    new_root = grow(tmp_path, 0, EMPTY, changed)
    (tmp_path / CHECKPOINT).write_bytes(sign(Checkpoint(ORIGIN, 20, new_root), LOG))

    assert refusal(tmp_path).message.startswith("Entry 7 says it is ")


def test_an_entry_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    """Though the log has signed it."""
    changed = entries(20)
    changed[4] = b"\x02" + changed[4][1:]
    new_root = grow(tmp_path, 0, EMPTY, changed)
    (tmp_path / CHECKPOINT).write_bytes(sign(Checkpoint(ORIGIN, 20, new_root), LOG))

    assert refusal(tmp_path).message == "Entry 4 is damaged, in tile/entries/000.p/20."


def test_an_older_checkpoint_fits_a_log_that_has_grown(tmp_path: Path) -> None:
    """What lies beyond it is not looked at: a copy may be taken while the log grows."""
    write_log(tmp_path, 100)
    older = (tmp_path / CHECKPOINT).read_bytes()
    grow(tmp_path, 100, root(100), entries(600, 100))

    assert 100 == verified(tmp_path).checkpoint.size
    write_log(tmp_path / "new", 100, 600)
    (tmp_path / "new" / CHECKPOINT).write_bytes(older)
    assert 100 == verified(tmp_path / "new").checkpoint.size


def test_what_a_crash_left_behind_is_no_damage(tmp_path: Path) -> None:
    """Drafts, wider partial tiles than the checkpoint knows, and files of others."""
    write_log(tmp_path, 20)
    for name in ("tile/0/000.p/21", "tile/0/000.p/20.new", "tile/0/000.p/020", "checkpoint.new"):
        (tmp_path / name).write_bytes(b"half")

    assert 20 == verified(tmp_path).checkpoint.size


def test_what_a_log_in_use_removes_meanwhile_is_not_missed(tmp_path: Path) -> None:
    """Partial tiles whose full one came, and segments that expired: listed, and then gone."""
    grown(tmp_path, 2, 3).close()
    segment = segments(tmp_path)[0]
    segment.unlink()
    segment.symlink_to(tmp_path / "gone")
    for name in ("tile/0/000.p/4", "tile/entries/000.p/4"):
        (tmp_path / name).symlink_to(tmp_path / "gone")

    assert 3 == verified(tmp_path).contents


def test_a_segment_that_expires_while_it_is_read_is_no_damage(tmp_path: Path) -> None:
    """Attack on the nerves: the log in use overwrites it between the opening and the reading."""
    grown(tmp_path, 2, 3).close()
    path = segments(tmp_path)[0]

    def expire(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") == "read" and path.exists():
            kind = os.readlink(f"/proc/self/fd/{called.__self__.fileno()}")  # type: ignore[attr-defined]
            if kind == str(path):
                destroy(path.parent, [path])

    sys.setprofile(expire)
    try:
        found = verified(tmp_path)
    finally:
        sys.setprofile(None)
    assert not path.exists()
    assert (3, (range(2),)) == (found.contents, found.absent)


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """A folder or a pipe in the place of a file; with what to look at."""
    write_log(tmp_path, 300)
    for name in (CHECKPOINT, VKEY, "tile/0/000"):
        for make in (Path.mkdir, os.mkfifo):
            path = tmp_path / name
            kept = path.read_bytes()
            path.unlink()
            make(path)
            error = refusal(tmp_path, None)
            assert f"{name} cannot be read: It is no file." == error.message
            assert "Check that" in error.hint
            path.rmdir() if path.is_dir() else path.unlink()
            path.write_bytes(kept)


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """A log of eight times the size takes no more than half as much again."""
    write_log(tmp_path / "small", 5_000)
    write_log(tmp_path / "large", 40_000)
    peaks = []
    for name in ("small", "large"):
        verified(tmp_path / "small")
        tracemalloc.start()
        verified(tmp_path / name)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def grown(folder: Path, *counts: int) -> Log:
    """A real log: so many events an hour, each hour in a segment of its own, all published."""
    clock = SteppedClock()
    log = open_log(folder, bytes(range(32)), ORIGIN, clock)
    for hour, count in enumerate(counts):
        log.append_all(
            [Changed(clock.now().utc, f"step {hour}.{n}", f"p-{n}", "op") for n in range(count)]
        )
        clock.advance(3601)
    log.publish()
    return log


def segments(folder: Path) -> list[Path]:
    """The journal's files, from the first entry on."""
    return sorted((folder / "journal").glob("*.segment"))


def test_events_that_are_still_kept_are_held_against_the_log(tmp_path: Path) -> None:
    """Published ones against their entries; the others are counted too."""
    log = grown(tmp_path, 3, 4)
    assert 7 == verified(tmp_path).contents
    log.append(Changed(SteppedClock().now().utc, "later", "p-1", "op"))
    log.close()

    assert 8 == verified(tmp_path).contents
    assert 7 == verified(tmp_path).checkpoint.size


def test_every_byte_of_the_journal_counts(tmp_path: Path) -> None:
    """Lengths, checksums, leaves, salts and texts; the segment is named."""
    grown(tmp_path, 2, 3).close()
    for path in segments(tmp_path):
        whole = path.read_bytes()
        for at in range(len(whole)):
            change(path, at, at % 8)
            message = refusal(tmp_path).message
            assert message.startswith(f"journal/{path.name} is damaged: Entry "), message
        path.write_bytes(whole)

    assert 5 == verified(tmp_path).contents


def test_a_journal_that_is_cut_before_what_is_published_is_found(tmp_path: Path) -> None:
    """Anywhere; a cut is a crash's doing only where nothing published is lost."""
    grown(tmp_path, 2, 3).close()
    first, last = segments(tmp_path)
    for path in (first, last):
        whole = path.read_bytes()
        for size in range(0, len(whole), 7):
            path.write_bytes(whole[:size])
            assert refusal(tmp_path).code is Code.INVALID
        path.write_bytes(whole)
    last.unlink()
    assert "The journal ends before entry 2, and 5 are published." == refusal(tmp_path).message


def test_a_torn_tail_is_no_damage(tmp_path: Path) -> None:
    """What was never acknowledged may be half there."""
    grown(tmp_path, 2, 3).close()
    with segments(tmp_path)[-1].open("ab") as file:
        file.write(b"\x00\x00\x01\x00half")

    assert 5 == verified(tmp_path).contents


def test_a_torn_tail_in_the_middle_is_damage(tmp_path: Path) -> None:
    """Only the last segment is ever written to."""
    grown(tmp_path, 2, 3).close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b"\x00\x00\x01\x00half")

    assert "segment is damaged: Entry 2 of the journal" in refusal(tmp_path).message


def test_expired_events_are_no_damage(tmp_path: Path) -> None:
    """Their entries stay, and the tree holds."""
    log = grown(tmp_path, 2, 3, 1)
    log.close()
    assert () == verified(tmp_path).absent
    segments(tmp_path)[0].unlink()
    assert (4, (range(2),)) == (verified(tmp_path).contents, verified(tmp_path).absent)
    for path in segments(tmp_path):
        path.unlink()
    (tmp_path / "journal" / f"{6:020}.segment").write_bytes(b"")
    assert (0, (range(6),)) == (verified(tmp_path).contents, verified(tmp_path).absent)
    shutil.rmtree(tmp_path / "journal")
    assert (0, (range(6),)) == (verified(tmp_path).contents, verified(tmp_path).absent)
    assert 6 == verified(tmp_path).checkpoint.size


def test_every_gap_between_events_is_told(tmp_path: Path) -> None:
    """Attack: hours are removed that had not expired. They can be, and it is seen which."""
    grown(tmp_path, 2, 3, 1, 4, 1).close()
    for path in segments(tmp_path)[1::2]:
        path.unlink()

    assert (4, (range(2, 5), range(6, 10))) == (
        verified(tmp_path).contents,
        verified(tmp_path).absent,
    )


def test_an_event_that_was_rewritten_with_its_leaf_and_checksum_is_named(tmp_path: Path) -> None:
    """The journal by itself is sound; the log knows better."""
    grown(tmp_path, 1, 1).close()
    path = segments(tmp_path)[0]
    rewrite_event(path, 0, "step", "stop")

    assert f"Entry 0 in journal/{path.name} is not what was logged." == refusal(tmp_path).message


def test_segments_that_overlap_or_are_none_are_refused(tmp_path: Path) -> None:
    """A segment is named by its first entry."""
    grown(tmp_path, 2, 3).close()
    first, last = segments(tmp_path)
    moved = last.with_name(f"{1:020}.segment")

    last.rename(moved)
    assert "does not follow entry 1 of the journal" in refusal(tmp_path).message
    moved.rename(last)
    first.rename(first.with_name("x.segment"))
    assert "journal/x.segment is no segment" in refusal(tmp_path).message


def test_entries_beyond_the_published_ones_may_not_be_missing(tmp_path: Path) -> None:
    """Nothing expires before it is published."""
    grown(tmp_path, 2).close()
    journal = tmp_path / "journal"
    (journal / f"{3:020}.segment").write_bytes(b"")

    assert "does not follow entry 1 of the journal" in refusal(tmp_path).message
