"""`postern events --verify`: the site's own log, checked before it is shown."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from postern.app.wire import open_site, read_site
from postern.core.event import Changed
from postern.ledger.note import Note, parse
from tests.cli.terminal import postern
from tests.ledger.samples import NOW_S, WITNESS


@pytest.fixture
def ledger(folder: Path) -> Path:
    """The log of a site at which something happened an hour for four hours, until now."""
    with open_site(read_site(folder / "site.toml")) as installation:
        now = installation.clock.now().utc
        installation.records.append_all(
            [Changed(now - timedelta(hours=4 - n), f"thing {n}", "", "op") for n in range(4)]
        )
    return folder / "data" / "ledger"


def test_sound_log_is_said_to_be_sound(ledger: Path) -> None:
    """And shown."""
    answer = postern("events", "--verify", "--json")

    assert (0, 4) == (answer.code, len(json.loads(answer.out)))
    assert "Entries checked: 4. Events still kept: 4. All are what was logged." in answer.err
    assert "is not kept here" not in answer.err


def test_event_that_is_gone_before_its_time_is_named_and_kept_in_the_store(ledger: Path) -> None:
    """Attack: an hour is taken out of the journal. The only copy is not thrown away for it."""
    sorted(ledger.glob("journal/*.segment"))[1].unlink()
    for _ in range(2):
        answer = postern("events", "--verify", "--json")
        assert (3, "") == (answer.code, answer.out)
        assert "gone from the journal before their time: 1, the first of them entry 1" in answer.err
    shown = json.loads(postern("events", "--json").out)
    assert [f"thing {n}" for n in (3, 2, 1, 0)] == [one["event"]["what"] for one in shown]


def test_signature_of_a_witness_must_hold_where_it_is_there(ledger: Path) -> None:
    """One that is not there is told; the service asks for it when the log has grown."""
    site = ledger.parents[1] / "site.toml"
    site.write_text(
        f'{site.read_text()}\n[witness.hub]\nurl = "https://hub.example"\n'
        f'key = "{WITNESS.verifier.vkey}"\n'
    )
    answer = postern("events", "--verify", "--json")
    assert 0 == answer.code
    assert "This checkpoint is not signed yet by witness.example/w1." in answer.err

    checkpoint = ledger / "checkpoint"
    note = parse(checkpoint.read_bytes())
    line = WITNESS.sign(note.text, NOW_S)
    checkpoint.write_bytes(Note(note.text, (*note.signatures, line)).encode())
    answer = postern("events", "--verify", "--json")
    assert (0, False) == (answer.code, "not signed yet" in answer.err)

    other = line.content[:-1] + bytes([line.content[-1] ^ 1])
    forged = Note(note.text, (*note.signatures, replace(line, content=other)))
    checkpoint.write_bytes(forged.encode())
    answer = postern("events", "--verify", "--json")
    assert (3, "") == (answer.code, answer.out)
    assert "The signature by witness.example/w1 does not hold" in answer.err
