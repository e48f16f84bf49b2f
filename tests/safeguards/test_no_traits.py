"""Safeguard: no trait of a person and no free text about one can be kept.

Everything that holds or shows something of a person is walked as it is: tables of both databases,
nouns, events, what a person is given, what they agree to, and the keys of `site.toml`. What is
added fails here first, and has to be argued for in this file.
"""

import json
import re
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from enum import StrEnum
from importlib import import_module, resources
from inspect import getmembers, isclass
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args

import numpy as np
import pytest
from sqlalchemy import JSON, LargeBinary, Text

from postern import core
from postern.actuators import KINDS as ACTUATORS
from postern.api.v1 import Nouns, document, routes
from postern.app.config import load
from postern.app.erasure import Erasure
from postern.app.problem import ConfigError
from postern.app.sections import SECTIONS
from postern.app.site import (
    ClockSettings,
    ConsentTerms,
    ConsolePage,
    Faces,
    HealthPage,
    Log,
    Plates,
    Roster,
)
from postern.app.tables import AccessPointTable, AreaTable, MqttTable, SiteTable, WitnessTable
from postern.app.wire import Installation, exports, open_site, read_site
from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.event import Consented, Event
from postern.core.evidence import Factor
from postern.core.person import Person
from postern.core.vehicle import Vehicle
from postern.frame import Template
from postern.sources import KINDS as SOURCES
from postern.sources.inputs import KINDS as INPUTS
from postern.store.schema import metadata
from postern.store.store import STORE_FILE, open_store
from postern.vault.vault import KEYRING_FILE, open_vault
from tests.cli.terminal import postern
from tests.people import ALICE, DOOR, NOW, OFFICE, consent, credential, permit

