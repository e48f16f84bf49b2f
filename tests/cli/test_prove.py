"""Proofs of events, from the site that makes them to the outsider who checks them offline."""

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.api.witness import witness_app
from postern.app.proving import check
from postern.app.wire import open_site, prove_event, read_site
from postern.core.errors import PosternError
from postern.core.event import Changed
from postern.ledger.leaf import LEAF_SIZE
from postern.ledger.note import parse, parse_vkey
from postern.ledger.proof import decode
from postern.ledger.witness import MOST_BODY, Witness
from tests.cli.terminal import ended, postern, started
from tests.clocks import MachineClock
from tests.ledger.samples import OTHER, WITNESS
from tests.web.serving import serving


@pytest.fixture
def key(folder: Path) -> str:
    """The public key of the log of a site in which a few things happened."""
    for plate in ("KA 1", "KA 2", "KA 3"):
        assert 0 == postern("vehicle", "add", plate).code
    return (folder / "data/ledger/log.vkey").read_text().strip()


@pytest.fixture
def proof(folder: Path, key: str) -> Path:
    """The proof of one of them."""
    assert 0 == postern("prove", "1").code
    return folder / "event-1.tlog-proof"


def test_an_event_is_proved_to_somebody_with_the_logs_key(proof: Path, key: str) -> None:
    """The proof carries the event under pseudonyms; nobody but its owner may read the file."""
    answer = postern("prove", "--check", str(proof), "--key", key)

    assert 0 == answer.code
    assert "Event 1 is in the log postern.invalid/" in answer.err
    assert "as one of 3" in answer.err
    assert "No witness vouches for it" in answer.err
    assert "enrolled" == json.loads(answer.out)["kind"]
    assert 0o600 == proof.stat().st_mode & 0o777


def test_a_witnessed_event_is_proved_with_the_witness(folder: Path, key: str) -> None:
    """It is asked when the proof is made; afterwards the proof stands without it."""
    witness = Witness(folder / "hub", WITNESS, [parse_vkey(key)], MachineClock())
    site = (folder / "site.toml").read_text()
    with serving(witness_app(witness, MOST_BODY, print)) as url:
        table = f'[witness.hub]\nurl = "{url}"\nkey = "{WITNESS.verifier.vkey}"\n'
        (folder / "site.toml").write_text(f"{site}\n{table}")
        assert 0 == postern("prove", "0", "--out", "first.tlog-proof").code
    postern("vehicle", "add", "KA 4")
    later = postern("prove", "2", "--out", "later.tlog-proof")
    alone = postern("prove", "3", "--out", "alone.tlog-proof")

    assert 0 == later.code
    assert "as one of 3" in later.err
    assert "witness hub:" not in later.err
    assert (0, True) == (alone.code, "No witness could be asked now" in alone.err)
    checked = ("--key", key, "--witness", WITNESS.verifier.vkey)
    for file in ("first.tlog-proof", "later.tlog-proof"):
        answer = postern("prove", "--check", file, *checked)
        assert 0 == answer.code
        assert "The witness witness.example/w1 signed the same log at 20" in answer.err
    answer = postern("prove", "--check", "alone.tlog-proof", *checked)
    assert 6 == answer.code
    assert "has no signature of witness.example/w1" in answer.err


@contextmanager
def witnessed(folder: Path, witness: Witness) -> Iterator[None]:
    """The site asks that witness meanwhile, at the very address that its site.toml keeps."""
    with serving(witness_app(witness, MOST_BODY, print)) as url:
        ask(folder, url)
        yield


def ask(folder: Path, url: str) -> None:
    """Names the witness `hub` in the site's site.toml."""
    file = folder / "site.toml"
    site = file.read_text().split("\n[witness.hub]")[0]
    table = f'[witness.hub]\nurl = "{url}"\nkey = "{WITNESS.verifier.vkey}"\n'
    file.write_text(f"{site}\n{table}")


NOBODY = "http://127.0.0.1:9"


def test_a_witness_that_refuses_is_told_in_its_own_words(folder: Path, key: str) -> None:
    """The log was rolled back, with or without what was acknowledged; or the witness has another
    key. The proof is made, and it says that no witness vouches for it."""
    data, kept = folder / "data", folder / "data/ledger/witnesses"
    hub = Witness(folder / "hub", WITNESS, [parse_vkey(key)], MachineClock())
    copytree(data, folder / "copy")
    postern("vehicle", "add", "KA 4")
    with witnessed(folder, hub):
        assert "signed the same log" in postern("prove", "3").err
        acknowledged = (kept / "hub").read_bytes()
        rmtree(data)
        (folder / "copy").rename(data)
        forgot = postern("prove", "1", "--out", "forgot")
        kept.mkdir(exist_ok=True)
        (kept / "hub").write_bytes(acknowledged)
        knows = postern("prove", "1", "--out", "knows")
    with witnessed(folder, Witness(folder / "hub", WITNESS, [OTHER.verifier], MachineClock())):
        stranger = postern("prove", "1", "--out", "stranger")

    for answer in (forgot, knows):
        assert "witness hub: The witness has signed 4 entries of a history" in answer.err
        assert "rolled back or restored from a backup" in answer.err
    assert "witness hub: The witness does not know this log" in stranger.err
    assert key in stranger.err
    for answer in (forgot, knows, stranger):
        assert 0 == answer.code, answer.err
        assert "No witness vouches for it" in answer.err
        assert "could be asked" not in answer.err


