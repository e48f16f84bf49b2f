"""Safeguard: whoever is enrolled can see, take along and erase everything that is kept about them.

The tables are walked as they are: a column about people that somebody adds and does not export
fails here first.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Column, Table, select

from postern.app.wire import Installation, open_site, read_site
from postern.core.consent import StorageMode
from postern.core.decision import Reason
from postern.core.event import (
    Acted,
    By,
    Changed,
    Consented,
    Decided,
    Enrolled,
    Erased,
    Event,
    Interrupted,
    Revoked,
    Viewed,
    Withdrawn,
)
from postern.core.evidence import Factor
from postern.core.ids import (
    AccessPointId,
    AreaId,
    AttemptId,
    ConsentId,
    CredentialId,
    PermitId,
    PersonId,
)
from postern.core.moment import time_text
from postern.core.permit import Ceiling, Permit
from postern.core.schedule import Schedule, Span
from postern.ledger.note import open_note, parse_vkey
from postern.store.schema import metadata
from tests.cli.enrolled import ROSTER, enrol
from tests.cli.terminal import postern

ZOE, YAN = PersonId("p-zoe"), PersonId("p-yan")
DOOR = AccessPointId("door")
Row = dict[str, Any]
#: Columns that say nothing about a person but whose row it is, and the one that is a secret.
LINKS = {
    ("holders", "id"),
    ("people", "folded"),  # Their name once more, without capitals and marks.
    ("credentials", "holder"),
    ("credentials", "sealed"),
    ("consents", "person"),
    ("consent_places", "consent"),
    ("permit_holders", "holder"),
    ("permit_holders", "permit"),
    ("permit_places", "permit"),
    ("permit_factors", "permit"),
    ("permit_factors", "place"),  # Their order, which the export keeps.
    ("inside", "holder"),
    ("throttles", "holder"),
}
#: What a list of access points is called.
PLACES = {"consent_places": "places", "permit_places": "access_points"}
#: Tables about nobody in particular, or about operators; the events, with whom they name, have a
#: test of their own. What operators asked for under a key is theirs: of a person it has the id,
#: for a day.
OF_NOBODY = {"meta", "areas", "vehicles", "events", "event_names", "consent_texts", "published",
             "modes", "mode_places", "replies", "revisions", "users", "passkeys", "sessions",
             "setup_codes", "sign_in_tries", "api_keys", "api_key_rights"}  # fmt: skip
#: What events say of others, or of the site.
NOT_OF_A_PERSON = {"Alarmed", "Lifted", "Ordered", "Rekeyed", "Released"}


@pytest.fixture
def site(folder: Path) -> Path:
    """A site where Zoe is enrolled in two ways, may pass, is inside, and has failed; and Yan."""
    with (folder / "site.toml").open("a") as file:
        file.write(ROSTER)
    enrol(folder, "Zoe")
    enrol(folder, "Zoe", StorageMode.PASS)
    enrol(folder, "Yan")
    with _opened(folder) as installation:
        store, now = installation.store, installation.clock.now().utc
        store.consents.withdraw(store.consents.of(ZOE)[0].id, now, installation.vault.destroy)
        enrol(folder, "Zoe")
        store.permits.add(_permit(now))
        store.areas.entered(AreaId("door"), [ZOE, YAN], now)
        for _ in range(5):
            store.throttles.failed(DOOR, ZOE, now)
    return folder


def test_every_column_about_a_person_is_in_the_export(site: Path) -> None:
    """Walked from the tables: what a row of theirs holds is found in what they take along."""
    exported = _export(site)
    rest = {key: value for key, value in exported.items() if key not in ("events", "made")}
    written = set(_leaves(rest))
    seen = set()
    with _opened(site) as installation:
        for table, row in _rows_of(installation, ZOE):
            for column in table.columns:
                if (table.name, column.name) in LINKS:
                    continue
                seen.add((table.name, column.name))
                name = PLACES.get(table.name, column.name)
                value = _written(row[column.name])
                assert (name, value) in written, f"{table.name}.{column.name} is not exported"

    about = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        if table.name not in OF_NOBODY
        for column in table.columns
    }
    assert about - LINKS == seen


def test_the_walk_over_the_tables_can_fail(site: Path) -> None:
    """A column that is not exported would be found missing."""
    exported = _export(site)
    del exported["person"]["name"]
    written = set(_leaves({k: v for k, v in exported.items() if k not in ("events", "made")}))

    assert ("name", "Zoe") not in written
    assert set(_tables_about_people()) == {
        "holders", "people", "consents", "consent_places", "credentials", "permit_holders",
        "permits", "permit_places", "permit_factors", "inside", "throttles",
    }  # fmt: skip


def test_every_kind_of_event_about_a_person_is_in_the_export(site: Path) -> None:
    """One of each is recorded about Zoe and one about Yan; Zoe takes hers along, and no other."""
    with _opened(site) as installation:
        now = installation.clock.now().utc
        before = {type(entry.event) for entry in installation.records.list()}
        for who in (ZOE, YAN):
            for event in _one_of_each(who, now):
                installation.records.append(event)
        assert before
    events = _export(site)["events"]

    kinds = {event["kind"] for event in events}
    wanted = {kind.__name__ for kind in get_args(Event)} - NOT_OF_A_PERSON
    assert {kind.lower() for kind in wanted} == kinds
    assert "a bicycle was stolen" in {event.get("why") for event in events}
    text = json.dumps(events)
    assert "attempt-of-zoe" in text
    assert "attempt-of-yan" not in text
    assert "p-yan" not in text


def test_an_export_is_recorded_and_shows_that_it_was(site: Path) -> None:
    """Whoever looked, and why, is the last thing in it."""
    last = _export(site)["events"][-1]

    assert ("viewed", "exported, for the person to see") == (last["kind"], last["why"])
    assert last["by"].startswith("terminal:")


def test_an_export_holds_no_secret(site: Path) -> None:
    """No sealed reference and no key, in any form that a text can have."""
    text = json.dumps(_export(site))
    with _opened(site) as installation:
        blobs = [one.blob for one in installation.store.references.all() if one.person == ZOE]

    assert blobs
    for blob in blobs:
        assert blob.hex() not in text
        assert blob[:12].hex() not in text
        assert all(str(blob[at : at + 8]) not in text for at in range(0, len(blob), 8))


def test_a_person_is_shown_what_is_kept(site: Path) -> None:
    """In the terminal, but for what happened."""
    told = postern("person", "show", ZOE).out

    for said in ("Zoe", "roster", "pass", "door", "failures: 5", "max_false_accept: 0.001"):
        assert said in told
    assert "Yan" not in told


def test_erasure_leaves_nothing_but_pseudonyms_and_a_signed_receipt(site: Path) -> None:
    """Neither the name nor the id is in any file; what the receipt counts is what there was."""
    with _opened(site) as installation:
        installation.records.append(_one_of_each(ZOE, installation.clock.now().utc)[0])
    told = postern("person", "remove", "--yes", ZOE, "--receipt", "erased.html")
    assert 0 == told.code, told.err
    page = unescape((site / "erased.html").read_text())
    (site / "erased.html").unlink()

    # The roster's first reference went with its consent; the second and the pass's are there.
    for said in ("keys of references and passes: 2", "references of the face: 2", "passes: 1",
                 "consents: 3", "places in permits: 1", "and of failed attempts: 2"):  # fmt: skip
        assert said in page
    vkey = (site / "data/ledger/log.vkey").read_text().strip()
    note, signed = open_note(
        page.split("<pre>\n")[1].split("</pre>")[0].encode(), [parse_vkey(vkey)]
    )
    assert signed
    assert note.text.startswith("postern erasure receipt 1\n")
    left = {path.name: path.read_bytes() for path in (site / "data").rglob("*") if path.is_file()}
    assert [] == [name for name, held in left.items() if b"p-zoe" in held or b"Zoe" in held]
    assert "postern.db" in [name for name, held in left.items() if b"p-yan" in held]

    with _opened(site) as installation:
        events = [entry.event for entry in installation.records.list()]
        erased = next(event for event in events if isinstance(event, Erased))
        assert f"Entry in the log: {installation.records.list()[0].id}" in page
        assert erased.person.startswith("p-")
        assert erased.person != ZOE
        assert installation.vault.is_erased(ZOE)
        assert ZOE not in {owner for owner, _ in installation.vault.keyed()}
        assert ZOE not in set(installation.store.ids())


def test_erased_once_is_erased(site: Path) -> None:
    """Doing it again says so, and makes no receipt; nobody comes back under the same id."""
    postern("person", "remove", "--yes", ZOE)
    again = postern("person", "remove", "--yes", ZOE, "--receipt", "again.html")

    assert 4 == again.code
    assert "erased before" in again.err
    assert not (site / "again.html").exists()
    assert "no person of that id" in postern("person", "remove", "--yes", "p-nobody").err


def _export(site: Path) -> dict[str, Any]:
    answer = postern("person", "export", ZOE)
    assert 0 == answer.code, answer.err
    exported: dict[str, Any] = json.loads(answer.out)
    return exported


def _opened(site: Path):
    return open_site(read_site(site / "site.toml"))


def _permit(now: datetime) -> Permit:
    """One that Zoe shares with Yan."""
    whole_day = (Span(datetime.min.time(), datetime.min.time()),)
    weekly = Schedule(ZoneInfo("Europe/Bucharest"), (whole_day,) * 7, ())
    return Permit(
        PermitId("zoe"), frozenset({ZOE, YAN}), frozenset({DOOR}), (Ceiling(Factor.FACE, 1e-3),),
        1e-3, False, weekly, now, now.replace(year=now.year + 1),
    )  # fmt: skip


def _one_of_each(who: PersonId, now: datetime) -> tuple[Event, ...]:
    attempt, consent = AttemptId(f"attempt-of-{who[2:]}"), ConsentId(f"consent-of-{who}")
    return (
        Decided(now, DOOR, attempt, Reason.PERMITTED, PermitId("zoe"), (who,), 4),
        Acted(now, DOOR, attempt, True, "opened for 1.0 s"),
        Interrupted(now, DOOR, attempt),
        Consented(now, consent, who, "1"),
        Withdrawn(now, consent, who, By.PERSON),
        Erased(now, who),
        Enrolled(now, CredentialId(f"face-of-{who}"), who),
        Revoked(now, CredentialId(f"face-of-{who}"), who),
        Viewed(now, who, "guard", "a bicycle was stolen"),
        Changed(now, "person changed", who, "cli"),
    )


def _tables_about_people() -> list[str]:
    return [table.name for table in metadata.sorted_tables if table.name not in OF_NOBODY]


def _rows_of(installation: Installation, person: PersonId) -> Iterator[tuple[Table, Row]]:
    """Every row that hangs on a person, from whatever table, by following its foreign keys."""
    ids = {"holders": {str(person)}, "people": {str(person)}}
    with installation.store._database.reading() as connection:
        for table in _by_dependence():
            every = map(dict, connection.execute(select(table)).mappings())
            found = [row for row in every if _is_about(table, row, ids)]
            ids.setdefault(table.name, set()).update(str(row.get("id")) for row in found)
            if table.name == "permit_holders":
                ids["permits"] = {row["permit"] for row in found}
            for row in found:
                yield table, row


def _by_dependence() -> list[Table]:
    """Who holds a permit comes before the permits: those are about whom they name."""
    tables = [table for table in metadata.sorted_tables if table.name not in OF_NOBODY]
    later = ("permits", "permit_places", "permit_factors")
    return sorted(tables, key=lambda table: later.index(table.name) if table.name in later else -1)


def _is_about(table: Table, row: Row, ids: dict[str, set[str]]) -> bool:
    if table.name in ("holders", "people", "permits"):
        return row["id"] in ids.get(table.name, set())
    return any(_points(column, row, ids) for column in table.columns)


def _points(column: Column[Any], row: Row, ids: dict[str, set[str]]) -> bool:
    # A permit's holder, not its permit: others hold it, too.
    if column.table.name == "permit_holders" and column.name == "permit":
        return False
    return any(
        str(row[column.name]) in ids.get(key.column.table.name, set())
        for key in column.foreign_keys
    )


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value with the key that it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, _written(value)


def _written(value: object) -> str:
    return time_text(value) if isinstance(value, datetime) else str(value)
