"""Safeguard: no trait of a person and no free text about one can be kept.

The tables and the nouns are walked as they are; a column that somebody adds fails here first, and
has to be argued for in this file.
"""

import re
from dataclasses import fields

from sqlalchemy import JSON, LargeBinary, Text

from postern.core.consent import Consent
from postern.core.credential import Credential
from postern.core.person import Person
from postern.core.vehicle import Vehicle
from postern.store.schema import metadata

TRAITS = re.compile(
    r"age|birth|dob|gender|sex|ethnic|race|racial|colou?r|skin|hair|eye|height|weight|nation|"
    r"citizen|country|immigra|visa|religi|faith|emotion|mood|health|disab|politic|accent|language|"
    r"note|comment|remark|description|custom|extra|tag|attribute|watch|suspect|risk|score|photo|"
    r"picture|image|embedding|vector|template"
)
#: Every column that hangs on a holder, and so on a person.
ABOUT_A_HOLDER = {
    "holders": {"id"},
    "people": {"id", "name"},
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
    },
    "permit_holders": {"permit", "holder"},
    "inside": {"area", "holder", "since"},
    "throttles": {"access_point", "holder", "failures", "until"},
}
#: Text of any length and bytes, each with the reason why it is no place for a remark on a person.
LONG = {
    ("consents", "purpose"),  # The words of the site's consent text.
    ("consent_texts", "body"),  # What the site shows to everybody; of no person.
    ("credentials", "sealed"),  # Encrypted; refused for anything but a face.
    ("permits", "schedule"),  # Canonical; only what Postern itself would write is read.
    ("events", "body"),  # Canonical; a closed set of kinds with typed fields.
}
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


def test_the_search_for_traits_can_fail() -> None:
    """Names that must not appear are recognised."""
    for name in ("age", "date_of_birth", "skin_colour", "nationality", "notes", "custom_fields"):
        assert _names_a_trait(name)


def _names_a_trait(name: str) -> bool:
    return any(TRAITS.match(word) for word in name.split("_"))