TRAITS = re.compile(
    r"age|birth|dob|gender|sex|ethnic|race|racial|colou?r|skin|hair|eye|height|weight|nation|"
    r"citizen|country|immigra|visa|religi|faith|emotion|mood|health|disab|politic|accent|language|"
    r"note|comment|remark|description|custom|extra|tag|attribute|watch|suspect|risk|score|photo|"
    r"picture|image|embedding|vector|template"
)
#: Every column that hangs on a holder, and so on a person.
ABOUT_A_HOLDER = {
    "holders": {"id"},
    # `folded` is the name without capitals and marks.
    "people": {"id", "name", "folded"},
    "vehicles": {"id", "plate", "label"},
    "consents": {
        "id",
        "person",
        "purpose",
        "text_version",
        "mode",
        "given",
        "expires",
        "withdrawn",
    },
    "credentials": {
        "id",
        "factor",
        "holder",
        "enabled",
        "valid_from",
        "valid_until",
        "mode",
        "sealed",
        # Of the program that made the reference, and the same for everybody it enrolled.
        "model",
    },
    "permit_holders": {"permit", "holder"},
    "inside": {"area", "holder", "since"},
    "throttles": {"access_point", "holder", "failures", "until"},
}
#: Where the migrations keep which of them was the last.
VERSIONS = "alembic_version"
#: Every other table: of which neither a row nor a column is a person's or a vehicle's.
OF_NOBODY = {
    "meta": {"name", "value"},
    "areas": {"id", "occupancy"},
    "consent_texts": {"version", "locale", "body"},
    "consent_places": {"consent", "access_point"},
    "permits": {"id", "max_false_accept", "liveness", "schedule", "valid_from", "valid_until"},
    "permit_places": {"permit", "access_point"},
    "permit_factors": {"permit", "place", "factor", "max_p"},
    # Under pseudonyms, which `body` has, too.
    "events": {"seq", "at", "kind", "access_point", "attempt", "grants", "body", "reason"},
    # Likewise under pseudonyms.
    "event_names": {"name", "seq"},
    # Who asked for what, as a hash, and the id of what came of it; blank once that is forgotten.
    "replies": {"caller", "key", "digest", "at", "subject"},
    # How often it was changed who may pass.
    "revisions": {"name", "number"},
    # The last checkpoint of the log that was seen.
    "published": {"size", "root"},
    # Orders about doors, with who gave them and why.
    "modes": {"id", "mode", "by", "why", "since", "until"},
    "mode_places": {"order", "access_point"},
    # Operators, under names that they choose for it, and what they sign in by.
    "users": {
        "id",
        "name",
        "role",
        "password",
        "totp",
        "totp_step",
        "enabled",
        "created",
    },
    "passkeys": {
        "id",
        "user",
        "credential",
        "public_key",
        "sign_count",
        "name",
        "created",
        "used",
    },
    "sessions": {"token", "user", "created", "seen", "proven", "expires"},
    "setup_codes": {"code", "user", "expires"},
    # Under a keyed hash of what was typed.
    "sign_in_tries": {"name", "failures", "at"},
    # Programs.
    "api_keys": {"id", "name", "secret", "created", "expires", "by", "used"},
    "api_key_rights": {"key", "right"},
    VERSIONS: {"version_num"},
}
#: Text of any length and bytes, each with the reason why it is no place for a remark on a person.
LONG = {
    ("consents", "purpose"),  # The words of the site's consent text.
    ("consent_texts", "body"),  # What the site shows to everybody; of no person.
    ("credentials", "sealed"),  # Encrypted; refused for anything but a face.
    ("permits", "schedule"),  # Canonical; only what Postern itself would write is read.
    ("events", "body"),  # Canonical; a closed set of kinds with typed fields.
    ("users", "totp"),  # Encrypted; 20 random bytes.
    ("passkeys", "credential"),  # What an authenticator calls a key of its own.
    ("passkeys", "public_key"),  # Read as a public key, or refused.
}
#: Of the file of keys: which references have a key in which epoch, and marks of the erased.
ABOUT_A_KEY = {
    ("site", "one"), ("site", "id"), ("epochs", "epoch"), ("epochs", "wrapped"),
    ("keys", "person"), ("keys", "credential"), ("keys", "epoch"), ("keys", "wrapped"),
    ("erased", "mark"),
}  # fmt: skip
EVENTS = {
    "Decided": {
        "at", "access_point", "attempt", "reason", "permit", "holders", "band", "passback",
    },
    # `by` and `why` are about whoever opened it: nobody is recognised.
    "Released": {"at", "access_point", "attempt", "by", "why"},
    "Acted": {"at", "access_point", "attempt", "done", "detail"},
    "Interrupted": {"at", "access_point", "attempt"},
    # Likewise about whoever gave the order, which is about doors.
    "Ordered": {"at", "order", "mode", "access_points", "by", "why", "until"},
    "Lifted": {"at", "order", "by"},
    "Alarmed": {"at", "access_point", "alarm", "over"},
    "Consented": {"at", "consent", "person", "text_version"},
    "Withdrawn": {"at", "consent", "person", "by"},
    "Erased": {"at", "person"},
    "Enrolled": {"at", "credential", "holder"},
    "Revoked": {"at", "credential", "holder"},
    # `why` is about whoever looked, is shown to the person, and expires with the event.
    "Viewed": {"at", "person", "by", "why"},
    "Rekeyed": {"at", "epoch"},
    "Changed": {"at", "what", "subject", "by"},
}  # fmt: skip
#: What the texts that people read leave blank.
BLANKS = {
    "camera", "contact", "date", "day", "days", "detail", "justification", "month", "name",
    "places", "program", "purpose", "retention", "site", "time", "version", "year",
}  # fmt: skip
#: Every key in what a person is given of theirs.
EXPORTED = {
    "format", "made", "site", "person", "id", "name",
    "consents", "purpose", "places", "text_version", "mode", "given", "expires", "withdrawn",
    "text", "heading",
    "credentials", "factor", "enabled", "valid_from", "valid_until", "model",
    "permits", "access_points", "factors", "max_p", "max_false_accept", "liveness", "schedule",
    "others", "inside", "area", "since", "failures", "access_point", "until", "keys",
    "events", "number", "kind", *(name for names in EVENTS.values() for name in names),
}  # fmt: skip
#: Of a camera's picture; and the language that a text is in, not that of whoever reads it.
FINE_KEYS = {"height", "language"}
#: Whole words of the trade that look like a trait.
FINE = {"consent_places", "permit_places", "place", "text_version", "passback"}


def test_no_column_names_a_trait() -> None:
    """Neither a table nor a column is called after anything that could be held against somebody."""
    names = {table.name for table in metadata.sorted_tables}
    names |= {column.name for table in metadata.sorted_tables for column in table.columns}

    assert set() == {name for name in names - FINE if _names_a_trait(name)}


def test_columns_about_a_holder_are_exactly_these() -> None:
    """Every table that refers to a person or holder is listed, with every one of its columns."""
    found = {
        table.name: {column.name for column in table.columns}
        for table in metadata.sorted_tables
        if table.name == "holders"
        or any(key.column.table.name in ("holders", "people") for key in table.foreign_keys)
    }

    assert ABOUT_A_HOLDER == found


