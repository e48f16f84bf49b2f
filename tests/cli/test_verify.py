"""`postern verify` as it is typed: on a bare copy of a log, without a site."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from postern.core.event import Changed
from postern.ledger.checkpoint import Checkpoint, sign
from postern.ledger.log import open_log
from postern.ledger.note import Note, parse
from tests.cli.terminal import postern
from tests.clocks import SteppedClock
from tests.ledger.samples import LOG, NOW_S, ORIGIN, OTHER, WITNESS, root, write_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A copy of a log, and nothing else."""
    write_log(tmp_path / "copy", 100, 300)
    return tmp_path / "copy"


def test_a_sound_log_is_said_to_be_sound(log: Path) -> None:
    """With the key that signed it, and how long it took."""
    answer = postern("verify", str(log), "--key", LOG.verifier.vkey)

    assert 0 == answer.code
    assert f"Entries of {ORIGIN}: 300. All are what was logged.\n" in answer.out
    assert f"Signed by {LOG.verifier.vkey}\n" in answer.out
    assert "Decoding took " in answer.out
    assert "" == answer.err


def test_it_warns_where_the_key_came_with_the_log(log: Path) -> None:
    """Whoever makes a log anew puts their own key beside it."""
    answer = postern("verify", str(log))

    assert 0 == answer.code
    assert "The key came with the log" in answer.err


def test_a_changed_entry_is_named_with_an_exit_code_and_no_word_of_praise(log: Path) -> None:
    """One sentence on standard error."""
    bundle = log / "tile/entries/001.p/44"
    data = bytearray(bundle.read_bytes())
    data[43 * 3 + 42] ^= 1
    bundle.write_bytes(data)
    answer = postern("verify", str(log), "--key", LOG.verifier.vkey)

    assert (3, "") == (answer.code, answer.out)
    assert (
        "postern: Entry 259 was changed: it does not fit tile/0/001.p/44, which is right.\n"
        == answer.err
    )
    told = json.loads(postern("verify", str(log), "--json").out)
    assert (False, "invalid") == (told["verified"], told["code"])
    assert told["fault"].startswith("Entry 259 was changed")


def test_witnesses_that_are_named_must_have_signed(log: Path) -> None:
    """One that has not is named, and so is one whose signature does not hold."""
    key = WITNESS.verifier.vkey
    answer = postern("verify", str(log), "--witness", key)
    assert (6, "") == (answer.code, answer.out)
    assert "All fits, but the checkpoint has no signature of witness.example/w1." in answer.err

    note = parse((log / "checkpoint").read_bytes())
    line = WITNESS.sign(note.text, NOW_S)
    (log / "checkpoint").write_bytes(Note(note.text, (*note.signatures, line)).encode())
    answer = postern("verify", str(log), "--witness", key)
    assert 0 == answer.code
    assert "Signed by the witness witness.example/w1 at 2026-09-21 14:13:20 UTC" in answer.out
    told = json.loads(postern("verify", str(log), "--witness", key, "--json").out)
    assert {"witness.example/w1": NOW_S} == told["witnesses"]

    other = line.content[:-1] + bytes([line.content[-1] ^ 1])
    forged = Note(note.text, (*note.signatures, replace(line, content=other)))
    (log / "checkpoint").write_bytes(forged.encode())
    answer = postern("verify", str(log), "--witness", key)
    assert (3, "") == (answer.code, answer.out)
    assert "The signature by witness.example/w1 does not hold" in answer.err


def test_log_is_held_against_a_checkpoint_that_somebody_kept(log: Path, tmp_path: Path) -> None:
    """A witness's, for one: after a rollback it shows what is missing."""
    kept = tmp_path / "kept"
    answers = []
    for size in (200, 301):
        kept.write_bytes(sign(Checkpoint(ORIGIN, size, root(size)), LOG))
        answers.append(postern("verify", str(log), "--continues", str(kept)))
    whole, cut = answers

    assert 0 == whole.code
    assert f"It continues the checkpoint in {kept}." in whole.out
    assert (3, "") == (cut.code, cut.out)
    assert "Entries from 300 on are missing: the checkpoint that was kept is of 301." in cut.err
    answer = postern("verify", str(log), "--continues", str(tmp_path / "none"))
    assert (4, True) == (answer.code, "There is no file" in answer.err)


def test_what_is_not_kept_is_told_apart_from_what_expired(tmp_path: Path) -> None:
    """What expires goes from the oldest on: a gap after what is kept is somebody's doing."""
    clock = SteppedClock()
    events = open_log(tmp_path, bytes(range(32)), ORIGIN, clock)
    for hour in range(4):
        now = clock.now().utc
        events.append_all([Changed(now, f"step {hour}.{n}", "", "op") for n in range(2 - hour % 2)])
        clock.advance(3601)
    events.publish()
    events.close()
    segments = sorted(tmp_path.glob("journal/*"))
    assert "is not kept here" not in postern("verify", str(tmp_path)).out
    segments[0].unlink()
    segments[2].unlink()
    answer = postern("verify", str(tmp_path))

    assert 0 == answer.code
    assert "What entries 0 to 1 said is not kept here: expired, or removed.\n" in answer.out
    assert "What entries 3 to 4 said is not kept here, though what came before is" in answer.err
    told = json.loads(postern("verify", str(tmp_path), "--json").out)
    assert (2, [[0, 1], [3, 4]]) == (told["events"], told["absent"])


def test_scripts_read_json(log: Path) -> None:
    """With both durations apart."""
    told = json.loads(postern("verify", str(log), "--json").out)

    assert (True, 300, ORIGIN, False) == (
        told["verified"],
        told["entries"],
        told["origin"],
        told["key_given"],
    )
    assert told["decoding_s"] > 0
    assert told["hashing_s"] > 0


def test_another_key_is_refused(log: Path) -> None:
    """With and without the log's own beside it."""
    assert 3 == postern("verify", str(log), "--key", OTHER.verifier.vkey).code
    (log / "log.vkey").unlink()
    assert 6 == postern("verify", str(log), "--key", OTHER.verifier.vkey).code


def test_a_folder_without_a_log_says_where_one_is(tmp_path: Path) -> None:
    """A site's data has it in `ledger`."""
    write_log(tmp_path / "data" / "ledger", 3)

    answer = postern("verify", str(tmp_path / "data"))
    assert 4 == answer.code
    assert f"Did you mean {tmp_path / 'data' / 'ledger'}?" in answer.err
    answer = postern("verify", str(tmp_path / "nowhere"))
    assert (4, False) == (answer.code, "Did you mean" in answer.err)


def test_an_empty_log_is_sound(tmp_path: Path) -> None:
    """Nothing was logged, and that is signed."""
    write_log(tmp_path, 0)

    assert f"Entries of {ORIGIN}: 0. All are" in postern("verify", str(tmp_path)).out
