"""Safeguard: what events said is gone after their time, and the proofs survive.

A site records for three months, hour by hour, on a clock that is moved. Then retention is over for
most of it: neither the text of those events nor the salt that hides it, nor anything that they
named, is in any file, in any form; the log verifies, and proofs that were taken before still hold.
Looking at a person's events takes a reason, leaves an event, and the person can see it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from postern.app.records import LEDGER, Records, log_origin, log_seed
from postern.app.wire import Installation, open_site, prove_event, read_site, tidy
from postern.core.decision import Reason
from postern.core.event import Acted, Decided, Event, Viewed
from postern.core.ids import AttemptId
from postern.core.person import Person
from postern.ledger.log import open_log
from postern.ledger.segment import Entry
from tests.cli.terminal import postern
from tests.clocks import SteppedClock
from tests.people import ALICE, DOOR
from tests.safeguards.traces import Form, Search, encoded

HOUR = timedelta(hours=1)
#: How often something happens, and for how long, in hours.
EVERY, SPAN = 11, 75 * 24
#: Of `site.toml` unless it says otherwise; and how much later than that contents may go.
KEPT, LATE = timedelta(days=30), timedelta(hours=1)


@dataclass(frozen=True)
class Past:
    """What a site has recorded.

    Attributes:
        installation: The site, its clock standing at the end.
        clock: Moves it.
        entries: Everything as the journal had it, oldest first.
        times: When each was.
        proofs: A proof of every tenth, by number, in a file.
    """

    installation: Installation
    clock: SteppedClock
    entries: tuple[Entry, ...]
    times: tuple[datetime, ...]
    proofs: dict[int, Path]


@pytest.fixture
def past(folder: Path) -> Iterator[Past]:
    clock = SteppedClock()
    with open_site(read_site(folder / "site.toml")) as opened:
        opened.store.people.add(Person(ALICE, "Alice"))
        # The same log anew, on the clock that is moved.
        opened.records.close()
        origin = log_origin(opened.vault.site)
        log = open_log(opened.site.data / LEDGER, log_seed(opened.signing), origin, clock)
        records = Records(log, opened.store.events, opened.store.ids)
        installation = replace(opened, records=records, clock=clock)
        times = []
        for number in range(SPAN // EVERY):
            times.append(clock.now().utc)
            records.append(_event(number, times[-1]))
            clock.advance(EVERY * 3600.0)
        times += times[-1:]
        records.append(_acted(times[-1]))
        records.settle()
        entries = tuple(log.entries())
        proofs = {}
        for number in range(0, len(entries), 10):
            proofs[number] = folder / f"{number}.proof"
            proofs[number].write_bytes(prove_event(installation, number).file)
        yield Past(installation, clock, entries, tuple(times), proofs)
        records.close()


def test_contents_are_there_and_then_in_no_file(past: Past) -> None:
    """While they are kept all are found; afterwards none whose time is over, and all others."""
    data, entries = past.installation.site.data, past.entries
    assert len(entries) == SPAN // EVERY + 1
    search = Search(form for entry in entries for form in _forms(entry))
    before = _found(data, search)
    for what in ("attempt", "time", "salt"):
        assert {f"{what} of {entry.index}" for entry in entries[:-1]} <= before

    tidy(past.installation)
    left = {int(re.findall(r"\d+", name)[0]) for name in _found(data, search)}
    now = past.clock.now().utc
    over = {e.index for e, at in zip(entries, past.times, strict=True) if now - at > KEPT + LATE}
    kept = {e.index for e, at in zip(entries, past.times, strict=True) if now - at < KEPT}
    assert len(over) > 60
    assert set() == over & left
    assert kept <= left


def test_log_verifies_and_old_proofs_hold(past: Past) -> None:
    """Offline, with the log's folder as it is after expiry; and new proofs of old entries."""
    log = past.installation.records.log
    tidy(past.installation)
    told = postern("verify", str(past.installation.site.data / LEDGER), "--json")

    assert 0 == told.code, told.err
    assert len(past.entries) == json.loads(told.out)["entries"]
    for file in past.proofs.values():
        shown = postern("prove", "--check", str(file), "--key", log.verifier.vkey)
        assert 0 == shown.code, shown.err
    # New proofs can be had of what has expired, too; they only do not say what it was.
    first, last = (prove_event(past.installation, number).shown for number in (0, max(past.proofs)))
    assert first.text is None
    assert last.text is not None