def test_a_refusal_is_red_and_an_absence_is_not(folder: Path, key: str) -> None:
    """As `postern run` has it."""
    with witnessed(folder, Witness(folder / "hub", WITNESS, [OTHER.verifier], MachineClock())):
        refused = ended(started("prove", "1", cwd=folder, before="export FORCE_COLOR=1"))
    ask(folder, NOBODY)
    away = ended(started("prove", "1", "--out", "x", cwd=folder, before="export FORCE_COLOR=1"))

    assert "\x1b[31mwitness hub: The witness does not know this log" in refused.err
    assert "\x1b[33mwitness hub: The witness cannot be reached: the connection failed" in away.err
    assert "\x1b[33mNo witness could be asked now; a proof made later may be stronger." in away.err


def test_an_event_of_a_log_that_was_written_anew_has_no_proof_of_the_old_one(
    folder: Path, key: str
) -> None:
    """Attack: the log is taken away, and what its witness signed of it is left; the new one has
    as many entries and more, and the same name and key."""
    hub = Witness(folder / "hub", WITNESS, [parse_vkey(key)], MachineClock())
    ledger = folder / "data/ledger"
    with witnessed(folder, hub):
        assert 0 == postern("prove", "1").code
        for part in ("journal", "tile"):
            rmtree(ledger / part)
        for file in ("checkpoint", "log.vkey"):
            (ledger / file).unlink()
        for number in range(4):
            assert 0 == postern("vehicle", "add", f"KB {number}").code
        answer = postern("prove", "1", "--out", "anew")

    assert 0 == answer.code
    assert "No witness vouches for it" in answer.err
    assert "witness hub: The witness has signed 3 entries of a history" in answer.err


def test_a_witnesss_signature_that_a_disk_broke_is_asked_for_again(folder: Path, key: str) -> None:
    """It is told. The file is whole again; while the witness is away the proof leaves it out."""
    hub = Witness(folder / "hub", WITNESS, [parse_vkey(key)], MachineClock())
    file, kept = folder / "data/ledger/checkpoint", folder / "data/ledger/witnesses/hub"
    with witnessed(folder, hub):
        postern("prove", "1", "--out", "whole")
    note = parse(file.read_bytes())
    (mark,) = (s for s in note.signatures if WITNESS.verifier.made(s))
    flipped = replace(mark, content=mark.content[:-1] + bytes([mark.content[-1] ^ 1]))
    broken = replace(note, signatures=(note.signatures[0], flipped)).encode()
    file.write_bytes(broken)
    kept.unlink()
    ask(folder, NOBODY)
    away = postern("prove", "1", "--out", "away")
    with witnessed(folder, hub):
        asked = postern("prove", "1", "--out", "asked")
        again = postern("prove", "1", "--out", "again")

    told = "witness hub: its signature below the checkpoint did not hold; it was asked again."
    assert [(0, True), (0, True), (0, False)] == [
        (answer.code, told in answer.err) for answer in (away, asked, again)
    ]
    assert "No witness vouches for it" in away.err
    checked = ("--key", key, "--witness", WITNESS.verifier.vkey)
    assert [6, 0, 0] == [
        postern("prove", "--check", name, *checked).code for name in ("away", "asked", "again")
    ]
    assert broken != file.read_bytes()


def test_a_damaged_log_is_told_from_a_bad_proof(folder: Path, key: str) -> None:
    """A tile with a changed byte, a tile that is gone: nothing is written."""
    tile = folder / "data/ledger/tile/0/000.p/3"
    whole = tile.read_bytes()
    with open_site(read_site(folder / "site.toml")) as installation:
        for content in (whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b""):
            tile.write_bytes(content)
            with pytest.raises(PosternError, match="The log's own files are damaged: ") as told:
                prove_event(installation, 2)
            assert told.value.hint.startswith("Run postern verify on the log's folder")
        tile.write_bytes(whole)
        assert 2 == prove_event(installation, 2).shown.index