def test_a_store_has_these_tables_and_no_other(tmp_path: Path) -> None:
    """As migration after migration leaves them on the disk, whatever the program knows of them."""
    open_store(tmp_path).close()

    listed = ABOUT_A_HOLDER | OF_NOBODY
    assert listed == _columns(tmp_path / STORE_FILE)
    known = {table.name: {c.name for c in table.columns} for table in metadata.sorted_tables}
    assert known == {name: columns for name, columns in listed.items() if name != VERSIONS}


def test_text_of_any_length_is_in_these_columns_only() -> None:
    """Nowhere else fits a remark about somebody; there is no column of free JSON."""
    long = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Text | JSON | LargeBinary)
    }

    assert LONG == long


def test_nouns_have_no_field_for_a_trait() -> None:
    """What the program passes around is as narrow as what it keeps."""
    names = {
        field.name for noun in (Person, Vehicle, Consent, Credential) for field in fields(noun)
    }

    assert {"id", "name"} == {field.name for field in fields(Person)}
    assert set() == {name for name in names - FINE if _names_a_trait(name)}


def test_file_of_keys_names_no_trait(tmp_path: Path) -> None:
    """It tells whose keys there are, and nothing else of anybody."""
    open_vault(tmp_path).close()
    found = _columns(tmp_path / KEYRING_FILE)

    assert ABOUT_A_KEY == {(table, column) for table in found for column in found[table]}


def test_events_say_exactly_this() -> None:
    """No event has a field for a trait, or for free words about a person but a viewer's reason."""
    found = {kind.__name__: {field.name for field in fields(kind)} for kind in get_args(Event)}

    assert EVENTS == found
    assert set() == {n for names in found.values() for n in names - FINE if _names_a_trait(n)}


def test_no_choice_that_is_kept_is_a_trait() -> None:
    """Of all sets of values in the core, none is one of sexes, ages, origins or moods."""
    choices = dict(_choices())

    assert {"Factor", "Reason", "By", "StorageMode"} <= choices.keys()
    found = {
        (name, value) for name, values in choices.items() for value in values
        if _names_a_trait(value.replace("-", "_"))
    }  # fmt: skip
    # What a guard may do: look at the lanes. It is kept of operators and of nobody who passes.
    assert {("Right", "watch")} == found


@pytest.mark.parametrize("locale", ["en", "de"])
def test_texts_ask_for_nothing_about_a_person(locale: str) -> None:
    """What people agree to and are given has blanks for these things only."""
    file = resources.files("postern.app").joinpath(f"locales/{locale}.toml")
    text = re.sub(r"^#.*", "", file.read_text("utf-8"), flags=re.MULTILINE)
    blanks = set(re.findall(r"\{(\w+)\}", text))

    assert blanks == BLANKS
    keys = {word for word in _keys(tomllib.loads(text)) if word not in FINE_KEYS}
    assert set() == {key for key in keys if _names_a_trait(key)}


def test_what_a_person_is_given_has_no_trait(folder: Path) -> None:
    """Every key of the export, at any depth, and every line of an erasure's receipt."""
    assert 0 == postern("vehicle", "add", "KA MP 417").code
    with open_site(read_site(folder / "site.toml")) as installation:
        _enrol(installation)
        record = exports(installation).all(ALICE, "en", NOW)
    names = set(_keys(record))

    assert {"name", "mode", "max_p", "since", "failures", "text_version", "kind"} <= names
    assert names <= EXPORTED
    assert set() == {name for name in names - FINE - FINE_KEYS if _names_a_trait(name)}
    assert {"person", "at", "event", "keys", "references", "passes", "others", "consents",
            "permits", "presence"} == {field.name for field in fields(Erasure)}  # fmt: skip


#: Every field that the API's calls are sent or answer, of whatever it is about.
API = {
    "access_points", "allowed", "area", "asked_by", "at", "cameras", "capacity",
    "checkpoint", "consent", "consent_until", "consents", "day", "detail", "direction", "enabled",
    "errors", "event", "exceptions", "expires", "factor", "factors", "field", "given", "heading",
    "held_open_s", "hint", "hold_s", "holder", "id", "items", "key", "keys", "kind", "label",
    "liveness", "max_false_accept", "message", "mode", "name", "next", "number", "occupancy",
    "one_in", "opens_in_evacuation", "opens_within_s", "origin", "others", "passback", "passes",
    "people", "permit", "permits", "person", "plate", "presence", "purpose", "receipt",
    "references", "remembered", "root", "said", "schedule", "size", "spans", "status", "text",
    "text_version", "title", "type", "unsigned", "valid_from", "valid_until", "vehicles",
    "warnings", "weekly", "withdrawn", "witnesses", "zone",
}  # fmt: skip