def test_altered_log_is_named_after_expiry_too(past: Past) -> None:
    """Expiry does not blind it: a commitment that is changed later is found."""
    tidy(past.installation)
    folder = past.installation.site.data / LEDGER
    bundle = sorted((folder / "tile" / "entries").rglob("*"))[-1]
    changed = bytearray(bundle.read_bytes())
    changed[2 + 41 // 2] ^= 1
    bundle.write_bytes(changed)

    told = postern("verify", str(folder))
    assert told.code != 0
    assert "ntry" in told.err


def test_names_of_old_months_are_gone_with_their_keys(past: Past) -> None:
    """Nobody can tell any more whom an event of that month was about, the site included."""
    pseudonyms = past.installation.site.data / LEDGER / "pseudonyms"
    first, last = past.times[0], past.times[-1]
    names = past.installation.records.log.pseudonyms
    assert {ALICE} == set(names.names(first, [ALICE]).values())
    keys = {path.name: path.read_bytes() for path in pseudonyms.glob("*.key")}
    assert {"2026-03.key", "2026-04.key", "2026-05.key"} == keys.keys()

    tidy(past.installation)
    assert {} == names.names(first, [ALICE])
    assert {ALICE} == set(names.names(last, [ALICE]).values())
    search = Search(form for name, key in keys.items() for form in encoded(name, key))
    assert {"2026-04.key", "2026-05.key"} == _found(past.installation.site.data, search)


def test_looking_at_somebodys_events_takes_a_reason_that_they_see(folder: Path) -> None:
    """Without one nothing is shown; with one it is recorded first, and stands in their export."""
    with open_site(read_site(folder / "site.toml")) as installation:
        installation.store.people.add(Person(ALICE, "Alice"))
        installation.records.append(_event(1, installation.clock.now().utc))
    refused = postern("events", "--person", ALICE)
    assert refused.code != 0
    assert "reason" in refused.err
    assert ALICE not in refused.out
    assert [] == _views(folder)

    shown = postern("events", "--person", ALICE, "--reason", "A tool is missing since noon.")
    assert 0 == shown.code, shown.err
    assert "Alice" in shown.out
    # It is recorded before it is read: whoever looks sees it on top.
    told = postern("events", "--person", ALICE, "--reason", "And a second tool.", "--json").out
    assert ["viewed", "viewed", "decided"] == [entry["kind"] for entry in json.loads(told)]
    assert "And a second tool." == json.loads(told)[0]["event"]["why"]
    assert ["And a second tool.", "A tool is missing since noon."] == [
        view.why for view in _views(folder)
    ]
    assert "A tool is missing since noon." in postern("person", "export", ALICE).out


def test_events_without_a_reason_name_nobody(folder: Path) -> None:
    """People stand under names of the month, in the table and for scripts."""
    with open_site(read_site(folder / "site.toml")) as installation:
        installation.store.people.add(Person(ALICE, "Alice Quillfeather"))
        installation.records.append(_event(1, installation.clock.now().utc))
    for told in (postern("events"), postern("events", "--json")):
        assert "decided" in told.out
        assert ALICE not in told.out
        assert "Quillfeather" not in told.out


def _event(number: int, at: datetime) -> Event:
    attempt = AttemptId(f"attempt-{number:06}-{number * 7919 % 99991:05}")
    return Decided(at, DOOR.id, attempt, Reason.PERMITTED, None, (ALICE,), 4)


def _acted(at: datetime) -> Event:
    return Acted(at, DOOR.id, AttemptId("attempt-last"), True, "opened for 1 s")


def _forms(entry: Entry) -> Iterator[Form]:
    """What only this event said, and what it takes to prove that it did."""
    (attempt,) = re.findall(r"attempt-[0-9a-z-]+", entry.text)
    yield Form(f"attempt of {entry.index}", attempt.encode())
    (time,) = re.findall(r"[0-9]{4}-[0-9-]+T[0-9:]+", entry.text)
    yield Form(f"time of {entry.index}", time[2:].encode())
    for form in encoded("salt", entry.salt):
        yield Form(f"salt of {entry.index}", form.data)


def _found(data: Path, search: Search) -> set[str]:
    files = [path for path in data.rglob("*") if path.is_file()]
    return set().union(*(search.names(path.read_bytes()) for path in files))


def _views(folder: Path) -> list[Viewed]:
    with open_site(read_site(folder / "site.toml")) as installation:
        found = [entry.event for entry in installation.records.list()]
    return [event for event in found if isinstance(event, Viewed)]