def test_an_expired_event_is_proved_without_its_content(folder: Path, key: str) -> None:
    """That it was there can still be shown."""
    for segment in (folder / "data/ledger/journal").iterdir():
        assert segment.is_file()
    with open_site(read_site(folder / "site.toml")) as installation:
        installation.records.settle()
        later = installation.clock.now().plus(7200).utc
        installation.records.expire(later, later)
    answer = postern("prove", "1")

    assert 0 == answer.code
    assert "What the event said is no longer kept" in answer.err
    assert LEAF_SIZE == len(decode((folder / "event-1.tlog-proof").read_bytes()).extra)
    assert 0 == postern("prove", "--check", "event-1.tlog-proof", "--key", key).code


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("prove",), 3, "Name either an event to prove, or a proof"),
        (("prove", "1", "--check", "x"), 3, "Name either an event to prove, or a proof"),
        (("prove", "one"), 3, "named by its number"),
        (("prove", "3"), 4, "There is no event 3"),
        (("prove", "1", "--key", OTHER.verifier.vkey), 3, "are for checking a proof"),
        (("prove", "1", "--witness", WITNESS.verifier.vkey), 3, "are for checking a proof"),
        (("prove", "--check", "site.toml", "--out", "x"), 3, "Leave out --out"),
        (("prove", "01"), 3, "named by its number"),
        (("prove", "1", "--out", "no/such/folder"), 7, "cannot be written"),
        (("prove", "1", "--out", "site.toml"), 5, "There is a file site.toml already"),
        (("prove", "--check", "absent", "--key", OTHER.verifier.vkey), 4, "There is no file"),
        (("prove", "--check", ".", "--key", OTHER.verifier.vkey), 3, ". is a folder"),
        (("prove", "--check", "site.toml"), 3, "checked against the log's public key"),
        (("prove", "--check", "pipe", "--key", OTHER.verifier.vkey), 3, "pipe is no regular file"),
        (("prove", "--check", "/dev/zero", "--key", OTHER.verifier.vkey), 3, "no regular file"),
        (("prove", "--check", "site.toml", "--key", "x"), 3, "not the text of a public key"),
        (("prove", "--check", "site.toml", "--key", ""), 3, "what the log's file log.vkey holds"),
        (
            ("prove", "--check", "site.toml", "--key", WITNESS.verifier.vkey),
            3,
            "The key of witness.example/w1 is a witness's, not a log's.",
        ),
        (
            ("prove", "--check", "site.toml", "--key", OTHER.verifier.vkey),
            3,
            "site.toml: This is not a proof",
        ),
    ],
)
def test_what_cannot_be_proved_or_checked_is_one_sentence(
    folder: Path, key: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """And nothing is left behind."""
    os.mkfifo("pipe")
    before = {path.name for path in folder.iterdir()}
    answer = postern(*arguments)

    assert (code, "") == (answer.code, answer.out)
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 2
    assert before == {path.name for path in folder.iterdir()}


def test_another_key_is_refused(proof: Path, key: str) -> None:
    """Of another name, and of the same name."""
    name = key.split("+")[0]
    forged = type(OTHER)(name, bytes(range(7, 39))).verifier.vkey

    for other in (OTHER.verifier.vkey, forged):
        answer = postern("prove", "--check", str(proof), "--key", other)
        assert 6 == answer.code
        assert "has not signed" in answer.err or "No known key" in answer.err


def test_attack_event_that_commands_the_terminal_is_shown_as_text(folder: Path, key: str) -> None:
    """Whoever makes a proof, and whoever checks it, is shown printable characters only."""
    hostile = "terminal:\x9b2J\x9b31m\x7f\u202egnp.exe [red]"
    with open_site(read_site(folder / "site.toml")) as installation:
        now = installation.clock.now().utc
        number = installation.records.append(Changed(now, "permit added", "permit-1", hostile))
    for answer in (
        postern("prove", number, "--out", "hostile.tlog-proof"),
        postern("prove", "--check", "hostile.tlog-proof", "--key", key),
    ):
        assert 0 == answer.code, answer.err
        assert "\\x9b2J" in answer.out
        assert "[red]" in answer.out
        assert all(line.isprintable() for line in (answer.out + answer.err).splitlines())
    assert hostile.encode() in decode((folder / "hostile.tlog-proof").read_bytes()).extra


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_proof_with_any_bit_changed_is_refused(proof: Path, key: str, data) -> None:
    """Each in words; what the log did not sign is never shown."""
    whole = bytearray(proof.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PosternError):
        check(bytes(whole), parse_vkey(key))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_checker(data: bytes) -> None:
    """Nothing but our own errors."""
    with pytest.raises(PosternError):
        check(data, OTHER.verifier)


def test_another_event_in_the_proof_is_refused(proof: Path, key: str) -> None:
    """Its text, its salt, its number, or the entry of another event."""
    made = decode(proof.read_bytes())
    entry, opening = made.extra[:LEAF_SIZE], made.extra[LEAF_SIZE:]
    numbered = entry[:8] + b"\0" + entry[9:]
    changed = [
        entry + opening.replace(b"enrolled", b"enroller"),
        entry + bytes(32) + opening[32:],
        entry + opening[:-1],
        entry + b"\xff" * 40,
        numbered + opening,
        entry[:-1],
        b"",
    ]

    assert b"enrolled" in opening
    for extra in changed:
        line = f"extra {b64encode(extra).decode()}\n" if extra else ""
        text = re.sub(rb"extra .*\n", line.encode(), proof.read_bytes(), count=1)
        with pytest.raises(PosternError):
            check(text, parse_vkey(key))