def test_answers_over_the_network_have_no_trait() -> None:
    """Every field of every schema, as they are described; an event's are those above."""
    nouns: dict[str, Any] = dict.fromkeys(Nouns.__dataclass_fields__)
    told = json.loads(described(nouns))
    fields = {
        name
        for schema in told["components"]["schemas"].values()
        for name in schema.get("properties", ())
    }

    assert API == fields
    assert set() == {name for name in fields - FINE if _names_a_trait(name)}


def test_site_file_has_no_key_for_people() -> None:
    """Its tables describe doors, cameras and rules; nobody and no group of people is in it."""
    tables = (SiteTable, AreaTable, AccessPointTable, WitnessTable, ConsentTerms, Faces, Roster,
              Plates, Log, HealthPage, ConsolePage, ClockSettings, MqttTable)  # fmt: skip
    names = {field.name for table in tables for field in fields(table)} | set(SECTIONS)
    kinds = [row.config for rows in (SOURCES, ACTUATORS, INPUTS) for row in rows.values()]
    names |= {field.name for kind in kinds for field in fields(kind)}

    # How the service is, not how anybody is.
    assert "health" in names
    fine = FINE | FINE_KEYS | {"health"}
    assert set() == {name for name in names - fine if _names_a_trait(name)}
    assert not names & {"person", "people", "group", "watch", "blocked"}


@pytest.mark.parametrize(
    "written",
    [
        "[person.alice]\nage = 4",
        "[watch_list]\nplates = []",
        '[consent]\nnote = "x"',
        "[faces]\ngender = true",
    ],
)
def test_site_file_refuses_keys_for_people(folder: Path, written: str) -> None:
    """Nothing that is not known is passed over in silence."""
    file = folder / "site.toml"
    file.write_text(f"{file.read_text('utf-8')}\n{written}\n", "utf-8")

    with pytest.raises(ConfigError):
        load(file, SOURCES, ACTUATORS, {})


def test_the_search_for_traits_can_fail() -> None:
    """Names that must not appear are recognised."""
    for name in ("age", "date_of_birth", "skin_colour", "nationality", "notes", "custom_fields"):
        assert _names_a_trait(name)

    class Mood(StrEnum):
        HAPPY = "mood-good"

    assert _names_a_trait(Mood.HAPPY.replace("-", "_"))
    assert {"kept", "birthdate"} == set(_keys({"kept": [{"birthdate": 1}]}))


def described(nouns: dict[str, Any]) -> bytes:
    """The document of the API."""
    answer: Any = document(routes(Nouns(**nouns))).fn()
    return bytes(answer.content)


def _columns(file: Path) -> dict[str, set[str]]:
    """The tables that are in a database, views included, each with its columns."""
    query = (
        "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_xinfo(m.name) c "
        "WHERE m.type IN ('table', 'view')"
    )
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(file)) as database:
        for table, column in database.execute(query):
            found.setdefault(table, set()).add(column)
    return found


def _names_a_trait(name: str) -> bool:
    return any(TRAITS.match(word) for word in name.split("_"))


def _choices() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every set of texts in the core that a field may be one of."""
    for module in iter_modules(core.__path__):
        for name, found in getmembers(import_module(f"postern.core.{module.name}"), isclass):
            if issubclass(found, StrEnum) and found is not StrEnum:
                yield name, tuple(found)


def _keys(record: object) -> Iterator[str]:
    """Every key of nested tables."""
    if isinstance(record, dict):
        for key, value in record.items():
            yield key
            yield from _keys(value)
    elif isinstance(record, list):
        for value in record:
            yield from _keys(value)


def _enrol(installation: Installation) -> None:
    """Alice, with something of every kind that may be kept about her."""
    store, vault = installation.store, installation.vault
    store.people.add(Person(ALICE, "Alice"))
    store.consents.add(consent(ALICE))
    face = credential(Factor.FACE, ALICE)
    sealed = vault.seal(face.id, ALICE, Template(np.ones(128, np.float32), "ab" * 32, 3))
    store.credentials.add(face, now=NOW, sealed=sealed.blob)
    store.permits.add(permit(ALICE))
    store.areas.entered(OFFICE.id, (ALICE,), NOW)
    store.throttles.failed(DOOR.id, ALICE, NOW)
    installation.records.append(Consented(NOW, consent(ALICE).id, ALICE, "v1"))
